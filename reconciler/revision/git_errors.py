"""Everything that dulwich raises over a repository that it cannot read, told as one error of ours."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import RevisionError

HISTORY = "fetch it: CI checks out one commit alone, unless told otherwise (actions/checkout: `fetch-depth: 0`)"


@contextmanager
def understood(name: str, *, hint: str = HISTORY) -> Iterator[None]:
    """Turn what dulwich raises over what it cannot read into a RevisionError that names what was being read."""
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
        raise RevisionError(f"{name} cannot be read: {str(error) or type(error).__name__}", hint=hint) from error
