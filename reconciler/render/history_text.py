"""What `history` prints: the runs, or the generations that are kept."""

import datetime as dt
from collections.abc import Sequence

from reconciler.apply.verify_generations import GenerationState
from reconciler.canonical_json import Json
from reconciler.generation_list import KeptGeneration
from reconciler.render.environment_text import note_lines
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, table_text
from reconciler.render.style import Palette, Style


def render_runs(runs: Sequence[dict[str, Json]], *, palette: Palette, width: int, zone: dt.tzinfo | None = None) -> str:
    """Return the runs as a table, in their order: a row for each environment that a run changed.

    Times are in `zone`, by default that of this machine.
    """
    rows = []
    for run in runs:
        environments = run.get("environments")
        for each in environments if isinstance(environments, list) else []:
            if isinstance(each, dict):
                reasons = each.get("reasons")
                why = ", ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else ""
                values = [each.get(key) for key in ("name", "action", "status", "generation")]
                row = [
                    local_time(str(run.get("at") or "-"), zone),
                    *(str(value or "-") for value in (run.get("by"), *values)),
                    why,
                ]
                rows.append([Segment(text=sanitize(value)) for value in row])
    if not rows:
        return "No runs are recorded.\n"
    titles = ("WHEN", "WHO", "NAME", "ACTION", "STATUS", "GENERATION", "REASONS")
    return table_text(titles, rows, palette=palette, width=width)


def render_generations(
    kept: Sequence[KeptGeneration], *, palette: Palette, width: int, zone: dt.tzinfo | None = None
) -> str:
    """Return the kept generations as a table, and below it what is wrong with some; `*` marks the published one.

    Times are in `zone`, by default that of this machine. If all are of one environment, its name is left out.
    """
    if not kept:
        return "No generations exist.\n"
    several = len({each.name for each in kept}) > 1
    rows = [
        [
            Segment(text="*" if each.published else "", style=Style.GOOD),
            *([Segment(text=sanitize(each.name), style=Style.STRONG)] if several else []),
            Segment(text=str(each.number)),
            Segment(text=local_time(each.created, zone) or "-"),
            Segment(text=sanitize(each.by) or "-"),
            Segment(text=sanitize(each.python) or "-"),
            Segment(text=str(each.packages) if each.python else "-"),
            _state(each),
        ]
        for each in kept
    ]
    titles = ["", *(["NAME"] if several else []), "GENERATION", "CREATED", "WHO", "PYTHON", "PACKAGES", "STATE"]
    text = table_text(titles, rows, palette=palette, width=width)
    problems = [_problem(each) for each in kept if each.problem]
    notes = list(dict.fromkeys((*problems, *(sentence for each in kept for sentence in each.shared))))
    lines = [line for note in notes for line in note_lines(note, palette=palette, width=width)]
    return "".join([text, *(["\n"] if lines else []), *(f"{line}\n" for line in lines)])


def _problem(each: KeptGeneration) -> str:
    unread = each.adopted or each.state in {GenerationState.UNREADABLE, GenerationState.NEWER}
    return f"generation {each.number} of `{each.name}`{':' if unread else ''} {each.problem}"


def _state(each: KeptGeneration) -> Segment:
    rebuilt = f", rebuilt from {each.rebuilt_from}" if each.rebuilt_from else ""
    sound = each.state in {GenerationState.PUBLISHED, GenerationState.KEPT}
    return Segment(text=f"{each.state.value.replace('-', ' ')}{rebuilt}", style=None if sound else Style.BAD)


def local_time(text: str, zone: dt.tzinfo | None = None) -> str:
    """Return an RFC 3339 time in `zone` (by default that of this machine), with its offset from UTC.

    A text that is not a time is returned as it is, but safe to print.
    """
    try:
        return dt.datetime.fromisoformat(text).astimezone(zone).isoformat(sep=" ", timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return sanitize(text)
