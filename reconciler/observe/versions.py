"""Versions (PEP 440) without the cost of `packaging` where they are in the usual form."""

import re

_USUAL = re.compile(
    r"(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?"
)


def is_version(text: str) -> bool:
    """Return whether `text` is a version that PEP 440 knows, normalized or not."""
    if _USUAL.fullmatch(text):
        return True
    from packaging.version import InvalidVersion, Version  # costs more than all the rest, and is rarely needed

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def same_version(one: str, other: str) -> bool:
    """Return whether two versions are the same one; an invalid one only equals its own text."""
    if one == other:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False
