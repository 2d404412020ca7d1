"""Lines of a plan about findings that no package's line tells."""

from collections.abc import Collection, Iterable

from reconciler.diff.findings import PHRASES, Concern, concern, count_files
from reconciler.observe.actual import Finding
from reconciler.render.escape import shown
from reconciler.render.layout import Piece, lay_out
from reconciler.render.package_text import INDENT, named_files
from reconciler.render.style import Palette, Style


def finding_lines(
    findings: Iterable[Finding], *, said: Collection[str], palette: Palette, width: int, whole: bool
) -> list[str]:
    """Return one entry for each kind of finding, or for each single one if `whole`; nothing for what is `said`."""
    symbol = Piece(text="!", style=Style.REPLACED, gap=1)
    return [
        line
        for sentence in finding_sentences(findings, said=said, whole=whole)
        for line in lay_out([symbol], [Piece(text=sentence)], palette=palette, width=width, indent=INDENT)
    ]


def finding_sentences(findings: Iterable[Finding], *, said: Collection[str], whole: bool = False) -> list[str]:
    """Return what `finding_lines` tells, fit to be shown, without symbols and line breaks."""
    alike: dict[tuple[str, ...], list[Finding]] = {}
    for each in findings:
        package = "" if concern(each) is Concern.FILES else each.package
        alike.setdefault((each.code, package, each.path if whole else ""), []).append(each)
    sentences = dict.fromkeys(_sentence(group) for group in alike.values())
    return [each for each in sentences if each not in said]


def _sentence(alike: list[Finding]) -> str:
    """Return what is wrong, and where: `2 files added: a.pth, b.pth`, `six: RECORD is missing (six/RECORD)`."""
    first = alike[0]
    paths = sorted({each.path for each in alike if each.path})
    details = {each.detail for each in alike if each.detail}
    detail = shown(details.pop()) if len(details) == 1 else ""
    if concern(first) is Concern.FILES:
        files = f"{count_files(alike)}: {named_files(paths)}"
        return f"{files} ({detail})" if detail and len(alike) == 1 else files
    phrase = PHRASES[concern(first)][first.code]
    where = "" if all(path in phrase.split() for path in paths) else named_files(paths)
    owner = f"{shown(first.package)}: " if first.package else ""
    more = "; ".join(each for each in (where, detail) if each)
    return f"{owner}{phrase}" + (f" ({more})" if more else "")
