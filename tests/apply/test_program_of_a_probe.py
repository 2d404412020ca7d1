"""Which program a probe, a hook or a health check starts: that of the environment, else one on `PATH`."""

import os
from pathlib import Path

import pytest

from reconciler.apply.probe import child_environment, run_health_check
from reconciler.diff.masking import Disclosure
from reconciler.errors import HealthError


def program(path: Path, words: str, mode: int = 0o755) -> Path:
    """Write a program that fails, and says which one it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {words}\nexit 1\n")
    path.chmod(mode)
    return path


def said(venv: Path, name: str) -> str:
    """Run a program by its name with the directories `first` and `second` on PATH; return what it said, or the error.

    It runs in an empty directory.
    """
    directories = [venv.parent / each for each in ("first", "second")]
    env = child_environment(venv, {}, {"PATH": os.pathsep.join(map(str, directories))})
    with pytest.raises(HealthError) as caught:
        run_health_check([name], env, timeout=60, disclosure=Disclosure())
    return "".join(caught.value.details) or caught.value.message


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    program(tmp_path / "second/tool", "second")
    (tmp_path / "venv/bin").mkdir(parents=True)
    return tmp_path / "venv"


def test_the_first_program_on_path_is_started(venv: Path) -> None:
    assert said(venv, "tool") == "second"
    program(venv.parent / "first/tool", "first")
    assert said(venv, "tool") == "first"
    program(venv / "bin/tool", "own")
    assert said(venv, "tool") == "own"


def test_what_cannot_be_started_is_passed_over_on_path(venv: Path) -> None:
    (venv.parent / "first/tool").mkdir(parents=True)
    assert said(venv, "tool") == "second"
    (venv.parent / "first/tool").rmdir()
    program(venv.parent / "first/tool", "first", mode=0o644)
    assert said(venv, "tool") == "second"


def test_a_name_in_the_environment_is_never_taken_from_elsewhere(venv: Path) -> None:
    (venv / "bin/tool").symlink_to("missing")
    assert said(venv, "tool") == "health check `tool` failed: `tool` was not found in the environment or on `PATH`"


def test_a_program_with_a_path_is_not_looked_up(venv: Path) -> None:
    elsewhere = program(venv.parent / "elsewhere/tool", "elsewhere")
    assert said(venv, str(elsewhere)) == "elsewhere"
    program(venv / "bin/sub/tool", "own")
    assert "No such file or directory" in said(venv, "sub/tool")
