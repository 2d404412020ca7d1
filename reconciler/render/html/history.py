"""The history of runs. Its file is not trusted: a value of an unexpected type is left out."""

from collections.abc import Mapping, Sequence

from reconciler.canonical_json import Json
from reconciler.render.html.markup import Markup, element
from reconciler.render.html.tables import row, table

_MAX_ENVIRONMENTS = 12  # of one run
_DIGEST_LENGTH = len("sha256:") + 12


def history_section(runs: Sequence[Mapping[str, Json]]) -> Markup | None:
    """Return the runs as a table in the given order, which is newest first."""
    if not runs:
        return None
    rows = [
        row(
            element("time", _text(run, "at")),
            _text(run, "by"),
            element("code", _text(run, "plan")[:_DIGEST_LENGTH]),
            _text(run, "exit_code"),
            _environments(run),
        )
        for run in runs
    ]
    return element(
        "section",
        element("h2", "History", id="history"),
        table("Runs, newest first", ("When", "Who", "Plan", "Exit code", "Environments"), rows, class_="runs"),
        aria_labelledby="history",
    )


def _environments(run: Mapping[str, Json]) -> Markup | None:
    listed = run.get("environments")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    items = [element("li", _sentence(each)) for each in found[:_MAX_ENVIRONMENTS]]
    if len(found) > _MAX_ENVIRONMENTS:
        items.append(element("li", f"and {len(found) - _MAX_ENVIRONMENTS} more"))
    return element("ul", items, class_="plain") if items else None


def _sentence(environment: Mapping[str, Json]) -> str:
    """Return what a run did to one environment: `web: update applied, generation 7 (lock-changed)`."""
    outcome = " ".join(each for key in ("action", "status") if (each := _text(environment, key)))
    sentence = ": ".join(each for each in (_text(environment, "name"), outcome) if each)
    if (generation := _text(environment, "generation")) not in {"", "0"}:
        sentence += f", generation {generation}"
    reasons = environment.get("reasons")
    if isinstance(reasons, list) and reasons:
        sentence += f" ({', '.join(str(each) for each in reasons)})"
    return sentence


def _text(entry: Mapping[str, Json], key: str) -> str:
    value = entry.get(key)
    return str(value) if isinstance(value, str | int) else ""
