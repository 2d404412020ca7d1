"""What an apply reports about an error of a step, and the words of errors that name several files."""

import errno
from typing import Any

import pytest

from reconciler.apply.schedule import _failure
from reconciler.apply.verify_build import _same_version
from reconciler.errors import HookError, RecordMismatchError
from reconciler.events import Failure
from reconciler.plan.model import Step, StepKind

STEP = Step(id="web:sync", environment="web", kind=StepKind.SYNC)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            ("os-error", "step `sync`: No space left on device", "free disk space, then run the command again"),
        ),
        (OSError(errno.EIO, "I/O error", "/a/b"), ("os-error", "/a/b: I/O error", "")),
        (OSError("broken"), ("os-error", "step `sync`: broken", "")),
        (HookError("it failed", hint="correct it"), ("hook-failed", "it failed", "correct it")),
    ],
)
def test_an_error_of_a_step_has_a_code_and_a_place(error: OSError | HookError, failure: tuple[str, str, str]) -> None:
    for suffix in ("", " (published)"):
        found = _failure(error, STEP, suffix=suffix)
        assert isinstance(found, Failure)
        assert (found.code, found.message, found.hint) == (failure[0], failure[1] + suffix, failure[2])


@pytest.mark.parametrize(
    ("files", "message", "packages"),
    [
        ({"a.py": "six"}, "1 installed file differs from `RECORD`: `a.py`", ("six",)),
        ({"b": "x", "a": "y", "c": "x"}, "3 installed files differ from `RECORD`: `a`, `b`, `c`", ("x", "y")),
    ],
)
def test_files_that_differ_from_their_record_are_listed(
    files: dict[str, str], message: str, packages: tuple[str, ...]
) -> None:
    error = RecordMismatchError(files)
    assert (error.message, error.packages) == (message, packages)
    listed = ", ".join(f"`{each}`" for each in packages)
    assert error.hint == f"require a different version of {listed}, or report it to its author"


def test_a_difference_from_record_is_explained_only_by_what_was_seen() -> None:
    """The same contents twice are the package's own; different ones mean that a program changes them."""

    def error(content: str = "0a", **other: Any) -> RecordMismatchError:
        return RecordMismatchError({"a.py": "six"}, contents={"a.py": content}, **other)

    neutral, author = "1 installed file differs from `RECORD`: `a.py`", "or report it to its author"
    changing, program = "files changed while the environment was built: `a.py`", "find the program that changes files"
    outside = "`six` would install files outside the environment: `../x`"
    mode = "1 installed file differs from their mode in the seal: `a.py`"
    for found, before, message, hint in (
        (error(), None, neutral, author),
        (error(), error(), "`RECORD` in `six` does not match the package's own files: `a.py`", author),
        (error("0b"), error(), changing, program),
        (error(changing=True), error(), changing, program),
        (error(outside={"../x": "six"}), error(), outside, author),
        (RecordMismatchError({"a.py": "six"}, than="their mode in the seal"), error(), mode, author),
    ):
        found.explain(before)
        assert (found.message, hint in str(found.hint)) == (message, True)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("1.0", "1", True), ("1.0", "1.1", False), ("x", "x", True), ("x", "y", False), ("1", "x", False)],
)
def test_versions_are_compared_as_versions_or_as_text(one: str, other: str, same: bool) -> None:
    assert _same_version(one, other) is same
