"""The environments as a table: status, interpreter, packages, generation and path of each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.canonical_json import Json, to_json
from reconciler.diff.model import ReasonCode
from reconciler.json_output import json_array
from reconciler.observe.actual import StartupFile, StartupState
from reconciler.observe.disk_usage import DiskUsage
from reconciler.plan.model import Action, EnvironmentPlan, Plan
from reconciler.render.drift_status import DriftStatus, drift_status
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, entry_lines, table_text
from reconciler.render.phrases import count, size_text
from reconciler.render.style import Palette, Style
from reconciler.render.text_width import cell_width
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
    DELETED = "deleted"  # `rollback` can restore it; only listed with sizes


_MAX_NAME_WIDTH = 30  # columns
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
    EnvironmentState.DELETED: Style.FAINT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedStatus:
    """Why an environment is blocked: the first reason, and how many `more` there are, which `plan` lists."""

    code: ReasonCode
    message: str
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One environment; `packages` counts the installed ones, None if no virtual environment is installed.

    `generation` is 0 if none is published, `staged` if none is staged. `python` is the installed interpreter's version,
    or empty. `blocked` is None unless the state is `blocked`. `size` is None if it could not be measured. `hold` is why
    applies leave it alone (None: they do not). `startup` are the files by which Python runs code at every start.
    """

    name: str
    state: EnvironmentState
    python: str
    packages: int | None
    generation: int
    path: str
    blocked: BlockedStatus | None
    staged: int = 0
    size: DiskUsage | None = None
    hold: Hold | None
    startup: tuple[StartupFile, ...] = ()


def status_rows(
    plan: Plan, installed: Mapping[str, int], shown_root: str, staged: Mapping[str, int]
) -> list[StatusRow]:
    """Return a row for every environment of a plan; paths are below `shown_root`.

    `installed` is the number of packages in each environment that exists, `staged` the number of the generation that
    is staged.
    """
    rows = [_row(each, installed.get(each.name), f"{shown_root}/{each.name}") for each in plan.environments]
    return [replace(each, staged=staged.get(each.name, 0)) for each in rows]


def deleted_rows(names: Iterable[str], shown_root: str) -> list[StatusRow]:
    """Return a row for every environment that was deleted and can be restored; paths are below `shown_root`."""
    return [
        StatusRow(
            name=name,
            state=EnvironmentState.DELETED,
            python="",
            packages=None,
            generation=0,
            path=f"{shown_root}/{name}",
            blocked=None,
            hold=None,
        )
        for name in names
    ]


def render_status(rows: Sequence[StatusRow], *, palette: Palette, width: int, sizes: bool, startup: bool) -> str:
    """Return the rows as a table that ends with a line end; columns that have no room are left out, from the right.

    With `sizes`, the columns before the path say what each environment occupies. Why environments are blocked follows
    below the table, because a sentence has no room in a column. So do the startup files, with `startup`.
    """
    if not rows:
        return "The manifest declares no environments.\n"
    titles = ("NAME", "STATE", "PYTHON", "PACKAGES", "GENERATION", *(_SIZES if sizes else ()), "PATH")
    columns = [_columns(each, sizes=sizes) for each in rows]
    table = table_text(titles, columns, palette=palette, width=width, drop_columns=True)
    blocked = [(row, row.blocked) for row in rows if row.blocked is not None]
    lines = []
    if blocked:
        name_width = min(max(cell_width(sanitize(row.name)) for row, _ in blocked), _MAX_NAME_WIDTH)
        lines += ["", *(line for each in blocked for line in _blocked_lines(*each, name_width, palette, width))]
    if startup:
        lines += ["", *(line for row in rows for line in _startup_lines(row, palette, width))]
    return table + "".join(f"{line}\n" for line in lines)


def _startup_lines(row: StatusRow, palette: Palette, width: int) -> list[str]:
    """Return a line for each file that Python runs at every start, at most `width` columns wide."""
    name = Segment(text=f"{sanitize(row.name)}:", style=Style.STRONG)
    if not row.startup:
        return entry_lines([], [name, Segment(text="no startup files")], palette=palette, width=width)
    lines = entry_lines([], [name, Segment(text=count(len(row.startup), "startup file"))], palette=palette, width=width)
    for each in row.startup:
        drift = each.state in {StartupState.ADDED, StartupState.CHANGED}
        columns = [Segment(text="!" if drift else " ", style=Style.REPLACED, gap=1)]
        package = f" of {sanitize(each.package)}" if each.package else ""
        text = [
            Segment(text=f"{each.state.value}{package}:", style=Style.BAD if drift else Style.FAINT),
            Segment(text=f"{sanitize(each.path)} ({sanitize(each.detail)})"),
        ]
        lines += entry_lines(columns, text, palette=palette, width=width, indent=2)
    return lines


def _blocked_lines(row: StatusRow, blocked: BlockedStatus, name_width: int, palette: Palette, width: int) -> list[str]:
    """Return why an environment is blocked, at most `width` columns wide."""
    more = f" (and {count(blocked.more, 'more reason')}: `envsync plan`)" if blocked.more else ""
    head = [
        Segment(text="x", style=Style.REFUSED, gap=1),
        Segment(text=sanitize(row.name), style=Style.STRONG, width=name_width, gap=1),
    ]
    text = [Segment(text="blocked:", style=Style.REFUSED), Segment(text=sanitize(f"{blocked.message}{more}"))]
    return entry_lines(head, text, palette=palette, width=width)


def status_json(rows: Sequence[StatusRow], *, sizes: bool, startup: bool) -> str:
    """Return the rows as a JSON array of objects that ends with a line end.

    They have `size` only with `sizes`, and `startup` only with `startup`.
    """
    left_out = {name for name, wanted in (("size", sizes), ("startup", startup)) if not wanted}
    return json_array(_object(each, left_out) for each in rows)


def _object(row: StatusRow, left_out: Collection[str]) -> dict[str, Json]:
    found = to_json(row)
    assert isinstance(found, dict)  # noqa: S101  # a dataclass
    return {key: value for key, value in found.items() if key not in left_out}


def _row(environment: EnvironmentPlan, installed: int | None, path: str) -> StatusRow:
    state = _state(environment)
    return StatusRow(
        name=environment.name,
        state=state,
        python="" if installed is None else environment.python_before,
        packages=installed,
        generation=environment.generation,
        path=path,
        blocked=_blocked(environment),
        hold=environment.hold,
    )


def _blocked(environment: EnvironmentPlan) -> BlockedStatus | None:
    if not environment.blocked:
        return None
    first, *others = environment.blocked
    return BlockedStatus(code=first.code, message=first.message, more=len(others))


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
