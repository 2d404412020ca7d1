"""Versions (PEP 440). `packaging` is only imported for versions that are not in the usual form, because it is slow."""

import re

_USUAL = re.compile(
    r"(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?"
)


def is_version(text: str) -> bool:
    """Return whether `text` is a version that PEP 440 allows, normalized or not."""
    if _USUAL.fullmatch(text):
        return True
    from packaging.version import InvalidVersion, Version

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def same_version(one: str, other: str) -> bool:
    """Return whether two versions are equal: `1.0` is `1.0.0`. An invalid version is only equal to its own text."""
    return one == other or compare_versions(one, other) == 0


def compare_versions(one: str, other: str) -> int | None:
    """Return -1, 0 or 1 if `one` is below, equal to or above `other`; None if one of them is not a valid version."""
    from packaging.version import InvalidVersion, Version

    try:
        first, second = Version(one), Version(other)
    except InvalidVersion:
        return None
    return (first > second) - (first < second)
