"""A plan as text: what will be done (`plan`, `apply`), or how the environments differ (`check`)."""

from reconciler.plan.model import Plan
from reconciler.render.environment_text import environment_lines, hint_lines, note_lines
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, entry_lines
from reconciler.render.phrases import count
from reconciler.render.style import Palette, Style
from reconciler.render.summary import check_summary, plan_summary
from reconciler.render.text_width import cell_width

_MAX_NAME_WIDTH = 30  # columns


def render_plan(
    plan: Plan, *, palette: Palette, width: int, verbose: int = 0, shown_root: str, manifest: str = "the manifest"
) -> str:
    """Return a plan as text that ends with a line end; `manifest` is the file's name.

    Unchanged environments are left out unless `verbose`. No line is wider than `width` unless a single word is.
    """
    summary = plan_summary(plan, manifest)
    return _text("plan", plan, summary, palette=palette, width=width, verbose=verbose, shown_root=shown_root)


def render_check(
    plan: Plan, *, palette: Palette, width: int, verbose: int = 0, shown_root: str, manifest: str = "the manifest"
) -> str:
    """Return the same plan with the summary of `check`, which counts drift and pending changes."""
    summary = check_summary(plan, manifest)
    return _text("check", plan, summary, palette=palette, width=width, verbose=verbose, shown_root=shown_root)


def _text(
    command: str, plan: Plan, summary: str, *, palette: Palette, width: int, verbose: int, shown_root: str
) -> str:
    listed = plan.environments if verbose else plan.changes
    name_width = min(max((cell_width(sanitize(each.name)) for each in listed), default=0), _MAX_NAME_WIDTH)
    lines = []
    if listed:
        header = f"{sanitize(plan.project)}, {count(len(plan.environments), 'environment')} in {sanitize(shown_root)}"
        header += f", against {sanitize(plan.against)}" if plan.against else ""
        label = Segment(text=f"envsync {command}:", style=Style.STRONG)
        lines += [*entry_lines([], [label, Segment(text=header)], palette=palette, width=width), ""]
    for each in listed:
        lines += environment_lines(each, name_width=name_width, palette=palette, width=width, verbose=verbose)
    if listed:
        lines.append("")
    lines += entry_lines([], [Segment(text=summary, style=Style.STRONG)], palette=palette, width=width)
    for each in plan.environments:
        if each not in listed:
            for note in each.notes:
                lines += note_lines(f"{each.name}: {note}", palette=palette, width=width)
            lines += [line for hint in each.hints for line in hint_lines(hint, palette=palette, width=width)]
    return "".join(f"{line}\n" for line in lines)
