"""Lines of a plan about packages: what happens, from which version to which, whose hand it was, and why."""

import re
from collections.abc import Iterable, Sequence

from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.render.escape import shown
from reconciler.render.layout import Piece, lay_out, table
from reconciler.render.style import Palette, Style

INDENT = 6
FILES_SHOWN = 3
SYMBOLS: dict[PackageAction, tuple[str, Style]] = {
    PackageAction.INSTALL: ("+", Style.GOOD),
    PackageAction.UPGRADE: ("~", Style.CHANGED),
    PackageAction.DOWNGRADE: ("~", Style.CHANGED),
    PackageAction.CHANGE: ("~", Style.CHANGED),
    PackageAction.UNKNOWN: ("~", Style.CHANGED),
    PackageAction.REMOVE: ("-", Style.BAD),
    PackageAction.REPAIR: ("!", Style.REPLACED),
}
ORIGINS: dict[Origin, Style] = {Origin.PENDING: Style.NOTED, Origin.DRIFT: Style.CHANGED, Origin.BOTH: Style.REPLACED}
_SITE_PACKAGES = re.compile(r"lib(?:64)?/(?:python|pypy)\d+\.\d+t?/site-packages/(?=.)")


def package_lines(changes: Sequence[PackageChange], *, palette: Palette, width: int, all_files: bool) -> list[str]:
    """Return one entry a package in aligned columns; `all_files` names every file of a repair."""
    heads = table([_columns(each) for each in changes]) if changes else []
    return [
        line
        for head, each in zip(heads, changes, strict=True)
        for line in lay_out(
            head, [Piece(text=package_sentence(each, all_files=all_files))], palette=palette, width=width, indent=INDENT
        )
    ]


def named_files(paths: Iterable[str], *, all_files: bool = False) -> str:
    """Return paths relative to an environment as people know them, the first three, and how many more there are."""
    names = [shown(_SITE_PACKAGES.sub("", each, count=1)) for each in paths]
    kept = names if all_files or len(names) == FILES_SHOWN + 1 else names[:FILES_SHOWN]
    more = [f"and {len(names) - len(kept)} more"] if len(names) > len(kept) else []
    return ", ".join([*kept, *more])


def _columns(change: PackageChange) -> list[Piece]:
    symbol, style = SYMBOLS[change.action]
    return [
        Piece(text=symbol, style=style, gap=1),
        Piece(text=shown(change.name)),
        Piece(text=changed_versions(change)),
        Piece(text=change.origin.value, style=ORIGINS[change.origin]),
    ]


def changed_versions(change: PackageChange) -> str:
    """Return a package's version before and after, fit to be shown; one alone where there is one."""
    before, after = (shown(each) if each else "unknown" for each in (change.before, change.after))
    match change.action:
        case PackageAction.INSTALL:
            return after
        case PackageAction.REMOVE:
            return before
        case PackageAction.REPAIR if change.before == change.after:
            return before
        case PackageAction.CHANGE if change.before == change.after:
            return before
        case _:
            return f"{before} -> {after}"


def package_sentence(change: PackageChange, *, all_files: bool = False) -> str:
    """Return why a package changes and which files are behind it, the first of them, fit to be shown."""
    sentence = package_reason(change)
    return f"{sentence}: {named_files(change.files, all_files=all_files)}" if change.files else sentence


def package_reason(change: PackageChange) -> str:
    """Return why a package changes, fit to be shown."""
    sentence = shown(change.message)
    if change.action is PackageAction.DOWNGRADE:
        sentence += "; a downgrade"
    if change.action is PackageAction.CHANGE and change.reason is not ReasonCode.SOURCE_CHANGED:
        sentence += "; other source"
    return sentence
