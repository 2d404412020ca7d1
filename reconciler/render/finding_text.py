"""Findings of a plan as text, for those that no package's line covers."""

from collections.abc import Iterable

from reconciler.diff.findings import PATHS_IN_PHRASES, FindingCategory, category_of, count_files, phrase_of
from reconciler.observe.actual import Finding, FindingCode
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, entry_lines
from reconciler.render.package_text import INDENT, file_list
from reconciler.render.style import Palette, Style

# Their details say the same as their words.
_SAY_EVERYTHING = frozenset({FindingCode.FILE_MISSING, FindingCode.DIRECTORY_MISSING})


def finding_lines(findings: Iterable[Finding], *, palette: Palette, width: int, full: bool) -> list[str]:
    """Return one entry for each sentence of `finding_sentences`."""
    symbol = Segment(text="!", style=Style.REPLACED, gap=1)
    return [
        line
        for sentence in finding_sentences(findings, full=full)
        for line in entry_lines([symbol], [Segment(text=sentence)], palette=palette, width=width, indent=INDENT)
    ]


def finding_sentences(findings: Iterable[Finding], *, full: bool = False) -> list[str]:
    """Return a sanitized sentence for each kind of finding, or for each finding if `full`."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for each in findings:
        package = "" if category_of(each) is FindingCategory.FILES else each.package
        groups.setdefault((each.code, package, each.path if full else ""), []).append(each)
    return list(dict.fromkeys(_sentence(group) for group in groups.values()))


def phrase_names_path(finding: Finding) -> bool:
    """Return whether the words of a finding's code name its path already, or it has none."""
    return finding.path in {"", PATHS_IN_PHRASES.get(finding.code)}


def _sentence(group: list[Finding]) -> str:
    """Return what is wrong, and where: `2 files added: a.pth, b.pth`, `six: RECORD is missing (six/RECORD)`."""
    first = group[0]
    paths = sorted({each.path for each in group if each.path})
    details = {each.detail for each in group if each.detail}
    detail = sanitize(details.pop()) if len(details) == 1 else ""
    if category_of(first) is FindingCategory.FILES:
        files = f"{count_files(group)}: {file_list(paths)}"
        remarkable = detail and len(group) == 1 and first.code not in _SAY_EVERYTHING
        return f"{files} ({detail})" if remarkable else files
    phrase = phrase_of(first)
    where = "" if all(phrase_names_path(each) for each in group) else file_list(paths)
    package = f"{sanitize(first.package)}: " if first.package else ""
    remark = "; ".join(each for each in (where, detail) if each)
    return f"{package}{phrase}" + (f" ({remark})" if remark else "")
