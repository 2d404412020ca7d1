"""An error of the operating system gets an instruction if there is one that helps."""

import errno

import pytest

from reconciler.fs.os_error_hint import os_error_hint


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.EACCES, "owner"), (errno.EROFS, "writable"), (errno.ENOSPC, "disk space"), (errno.EMFILE, "ulimit -n")],
)
def test_an_error_that_a_person_can_end_has_a_hint(number: int, word: str) -> None:
    assert word in (os_error_hint(OSError(number, "text")) or "")


def test_any_other_error_has_none() -> None:
    assert os_error_hint(OSError(errno.ENOENT, "text")) is None
    assert os_error_hint(OSError("text")) is None
