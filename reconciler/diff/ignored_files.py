"""Which files that `ignore_files` matches a rebuild carries over, and which it would lose (docs/design.md, "Apply")."""

import re
from collections.abc import Iterable

from reconciler.diff.model import Target
from reconciler.lock.model import LockedPackage
from reconciler.observe.actual import ActualEnvironment, FindingCode
from reconciler.state.applied import Applied

_OF_A_SERIES = re.compile(r"lib(?:64)?/(?:python|pypy)3\.[0-9]+t?(?:/|$)")
_MISSING = frozenset({FindingCode.FILE_MISSING, FindingCode.DIRECTORY_MISSING})
_ADDED = frozenset({FindingCode.FILE_ADDED, FindingCode.STRAY_BYTECODE, FindingCode.BYTECODE_MISMATCH})
_EDITED = frozenset({FindingCode.FILE_CHANGED, FindingCode.MODE_CHANGED})


def divide_ignored_files(
    actual: ActualEnvironment, last: Applied, desired: Iterable[LockedPackage], target: Target
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the paths that a rebuild carries over, and those that it would lose, both sorted.

    A file that was added is carried over. A file of a package that was edited is carried over while the package stays
    the same. Neither is carried over below `lib/pythonX.Y` if the series of the interpreter changes. A file that was
    deleted loses nothing. If the inventory is damaged, it is unknown which files were added, so that everything that
    `ignore_files` matches would be lost; the patterns are returned then.
    """
    interpreter = target.interpreter
    if any(each.code is FindingCode.INVENTORY_UNREADABLE for each in actual.findings):
        return (), target.environment.ignored_files
    wanted = {each.name: each for each in desired}
    same = {each.name for each in last.packages if wanted.get(each.name) == each}
    same_series = (last.interpreter.implementation, _series(last.interpreter.version)) == (
        interpreter.implementation,
        _series(interpreter.version),
    )
    carried: set[str] = set()
    lost: set[str] = set()
    for each in actual.ignored:
        if each.code in _MISSING:
            continue
        kept = each.code in _ADDED or (each.code in _EDITED and each.package in same)
        (carried if kept and (same_series or not _OF_A_SERIES.match(each.path)) else lost).add(each.path)
    return tuple(sorted(carried - lost)), tuple(sorted(lost))


def _series(version: str) -> list[str]:
    return version.split(".")[:2]
