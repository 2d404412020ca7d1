"""Errors of git's files have the place, the reason and a hint, whatever dulwich raises."""

import struct

import pytest

from reconciler.errors import RevisionError
from reconciler.revision.git_errors import translate_git_errors


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("bad tree"), "bad tree"), (AssertionError(), "AssertionError"), (struct.error("short"), "short")],
)
def test_the_reason_is_the_text_of_the_error_or_its_kind(error: Exception, reason: str) -> None:
    with pytest.raises(RevisionError) as caught, translate_git_errors("the index", hint="run `git status`"):
        raise error
    assert (caught.value.message, caught.value.hint) == (f"the index could not be read: {reason}", "run `git status`")


def test_an_error_of_the_program_is_not_hidden() -> None:
    with pytest.raises(NameError), translate_git_errors("the index", hint=""):
        raise NameError
