"""The program that uv gets instead of an interpreter: it starts the interpreter with `-I -S -B`, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.engines.isolated_interpreter import isolated_interpreter
from reconciler.errors import EngineError
from tests.mounts import mounted

CODE = "import json, sys; flags = sys.flags; "
CODE += "print(json.dumps([sys.executable, sys.argv, flags.isolated, flags.no_site, flags.dont_write_bytecode]))"


def unused() -> Path:
    raise AssertionError("the scratch directory would do")


def test_the_interpreter_runs_isolated_with_the_arguments(tmp_path: Path) -> None:
    with isolated_interpreter(sys.executable, tmp_path, unused) as program:
        done = subprocess.run([program, "-c", CODE, "a b", "$(id)", ""], capture_output=True, check=True)
        assert program.parent == tmp_path
    executable, arguments, *flags = json.loads(done.stdout)
    assert executable == sys.executable, "uv builds with this path"
    assert arguments == ["-c", "a b", "$(id)", ""]
    assert flags == [1, 1, 1]


@pytest.mark.parametrize("name", ["python3", "with space", "'quoted'", '"$(touch mark)"', "line\nbreak", "\udcff", "é"])
def test_every_path_of_an_interpreter_is_one_word(name: str, tmp_path: Path) -> None:
    python, scratch = tmp_path / name, tmp_path / "scratch"
    scratch.mkdir()
    python.write_text("#!/bin/sh\nprintf '%s,' \"$@\"\n")
    python.chmod(0o755)
    with isolated_interpreter(str(python), scratch, unused) as program:
        done = subprocess.run([program, "-c", "x"], capture_output=True, check=True, cwd=scratch)
    assert done.stdout == b"-I,-S,-B,-c,x,"
    assert not (scratch / "mark").exists()


def test_if_no_program_starts_from_the_temporary_directory_the_cache_has_it(tmp_path: Path) -> None:
    place = tmp_path / "noexec"
    place.mkdir()
    with mounted("-t", "tmpfs", "-o", "noexec", "tmpfs", place):
        scratch, cache = place / "scratch", tmp_path / "cache/uv"
        scratch.mkdir()
        with isolated_interpreter(sys.executable, scratch, lambda: cache) as program:
            assert program.is_relative_to(cache)
            subprocess.run([program, "-c", "pass"], check=True)
        assert list(cache.iterdir()) == [], "nothing is left"
        with (
            pytest.raises(EngineError, match="no program can be started from") as caught,
            isolated_interpreter(sys.executable, scratch, lambda: place / "cache"),
        ):
            pass
    assert "TMPDIR" in str(caught.value.hint)
