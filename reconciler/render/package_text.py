"""Package changes of a plan as text: what happens, between which versions, whether it is drift or pending, and why."""

import re
from collections.abc import Iterable, Sequence

from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.diff.source_change import in_words
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, align_columns, entry_lines
from reconciler.render.style import Palette, Style

INDENT = 6  # columns
PACKAGE_SYMBOLS: dict[PackageAction, tuple[str, Style]] = {
    PackageAction.INSTALL: ("+", Style.GOOD),
    PackageAction.UPGRADE: ("~", Style.CHANGED),
    PackageAction.DOWNGRADE: ("~", Style.CHANGED),
    PackageAction.CHANGE: ("~", Style.CHANGED),
    PackageAction.UNKNOWN: ("~", Style.CHANGED),
    PackageAction.REMOVE: ("-", Style.BAD),
    PackageAction.REPAIR: ("!", Style.REPLACED),
}
ORIGIN_TAGS: dict[Origin, str] = {
    Origin.PENDING: "pending",
    Origin.DRIFT: "drift",
    Origin.BOTH: "drift+pending",
}
_ORIGIN_STYLES: dict[Origin, Style] = {
    Origin.PENDING: Style.NOTED,
    Origin.DRIFT: Style.CHANGED,
    Origin.BOTH: Style.REPLACED,
}
_MAX_FILES = 3
_SITE_PACKAGES = re.compile(r"lib(?:64)?/(?:python|pypy)\d+\.\d+t?/site-packages/(?=.)")


def package_lines(changes: Sequence[PackageChange], *, palette: Palette, width: int, all_files: bool) -> list[str]:
    """Return one entry a package in aligned columns; `all_files` names every file of a repair."""
    rows = align_columns([_columns(each) for each in changes]) if changes else []
    return [
        line
        for columns, each in zip(rows, changes, strict=True)
        for line in entry_lines(
            columns,
            [Segment(text=package_sentence(each, all_files=all_files))],
            palette=palette,
            width=width,
            indent=INDENT,
        )
    ]


def file_list(paths: Iterable[str], *, all_files: bool = False) -> str:
    """Return the first three paths, sanitized and relative to site-packages if inside it, and how many more there are.

    Four are listed in full, because `and 1 more` would not be shorter.
    """
    names = [sanitize(_SITE_PACKAGES.sub("", each, count=1)) for each in paths]
    kept = names if all_files or len(names) == _MAX_FILES + 1 else names[:_MAX_FILES]
    more = [f"and {len(names) - len(kept)} more"] if len(names) > len(kept) else []
    return ", ".join([*kept, *more])


def _columns(change: PackageChange) -> list[Segment]:
    symbol, style = PACKAGE_SYMBOLS[change.action]
    return [
        Segment(text=symbol, style=style, gap=1),
        Segment(text=sanitize(change.name)),
        Segment(text=version_change(change)),
        Segment(text=ORIGIN_TAGS[change.origin], style=_ORIGIN_STYLES[change.origin]),
    ]


def version_change(change: PackageChange) -> str:
    """Return a package's versions, sanitized: `3.9 -> 3.10`, or only one if there is only one."""
    before, after = (sanitize(each) if each else "unknown" for each in (change.before, change.after))
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
    """Return why a package changes, sanitized, with the first of its files or all of them."""
    files = f": {file_list(change.files, all_files=all_files)}" if change.files else ""
    return f"{package_reason(change)}{files}"


def package_reason(change: PackageChange) -> str:
    """Return why a package changes, sanitized and without its files: `downgrade; lock changed`."""
    return f"{_remark(change)}{sanitize(change.message)}"


def _remark(change: PackageChange) -> str:
    if change.source is not None and change.source.review:
        return f"review it: same version, different {in_words(change.source.review)}; "
    if change.action is PackageAction.DOWNGRADE:
        return "downgrade; "
    if change.action is PackageAction.CHANGE and change.reason is not ReasonCode.SOURCE_CHANGED:
        return "same version, different files; "
    return ""
