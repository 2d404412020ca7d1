"""A plan as a person reads it, for `plan` and `apply` (what will be done) and for `check` (how it stands)."""

from collections import Counter

from reconciler.plan.model import Plan
from reconciler.render.drift_status import Standing, standing
from reconciler.render.environment_text import environment_lines, hint_lines
from reconciler.render.escape import shown
from reconciler.render.layout import Piece, cells, lay_out
from reconciler.render.style import Palette, Style

_WIDEST_NAME = 30
_NOTHING = {"": "No drift.", "drift": "No drift.", "pending": "No pending changes."}
_ORDER = ("create", "update", "replace", "delete", "adopt")


def render_plan(
    plan: Plan, *, palette: Palette, width: int, verbose: int = 0, shown_root: str, manifest: str = "the manifest"
) -> str:
    """Return a plan as text that ends with a line end; `manifest` is what to call the file that it was made from.

    What does not change is left out unless `verbose`. Lines are at most `width` columns, but for single long words.
    """
    summary = plan_summary(plan, manifest)
    return _text("plan", plan, summary, palette=palette, width=width, verbose=verbose, shown_root=shown_root)


def render_check(
    plan: Plan, *, palette: Palette, width: int, verbose: int = 0, shown_root: str, manifest: str = "the manifest"
) -> str:
    """Return the same plan as `check` tells it: how many environments drifted, and how many have pending changes."""
    summary = check_summary(plan, manifest)
    return _text("check", plan, summary, palette=palette, width=width, verbose=verbose, shown_root=shown_root)


def _text(
    command: str, plan: Plan, summary: str, *, palette: Palette, width: int, verbose: int, shown_root: str
) -> str:
    listed = plan.environments if verbose else plan.changes
    name_width = min(max((cells(shown(each.name)) for each in listed), default=0), _WIDEST_NAME)
    lines = []
    if listed:
        header = f"{shown(plan.project)}, {_environments(len(plan.environments))} in {shown(shown_root)}"
        header += f", against {shown(plan.against)}" if plan.against else ""
        label = Piece(text=f"envsync {command}:", style=Style.STRONG)
        lines += [*lay_out([], [label, Piece(text=header)], palette=palette, width=width), ""]
    for each in listed:
        lines += environment_lines(each, name_width=name_width, palette=palette, width=width, verbose=verbose)
    if listed:
        lines.append("")
    lines += lay_out([], [Piece(text=summary, style=Style.STRONG)], palette=palette, width=width)
    for each in plan.environments:
        if each not in listed:
            lines += [line for hint in each.hints for line in hint_lines(hint, palette=palette, width=width)]
    return "".join(f"{line}\n" for line in lines)


def plan_summary(plan: Plan, manifest: str) -> str:
    """Return the closing line of a plan: `Plan: 1 to create, 2 unchanged.`"""
    if not plan.has_difference:
        return f"No changes. {_all_well(plan, manifest)}"
    counts = plan.summary
    parts = [f"{getattr(counts, kind)} to {kind}" for kind in _ORDER if getattr(counts, kind)]
    parts += [f"{counts.blocked} blocked"] if counts.blocked else []
    parts += [f"{counts.unchanged} unchanged"] if counts.unchanged else []
    return f"Plan: {', '.join(parts)}."


def check_summary(plan: Plan, manifest: str) -> str:
    """Return the closing line of a check: how many environments stand how, each counted once."""
    if not plan.has_difference:
        return f"{_NOTHING[plan.only]} {_all_well(plan, manifest)}"
    counts = Counter(standing(each) for each in plan.environments)
    drift, pending, both, blocked, fine = (
        counts[each] for each in (Standing.DRIFT, Standing.PENDING, Standing.BOTH, Standing.BLOCKED, Standing.OK)
    )
    parts = [
        (drift, "drifted"),
        (pending, "has pending changes" if pending == 1 else "have pending changes"),
        (both, "drifted and has pending changes" if both == 1 else "drifted and have pending changes"),
        (blocked, "is blocked" if blocked == 1 else "are blocked"),
        (fine, "is as it should be" if fine == 1 else "are as they should be"),
    ]
    (number, first), *rest = [part for part in parts if part[0]]  # the noun goes with the first
    told = ", ".join([f"{_environments(number)} {first}", *(f"{count} {words}" for count, words in rest)])
    return f"Check: {told}."


def _all_well(plan: Plan, manifest: str) -> str:
    number = len(plan.environments)
    if not number:
        return "There are no environments."
    if plan.only:
        return f"{_environments(number)} {'was' if number == 1 else 'were'} looked at."
    says = f"in {shown(plan.against)}" if plan.against else f"{shown(manifest)} says"
    return f"{_environments(number)} {'is' if number == 1 else 'are'} as {says}."


def _environments(number: int) -> str:
    return f"{number} environment{'' if number == 1 else 's'}"
