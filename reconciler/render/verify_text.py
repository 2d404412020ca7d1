"""What `verify` prints: whether each published generation matches its seal."""

from collections.abc import Sequence

from reconciler.canonical_json import Json, to_json
from reconciler.diff.integrity import Integrity
from reconciler.json_output import json_array
from reconciler.render.escape import sanitize
from reconciler.render.finding_text import finding_lines
from reconciler.render.layout import Segment, align_columns, entry_lines
from reconciler.render.package_text import package_lines
from reconciler.render.style import Palette, Style


def render_verification(verified: Sequence[Integrity], *, palette: Palette, width: int) -> str:
    """Return a line for each environment, with its changes below it, and a summary line."""
    lines: list[str] = []
    rows = align_columns([_columns(each) for each in verified]) if verified else []
    for columns, each in zip(rows, verified, strict=True):
        lines += entry_lines(columns, [Segment(text=_state(each))], palette=palette, width=width, indent=2)
        lines += package_lines(each.packages, palette=palette, width=width, all_files=False)
        findings = [finding for finding in each.findings if not finding.package]
        lines += finding_lines(findings, palette=palette, width=width, full=False)
    return "".join(f"{line}\n" for line in [*lines, *([""] if lines else []), _summary(verified)])


def verification_json(verified: Sequence[Integrity]) -> str:
    """Return the verified environments as a JSON array; `there` says whether the virtual environment exists."""
    return json_array([_document(each) for each in verified])


def _state(verified: Integrity) -> str:
    if verified.intact:
        return "matches its seal"
    if verified.problem:
        return sanitize(verified.problem)
    return "differs from its seal" if verified.exists else "missing"


def _summary(verified: Sequence[Integrity]) -> str:
    if not verified:
        return "No environments have been applied."
    number = len(verified)
    unreadable = sum(bool(each.problem) for each in verified)
    missing = sum(not each.exists and not each.problem for each in verified)
    changed = sum(not each.intact for each in verified) - missing - unreadable
    if not changed + missing + unreadable:
        text = "1 environment matches its seal" if number == 1 else f"{number} environments match their seals"
        return f"No problems found. {text}."
    intact = number - changed - missing - unreadable
    parts = [(changed, "changed"), (missing, "missing"), (unreadable, "unreadable"), (intact, "unchanged")]
    return f"Verify: {', '.join(f'{amount} {word}' for amount, word in parts if amount)}."


def _columns(verified: Integrity) -> list[Segment]:
    mark, style = ("=", Style.GOOD) if verified.intact else ("!", Style.REPLACED)
    return [
        Segment(text=mark, style=style, gap=1),
        Segment(text=sanitize(verified.name), style=Style.STRONG),
        Segment(text=f"generation {verified.generation}"),
    ]


def _document(verified: Integrity) -> dict[str, Json]:
    return {
        "intact": verified.intact,
        "name": verified.name,
        "generation": verified.generation,
        "there": verified.exists,
        "packages": to_json(verified.packages),
        "findings": to_json(verified.findings),
        "problem": verified.problem,
    }
