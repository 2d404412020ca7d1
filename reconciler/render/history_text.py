"""What `history` prints: the runs, or the generations that are kept."""

from collections.abc import Sequence

from reconciler.canonical_json import Json
from reconciler.maintenance import KeptGeneration
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, table_text
from reconciler.render.style import Palette, Style


def render_runs(runs: Sequence[dict[str, Json]], *, palette: Palette, width: int) -> str:
    """Return the runs as a table, in their order: a row for each environment that a run changed."""
    rows = []
    for run in runs:
        environments = run.get("environments")
        for each in environments if isinstance(environments, list) else []:
            if isinstance(each, dict):
                reasons = each.get("reasons")
                why = ", ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else ""
                values = [each.get(key) for key in ("name", "action", "status", "generation")]
                row = [
                    _time(str(run.get("at") or "-")),
                    *(str(value or "-") for value in (run.get("by"), *values)),
                    why,
                ]
                rows.append([Segment(text=sanitize(value)) for value in row])
    if not rows:
        return "No runs are recorded.\n"
    titles = ("WHEN", "WHO", "NAME", "ACTION", "STATUS", "GENERATION", "REASONS")
    return table_text(titles, rows, palette=palette, width=width)


def render_generations(kept: Sequence[KeptGeneration], *, palette: Palette, width: int) -> str:
    """Return the kept generations as a table; `*` marks the published one."""
    rows = [
        [
            Segment(text="*" if each.published else "", style=Style.GOOD),
            Segment(text=sanitize(each.name), style=Style.STRONG),
            Segment(text=str(each.number)),
            Segment(text=sanitize(_time(each.created)) or "-"),
            Segment(text=sanitize(each.python) or "-"),
            Segment(text="-" if each.problem else str(each.packages)),
            Segment(text=sanitize(each.problem) or _state(each), style=Style.BAD),
        ]
        for each in kept
    ]
    if not rows:
        return "No generations exist.\n"
    shown = 7 if any(each.problem or _state(each) for each in kept) else 6
    titles = ("", "NAME", "GENERATION", "CREATED", "PYTHON", "PACKAGES", "STATE")[:shown]
    return table_text(titles, [each[:shown] for each in rows], palette=palette, width=width)


def _state(each: KeptGeneration) -> str:
    """Return what distinguishes a generation from one that a rollback chooses, empty if nothing does."""
    return "adopted" if each.adopted else "drifted" if each.drifted else ""


def _time(text: str) -> str:
    """Return an RFC 3339 time with `Z` in place of `+00:00`, which is shorter."""
    return f"{text.removesuffix('+00:00')}Z" if text.endswith("+00:00") else text
