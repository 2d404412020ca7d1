"""What `diff` prints: how two generations of one environment differ."""

from collections import Counter
from collections.abc import Iterable

from reconciler.canonical_json import Json, to_json
from reconciler.diff.generations import FileChange, FileDifference, GenerationDiff, GenerationSide, PackageDifference
from reconciler.diff.source_change import hosts_sentence
from reconciler.json_output import json_text, safe_json
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, align_columns, entry_lines
from reconciler.render.local_time import local_time
from reconciler.render.package_text import PACKAGE_SYMBOLS
from reconciler.render.phrases import count, size_text
from reconciler.render.setting_text import setting_lines
from reconciler.render.style import Palette, Style

_INDENT = 2
_SIGNS = {
    FileChange.ADDED: ("+", Style.GOOD),
    FileChange.REMOVED: ("-", Style.BAD),
    FileChange.CHANGED: ("~", Style.CHANGED),
}


def render_generation_diff(found: GenerationDiff, *, palette: Palette, width: int, verbose: int) -> str:
    """Return the differences as text that ends with a line end; `verbose` lists every file and whole values."""
    title = Segment(text=f"{sanitize(found.name)}:", style=Style.STRONG)
    sides = f"generation {_side(found.before)} -> {_side(found.after)}"
    lines = entry_lines([], [title, Segment(text=sides)], palette=palette, width=width)
    if not found.differs:
        return "".join(f"{line}\n" for line in [*lines, "No differences."])
    lines += [*_python(found, palette=palette, width=width), *_packages(found, palette=palette, width=width)]
    lines += _startup(found, palette=palette, width=width)
    lines += setting_lines(found.settings, palette=palette, width=width, full=verbose > 0)
    if verbose:
        for each in found.files:
            sign, style = _SIGNS[each.change]
            columns = [Segment(text=sign, style=style, gap=1)]
            text = [Segment(text=sanitize(each.path))]
            lines += entry_lines(columns, text, palette=palette, width=width, indent=_INDENT)
    lines.append("")
    lines += entry_lines([], [Segment(text=_summary(found), style=Style.STRONG)], palette=palette, width=width)
    return "".join(f"{line}\n" for line in lines)


def generation_diff_json(found: GenerationDiff) -> str:
    """Return the differences as a JSON object that ends with a line end; sizes are in bytes, times in UTC."""
    document = to_json(found)
    assert isinstance(document, dict)  # noqa: S101  # a dataclass
    whole: dict[str, Json] = {**document, "difference": found.differs}
    return json_text(safe_json(whole), indent=2)


def _side(side: GenerationSide) -> str:
    return f"{side.generation} ({sanitize(local_time(side.created))})"


def _python(found: GenerationDiff, *, palette: Palette, width: int) -> list[str]:
    old, new = found.before.interpreter, found.after.interpreter
    if old == new:
        return []
    versions = [f"{each.implementation} {each.version}" for each in (old, new)]
    if versions[0] == versions[1]:
        versions = [old.path, new.path]
    columns = [Segment(text="~", style=Style.CHANGED, gap=1), Segment(text="python")]
    text = [Segment(text=sanitize(" -> ".join(versions)))]
    return entry_lines(columns, text, palette=palette, width=width, indent=_INDENT)


def _packages(found: GenerationDiff, *, palette: Palette, width: int) -> list[str]:
    """Return a line for each package that differs or has files that differ, and one for the other files."""
    files: dict[str, list[FileDifference]] = {}
    for each in found.files:
        files.setdefault(each.package, []).append(each)
    changed = {each.name: each for each in found.packages}
    names = sorted(changed.keys() | (files.keys() - {""}))
    rows = [_package(name, changed.get(name)) for name in names]
    rows += [[Segment(text="~", style=Style.CHANGED, gap=1), Segment(text="other files"), Segment(text="")]] * (
        "" in files
    )
    texts = [_hosts(changed.get(name)) + _counts(files.get(name, ())) for name in (*names, "")]
    lines = []
    for columns, text in zip(align_columns(rows) if rows else [], texts, strict=False):
        lines += entry_lines(columns, [Segment(text=text)], palette=palette, width=width, indent=_INDENT)
    return lines


def _startup(found: GenerationDiff, *, palette: Palette, width: int) -> list[str]:
    """Return a line for each file that Python runs at every start; they are always listed."""
    lines = []
    for each in found.startup:
        columns = [Segment(text="!", style=Style.REPLACED, gap=1)]
        package = f" ({sanitize(each.package)})" if each.package else ""
        text = f"startup file {each.change.value}: {sanitize(each.path)}{package}"
        lines += entry_lines(columns, [Segment(text=text)], palette=palette, width=width, indent=_INDENT)
    return lines


def _package(name: str, change: PackageDifference | None) -> list[Segment]:
    sign, style = PACKAGE_SYMBOLS[change.action] if change else ("~", Style.CHANGED)
    versions = [sanitize(each) for each in (change.before, change.after) if each] if change else []
    same = len(versions) > 1 and versions[0] == versions[1]
    text = f"{versions[0]} from a different source" if same else " -> ".join(versions)
    return [Segment(text=sign, style=style, gap=1), Segment(text=sanitize(name)), Segment(text=text)]


def _hosts(change: PackageDifference | None) -> str:
    """Return the hosts of a package whose host changed, before its files; empty for any other."""
    hosts = sanitize(hosts_sentence(change.source)).strip() if change else ""
    return f"{hosts}; " if hosts else ""


def _counts(files: Iterable[FileDifference]) -> str:
    """Return how many files differ: `2 files changed, 1 added`."""
    counts = Counter(each.change for each in files)
    parts = [f"{counts[each]} {each.value}" for each in reversed(FileChange) if counts[each]]
    if not parts:
        return "no file differs"
    number, _, word = parts[0].partition(" ")
    return ", ".join([f"{count(int(number), 'file')} {word}", *parts[1:]])


def _summary(found: GenerationDiff) -> str:
    packages = count(len(found.packages), "package") if found.packages else "no package"
    settings = f", {count(len(found.settings), 'setting')}" if found.settings else ""
    sizes = f"{size_text(found.before.size)} -> {size_text(found.after.size)}"
    return f"Diff: {packages}{settings}, {count(len(found.files), 'file')}. Size of all files: {sizes}."
