"""Translate everything that dulwich raises for a repository that it cannot read into one error, RevisionError."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import RevisionError

FETCH_HINT = "fetch the revision; CI checks out a single commit by default (for actions/checkout set `fetch-depth: 0`)"


@contextmanager
def translate_git_errors(what: str, *, hint: str = FETCH_HINT) -> Iterator[None]:
    """Raise RevisionError if dulwich cannot read something; `what` names it in a sentence."""
    from dulwich import errors, index, objectspec, repo

    faults = (
        ArithmeticError, AssertionError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError,
        struct.error, zlib.error,
        errors.ApplyDeltaError, errors.ChecksumMismatch, errors.FileFormatException, errors.NotGitRepository,
        errors.ObjectMissing, errors.RefFormatError, errors.WrongObjectException, index.UnsupportedIndexFormat,
        objectspec.AmbiguousShortId, repo.InvalidWorktreeConfiguration, repo.UnsupportedExtension,
        repo.UnsupportedVersion,
    )  # fmt: skip
    try:
        yield
    except faults as error:
        raise RevisionError(f"{what} could not be read: {str(error) or type(error).__name__}", hint=hint) from error
