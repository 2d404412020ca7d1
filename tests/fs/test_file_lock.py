"""No lock is waited for without limit: every user who may read a file can lock it for ever."""

import ast
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.fs.file_lock import lock_file

PACKAGE = Path(__file__).parents[2] / "reconciler"


@pytest.fixture
def descriptors(tmp_path: Path) -> Iterator[tuple[int, int]]:
    opened = [os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY) for _ in range(2)]
    yield opened[0], opened[1]
    for each in opened:
        os.close(each)


def test_a_lock_that_another_holds_is_given_up(descriptors: tuple[int, int]) -> None:
    fcntl.flock(descriptors[0], fcntl.LOCK_SH)
    assert not lock_file(descriptors[1], fcntl.LOCK_EX, 0.1)
    assert lock_file(descriptors[1], fcntl.LOCK_SH, 0)
    fcntl.flock(descriptors[0], fcntl.LOCK_UN)
    assert lock_file(descriptors[1], fcntl.LOCK_EX, 0)


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_waits_for_a_lock_without_limit(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"fcntl.flock", "fcntl.lockf", "flock", "lockf"}:
            waits_never = any(each in ast.unparse(node) for each in ("LOCK_NB", "LOCK_UN"))
            assert waits_never, f"{module}:{node.lineno}: use `lock_file`"
