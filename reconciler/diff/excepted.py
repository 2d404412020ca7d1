"""Differences that are excepted for one run: `check --except ENVIRONMENT:PATTERN`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.diff.model import PackageChange
from reconciler.observe.actual import Finding
from reconciler.observe.ignore_globs import ignore_matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """The differences that no pattern excepts; `excepted` has the packages and paths that each pattern excepts."""

    packages: tuple[PackageChange, ...]
    findings: tuple[Finding, ...]
    excepted: tuple[tuple[str, tuple[str, ...]], ...]


def except_differences(
    packages: Iterable[PackageChange], findings: Iterable[Finding], patterns: Sequence[str]
) -> Remaining:
    """Return the differences without those that a pattern matches: a package's name, or the path of a file.

    Findings about files of a matched package are excepted too.
    """
    changes, found = list(packages), list(findings)
    excepted = []
    for pattern in patterns:
        name = _name_matcher(pattern)
        path = ignore_matcher([pattern])
        matched = {each.name for each in changes if name(each.name)}
        matched |= {each.package for each in found if each.package and name(each.package)}
        paths = {each.path for each in found if each.package not in matched and each.path and path(each.path)}
        changes = [each for each in changes if each.name not in matched]
        found = [each for each in found if each.package not in matched and each.path not in paths]
        excepted.append((pattern, (*sorted(matched), *sorted(paths))))
    return Remaining(packages=tuple(changes), findings=tuple(found), excepted=tuple(excepted))


def _name_matcher(pattern: str) -> Callable[[str], bool]:
    normalized = pattern.lower().replace("_", "-").replace(".", "-")
    return lambda name: fnmatchcase(name, normalized)
