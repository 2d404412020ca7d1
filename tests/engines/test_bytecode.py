"""The bytecode of modules is written by the interpreter that will read it, and not for ever."""

import sys
from pathlib import Path

import pytest

from reconciler.engines.bytecode import compile_modules
from reconciler.errors import EngineError


def test_modules_are_compiled_and_those_that_do_not_parse_are_skipped(tmp_path: Path) -> None:
    for name, text in (("good.py", "x = 1\n"), ("bad.py", "x = (\n"), ("other.py", "y = 1\n")):
        (tmp_path / name).write_text(text)
    compile_modules(sys.executable, [tmp_path / "good.py", tmp_path / "bad.py"], timeout=60, inherit=())
    assert [each.name.partition(".")[0] for each in (tmp_path / "__pycache__").iterdir()] == ["good"]


def test_an_interpreter_that_hangs_is_an_error(tmp_path: Path) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\necho compiling >&2\nexec sleep 30\n")
    slow.chmod(0o755)
    with pytest.raises(EngineError) as caught:
        compile_modules(str(slow), [tmp_path / "good.py"], timeout=0.5, inherit=())
    assert caught.value.message == "compiling bytecode did not finish within 0.5 seconds"
    assert caught.value.details == ("compiling",)
