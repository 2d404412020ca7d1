"""The environments as a table: status, interpreter, packages, generation and path of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.canonical_json import Json, to_json
from reconciler.json_output import json_array
from reconciler.observe.disk_usage import DiskUsage
from reconciler.plan.model import Action, EnvironmentPlan, Plan
from reconciler.render.drift_status import DriftStatus, drift_status
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, table_text
from reconciler.render.phrases import size_text
from reconciler.render.style import Palette, Style
from reconciler.state.hold import Hold


class EnvironmentState(StrEnum):
    """An environment's state as the table names it."""

    OK = "ok"
    DRIFT = "drift"
    PENDING = "pending"
    BOTH = "drift+pending"
    MISSING = "missing"  # not created yet, or deleted manually
    BLOCKED = "blocked"
    HELD = "held"  # until `envsync release`, whatever else differs


_SIZES = ("OWN", "SHARED", "RECLAIMABLE")
_STATES = {
    DriftStatus.OK: EnvironmentState.OK,
    DriftStatus.DRIFT: EnvironmentState.DRIFT,
    DriftStatus.PENDING: EnvironmentState.PENDING,
    DriftStatus.BOTH: EnvironmentState.BOTH,
    DriftStatus.BLOCKED: EnvironmentState.BLOCKED,
    DriftStatus.HELD: EnvironmentState.HELD,
}
_STYLES = {
    EnvironmentState.OK: Style.GOOD,
    EnvironmentState.DRIFT: Style.CHANGED,
    EnvironmentState.PENDING: Style.NOTED,
    EnvironmentState.BOTH: Style.REPLACED,
    EnvironmentState.MISSING: Style.BAD,
    EnvironmentState.BLOCKED: Style.REFUSED,
    EnvironmentState.HELD: Style.NOTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One environment; `packages` counts the installed ones, None if no virtual environment is installed.

    `generation` is 0 if none is published; `python` is the installed interpreter's version, or empty. `size` is None if
    it could not be measured. `hold` is why applies leave it alone (None: they do not).
    """

    name: str
    state: EnvironmentState
    python: str
    packages: int | None
    generation: int
    path: str
    size: DiskUsage | None = None
    hold: Hold | None = None


def status_rows(plan: Plan, installed: Mapping[str, int], shown_root: str) -> list[StatusRow]:
    """Return a row for every environment of a plan; paths are below `shown_root`.

    `installed` is the number of packages in each environment that exists.
    """
    return [_row(each, installed.get(each.name), f"{shown_root}/{each.name}") for each in plan.environments]


def render_status(rows: Sequence[StatusRow], *, palette: Palette, width: int, sizes: bool = False) -> str:
    """Return the rows as a table that ends with a line end; columns that have no room are left out, from the right.

    With `sizes`, the columns before the path say what each environment occupies.
    """
    if not rows:
        return "The manifest declares no environments.\n"
    titles = ("NAME", "STATE", "PYTHON", "PACKAGES", "GENERATION", *(_SIZES if sizes else ()), "PATH")
    columns = [_columns(each, sizes=sizes) for each in rows]
    return table_text(titles, columns, palette=palette, width=width, drop_columns=True)


def status_json(rows: Sequence[StatusRow], *, sizes: bool = False) -> str:
    """Return the rows as a JSON array of objects that ends with a line end; they have `size` only with `sizes`."""
    return json_array(_object(each, sizes=sizes) for each in rows)


def _object(row: StatusRow, *, sizes: bool) -> dict[str, Json]:
    found = to_json(row)
    assert isinstance(found, dict)  # noqa: S101  # a dataclass
    return {key: value for key, value in found.items() if sizes or key != "size"}


def _row(environment: EnvironmentPlan, installed: int | None, path: str) -> StatusRow:
    state = _state(environment)
    return StatusRow(
        name=environment.name,
        state=state,
        python="" if installed is None else environment.python_before,
        packages=installed,
        generation=environment.generation,
        path=path,
        hold=environment.hold,
    )


def _state(environment: EnvironmentPlan) -> EnvironmentState:
    if environment.hold and not environment.blocked:
        return EnvironmentState.HELD
    missing = environment.action is Action.CREATE and not environment.blocked
    return EnvironmentState.MISSING if missing else _STATES[drift_status(environment)]


def _columns(row: StatusRow, *, sizes: bool) -> list[Segment]:
    size = row.size
    measured = [size.own, size.shared, size.reclaimable] if size is not None else [None, None, None]
    return [
        Segment(text=sanitize(row.name), style=Style.STRONG),
        Segment(text=row.state.value, style=_STYLES[row.state]),
        Segment(text=sanitize(row.python) or "-"),
        Segment(text="-" if row.packages is None else str(row.packages)),
        Segment(text=str(row.generation) if row.generation else "-"),
        *(Segment(text="?" if each is None else size_text(each)) for each in measured if sizes),
        Segment(text=sanitize(row.path)),
    ]
