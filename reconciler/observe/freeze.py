"""Prints an observed environment as `pip freeze` does, line for line (pip 26.3, `operations/freeze.py`).

One thing differs on purpose: if pip prints the credentials of a URL, this prints `****` (pip #11410).
"""

import re
from collections.abc import Collection

from packaging.version import InvalidVersion, Version

from reconciler.observe.actual import ActualEnvironment, Distribution, OriginKind
from reconciler.observe.editable import editable_lines
from reconciler.observe.metadata import normalized

_NEVER = frozenset({"python", "wsgiref", "argparse"})  # pip regards these as parts of the standard library
_DEVELOPMENT = frozenset({"pip"})
_DEVELOPMENT_BEFORE_312 = frozenset({"pip", "setuptools", "distribute", "wheel"})


def freeze_lines(
    environment: ActualEnvironment,
    *,
    all: bool,  # noqa: A002  # pip's own word
    exclude: Collection[str],
    exclude_editable: bool,
) -> list[str]:
    """Return the lines of `pip --python ENV freeze`, with its options, for an observed environment.

    `all` keeps pip itself and, before Python 3.12, setuptools, distribute and wheel. The commits and remotes of
    editable installs are read now, from the files of their repositories. With system site packages, it is
    `pip freeze --local`.
    """
    minor = _minor(environment.python)
    development = _DEVELOPMENT if minor >= 12 else _DEVELOPMENT_BEFORE_312  # Python 3.12
    left_out = {*_NEVER, *(() if all else development), *(normalized(name) for name in exclude)}
    lines: list[str] = []
    for each in sorted(environment.distributions, key=lambda found: found.name.lower()):
        editable = each.origin.kind is OriginKind.EDITABLE
        if each.key not in left_out and not (editable and exclude_editable):
            shown = _name_and_version(each, legacy=minor < 11)  # pip uses pkg_resources before Python 3.11
            lines += editable_lines(each.location, each.name, shown) if editable else _lines(each, shown)
    return lines


def _lines(distribution: Distribution, shown: str) -> list[str]:
    origin = distribution.origin
    match origin.kind:
        case OriginKind.INDEX | OriginKind.EDITABLE:
            return [shown.rstrip()]
        case OriginKind.VCS:
            url, fragments = f"{origin.vcs}+{origin.url}@{origin.commit}", []
        case OriginKind.ARCHIVE:
            url, fragments = origin.url, [origin.hash]
        case OriginKind.DIRECTORY:
            url, fragments = origin.url, []
    fragments = [each for each in (*fragments, origin.subdirectory and f"subdirectory={origin.subdirectory}") if each]
    return [f"{distribution.name} @ {url}{'#' if fragments else ''}{'&'.join(fragments)}".rstrip()]


def _name_and_version(distribution: Distribution, *, legacy: bool) -> str:
    """Return `name==version`; if the version is invalid, `===` and its text."""
    named = distribution.named_version.partition("-")[0] if legacy else distribution.named_version
    text = named or distribution.version
    try:
        return f"{distribution.name}=={Version(text)}"
    except InvalidVersion:
        raw = re.sub(r"[^A-Za-z0-9.]+", "-", text.replace(" ", ".")) if legacy else distribution.version
        return f"{distribution.name}==={raw}" if raw else distribution.name


def _minor(version: str) -> int:
    parts = version.split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
