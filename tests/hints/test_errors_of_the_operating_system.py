"""An error of the operating system has the hint that its cause deserves, wherever it is caught."""

import ast
import errno
import os
import subprocess
from pathlib import Path

import pytest

from reconciler.fs.os_error_hint import os_error_hint
from tests.host import base_environment, isolated_envsync
from tests.repository_files import ROOT

MODULES = sorted((ROOT / "reconciler").rglob("*.py"))
# Nothing is raised there: the caller continues its search.
ALLOWED = {"interpreters/choose.py: return Refusal(message='', hint='')"}


def _without_hint(source: str) -> list[str]:
    """Return the statements that handle an OSError and say that it has no hint."""
    found = []
    for handler in ast.walk(ast.parse(source)):
        if isinstance(handler, ast.ExceptHandler) and handler.type and "OSError" in ast.unparse(handler.type):
            found += [
                ast.unparse(statement)
                for statement in ast.walk(handler)
                if isinstance(statement, ast.Raise | ast.Return)
                for each in ast.walk(statement)
                if isinstance(each, ast.keyword) and each.arg == "hint"
                if isinstance(each.value, ast.Constant) and not each.value.value
            ]
    return found


def test_a_handler_without_a_hint_is_found() -> None:
    source = (
        "try:\n    read()\nexcept (OSError, ValueError) as error:\n    raise LockError('x', hint=None) from error\n"
    )
    assert _without_hint(source) == ["raise LockError('x', hint=None) from error"]


def test_every_handler_of_an_operating_system_error_gives_its_hint() -> None:
    found = {
        f"{path.relative_to(ROOT / 'reconciler')}: {each}"
        for path in MODULES
        for each in _without_hint(path.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    ("number", "part"),
    [
        (errno.EACCES, "run envsync as the owner"),
        (errno.EPERM, "run envsync as the owner"),
        (errno.EROFS, "make the file system writable"),
        (errno.ENOSPC, "free disk space"),
        (errno.EDQUOT, "free disk space"),
        (errno.EMFILE, "ulimit -n"),
    ],
)
def test_the_hint_depends_on_the_cause(number: int, part: str) -> None:
    assert part in (os_error_hint(OSError(number, os.strerror(number))) or "")


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "x"), OSError("no number"), ValueError("embedded null byte")])
def test_another_error_has_no_general_hint(error: Exception) -> None:
    assert os_error_hint(error) is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_disk_under_the_output_has_its_hint() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*isolated_envsync(), "schema", "manifest"], env=base_environment(), stdout=full, stderr=subprocess.PIPE
        )
    assert done.stderr.decode() == (
        "error: the output could not be written: No space left on device\n"
        "hint: free disk space, then run the command again\n"
    )
