"""The history of runs. What is in the log is anybody's to edit: each value is taken for what it is, or left out."""

from collections.abc import Mapping, Sequence

from reconciler.canonical_json import Json
from reconciler.render.html.markup import Markup, element
from reconciler.render.html.tables import row, table

_NAMED = 12  # environments of one run; a run may be of a thousand
_DIGEST = len("sha256:") + 12


def runs_section(runs: Sequence[Mapping[str, Json]]) -> Markup | None:
    """Return the runs as a table, in the order given: the newest first."""
    if not runs:
        return None
    rows = [
        row(
            element("time", _text(run, "at")),
            _text(run, "by"),
            element("code", _text(run, "plan")[:_DIGEST]),
            _text(run, "exit_code"),
            _environments(run),
        )
        for run in runs
    ]
    return element(
        "section",
        element("h2", "History", id="history"),
        table("Runs, the newest first", ("When", "Who", "Plan", "Exit", "Environments"), rows, class_="runs"),
        aria_labelledby="history",
    )


def _environments(run: Mapping[str, Json]) -> Markup | None:
    listed = run.get("environments")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    said = [element("li", _sentence(each)) for each in found[:_NAMED]]
    if len(found) > _NAMED:
        said.append(element("li", f"and {len(found) - _NAMED} more"))
    return element("ul", said, class_="plain") if said else None


def _sentence(environment: Mapping[str, Json]) -> str:
    words = [_text(environment, key) for key in ("name", "action", "status")]
    generation = _text(environment, "generation")
    reasons = environment.get("reasons")
    why = ", ".join(str(each) for each in reasons) if isinstance(reasons, list) else ""
    said = " ".join(each for each in words if each)
    return said + (f", generation {generation}" if generation not in {"", "0"} else "") + (f" ({why})" if why else "")


def _text(entry: Mapping[str, Json], key: str) -> str:
    value = entry.get(key)
    return str(value) if isinstance(value, str | int) else ""
