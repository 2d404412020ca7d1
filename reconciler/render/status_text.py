"""The environments as a table: how each stands, its interpreter, packages and generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.canonical_json import to_json
from reconciler.json_output import json_text, outgoing
from reconciler.plan.model import Action, EnvironmentPlan, Plan
from reconciler.render.drift_status import Standing, standing
from reconciler.render.escape import shown
from reconciler.render.layout import Piece, cells, lay_out, table
from reconciler.render.style import Palette, Style


class State(StrEnum):
    """How an environment stands, in the word of the table."""

    OK = "ok"
    DRIFT = "drift"
    PENDING = "pending"
    BOTH = "drift+pending"
    MISSING = "missing"  # nothing is there
    BLOCKED = "blocked"


_STATES = {
    Standing.OK: State.OK,
    Standing.DRIFT: State.DRIFT,
    Standing.PENDING: State.PENDING,
    Standing.BOTH: State.BOTH,
    Standing.BLOCKED: State.BLOCKED,
}
_STYLES = {
    State.OK: Style.GOOD,
    State.DRIFT: Style.CHANGED,
    State.PENDING: Style.NOTED,
    State.BOTH: Style.REPLACED,
    State.MISSING: Style.BAD,
    State.BLOCKED: Style.REFUSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One environment; `packages` counts those it should have, None where that is unknown or nothing is there.

    `generation` is 0 where none is published, `python` a version, empty where there is none.
    """

    name: str
    state: State
    python: str
    packages: int | None
    generation: int
    path: str


def status_rows(plan: Plan, shown_root: str) -> list[StatusRow]:
    """Return a row for every environment of a plan; paths are below `shown_root`."""
    return [_row(each, f"{shown_root}/{each.name}") for each in plan.environments]


def render_status(rows: Sequence[StatusRow], *, palette: Palette, width: int) -> str:
    """Return the rows as a table that ends with a line end; columns that have no room are left out, from the right."""
    if not rows:
        return "There are no environments.\n"
    titles = ("NAME", "STATE", "PYTHON", "PACKAGES", "GENERATION", "PATH")
    lines = [[Piece(text=each, style=Style.FAINT) for each in titles], *(_pieces(each) for each in rows)]
    lines = table(lines)
    while len(lines[0]) > 2 and _width(lines) > width:
        lines = [each[:-1] for each in lines]
    return "".join(f"{line}\n" for each in lines for line in lay_out(each, [], palette=palette, width=width))


def status_json(rows: Sequence[StatusRow]) -> str:
    """Return the rows as a JSON array of objects that ends with a line end."""
    return json_text([outgoing(to_json(each)) for each in rows], indent=2)


def _row(environment: EnvironmentPlan, path: str) -> StatusRow:
    state = _state(environment)
    there = state is not State.MISSING
    known = there and environment.complete and bool(environment.desired or environment.package_count)
    return StatusRow(
        name=environment.name,
        state=state,
        python=(environment.python_before or environment.python_after) if there else "",
        packages=environment.package_count if known else None,
        generation=environment.generation,
        path=path,
    )


def _state(environment: EnvironmentPlan) -> State:
    missing = environment.action is Action.CREATE and not environment.blocked
    return State.MISSING if missing else _STATES[standing(environment)]


def _pieces(row: StatusRow) -> list[Piece]:
    return [
        Piece(text=shown(row.name), style=Style.STRONG),
        Piece(text=row.state.value, style=_STYLES[row.state]),
        Piece(text=shown(row.python) or "-"),
        Piece(text="-" if row.packages is None else str(row.packages)),
        Piece(text=str(row.generation) if row.generation else "-"),
        Piece(text=shown(row.path)),
    ]


def _width(lines: Sequence[Sequence[Piece]]) -> int:
    return max(sum(max(piece.width, cells(piece.text)) + piece.gap for piece in line) - line[-1].gap for line in lines)
