"""The error of an invalid manifest: at most 500 problems, because each one takes time to locate and to explain."""

from collections.abc import Sequence

from reconciler.errors import ManifestError, Problem

MOST_PROBLEMS = 500


def manifest_error(problems: Sequence[Problem], file: str) -> ManifestError:
    """Return the error with the first 500 of `problems`, and one more that says so if there are more."""
    if len(problems) <= MOST_PROBLEMS:
        return ManifestError(tuple(problems))
    more = Problem(message=f"more than {MOST_PROBLEMS} problems", path=file, hint=None)
    return ManifestError((*problems[:MOST_PROBLEMS], more), incomplete=True)
