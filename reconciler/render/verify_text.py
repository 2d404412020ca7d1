"""What `verify` prints: whether each published generation matches its seal."""

from collections.abc import Sequence

from reconciler.apply.verify_generations import VerifiedGeneration
from reconciler.canonical_json import Json, to_json
from reconciler.diff.integrity import Integrity
from reconciler.json_output import json_array
from reconciler.render.environment_text import hint_lines, note_lines
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
    lines += [*([""] if lines else []), _summary(verified)]
    unusable = [f"`{each.name}` {', '.join(map(str, each.unusable))}" for each in verified if each.unusable]
    if unusable:
        found = "; ".join(unusable)
        note = f"older generations that differ from their seals: {found}; `envsync rollback` can rebuild them"
        lines += note_lines(note, palette=palette, width=width)
        lines += hint_lines("run `envsync verify --generations` for details", palette=palette, width=width)
    return "".join(f"{line}\n" for line in lines)


def render_generations(verified: Sequence[VerifiedGeneration], *, palette: Palette, width: int) -> str:
    """Return a line for each generation, with its changes and shared edits below it, and a summary line."""
    lines: list[str] = []
    rows = align_columns([_columns(each.integrity) for each in verified]) if verified else []
    for columns, each in zip(rows, verified, strict=True):
        found = each.integrity
        marks = [word for word, holds in (("published", each.published), ("drifted", each.drifted)) if holds]
        state = " ".join([_state(found), *([f"({', '.join(marks)})"] if marks else [])])
        lines += entry_lines(columns, [Segment(text=state)], palette=palette, width=width, indent=2)
        lines += package_lines(found.packages, palette=palette, width=width, all_files=False)
        findings = [finding for finding in found.findings if not finding.package]
        lines += finding_lines(findings, palette=palette, width=width, full=False)
    for sentence in dict.fromkeys(sentence for each in verified for sentence in each.shared):
        lines += note_lines(sentence, palette=palette, width=width)
    unusable = sum(not each.integrity.intact for each in verified)
    total = f"{len(verified)} generation{'' if len(verified) == 1 else 's'}"
    summary = f"Verify: {unusable} of {total} unusable." if unusable else f"No problems found in {total}."
    return "".join(f"{line}\n" for line in [*lines, *([""] if lines else []), summary])


def generations_json(verified: Sequence[VerifiedGeneration]) -> str:
    """Return the verified generations as a JSON array."""
    return json_array(
        [
            {
                **_document(each.integrity),
                "published": each.published,
                "state": each.state.value,
                "shared_edits": list[Json](each.shared),
            }
            for each in verified
        ]
    )


def verification_json(verified: Sequence[Integrity]) -> str:
    """Return the verified environments as a JSON array; `there` says whether the virtual environment exists."""
    return json_array([{**_document(each), "unusable_generations": list[Json](each.unusable)} for each in verified])


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
        return f"{text}." if any(each.unusable for each in verified) else f"No problems found. {text}."
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
