"""What `status` lists: states, what is staged or deleted, why some are blocked; on request sizes and startup files."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.observe.actual import StartupFile, StartupState
from reconciler.observe.disk_usage import DiskUsage
from reconciler.render.status_text import (
    BlockedStatus,
    EnvironmentState,
    StatusRow,
    deleted_rows,
    render_status,
    status_json,
    status_rows,
)
from reconciler.render.style import Palette
from tests.plan.build import world

SIX = {"packages": {"six": "1.0"}}
PLAN = world(
    {
        "manifest": {"gone": SIX, "held": SIX, "new": SIX, "web": SIX},
        "applied": {"gone": SIX, "held": {**SIX, "hold": "INC-42"}, "web": SIX},
        "actual": {"gone": {"occupant": "absent"}},
    }
).plan()
ROWS = status_rows(PLAN, {"held": 1, "web": 2}, ".envs", {"web": 7})
USAGE = DiskUsage(own=2048, shared=3 * 1024**2, reclaimable=0)


def table(rows: Sequence[StatusRow], *, sizes: bool = False, startup: bool = False, color: bool = False) -> str:
    return render_status(rows, palette=Palette.chosen(color=color), width=120, sizes=sizes, startup=startup)


def cells(text: str) -> list[list[str]]:
    return [each.split() for each in text.splitlines()]


def test_an_environment_that_must_be_created_is_missing_and_has_no_python() -> None:
    assert [(each.name, each.state, each.python, each.packages, each.generation, each.staged) for each in ROWS] == [
        ("gone", EnvironmentState.MISSING, "", None, 0, 0),
        ("held", EnvironmentState.HELD, "3.12.1", 1, 1, 0),
        ("new", EnvironmentState.MISSING, "", None, 0, 0),
        ("web", EnvironmentState.OK, "3.12.1", 2, 1, 7),
    ]


def test_the_table_has_sizes_only_on_request() -> None:
    rows = [replace(each, size=USAGE if each.name == "web" else None) for each in ROWS]
    assert cells(table(rows))[0] == ["NAME", "STATE", "PYTHON", "PACKAGES", "GENERATION", "PATH"]
    assert cells(table(rows, sizes=True)) == [
        ["NAME", "STATE", "PYTHON", "PACKAGES", "GENERATION", "OWN", "SHARED", "RECLAIMABLE", "PATH"],
        ["gone", "missing", "-", "-", "-", "?", "?", "?", ".envs/gone"],
        ["held", "held", "3.12.1", "1", "1", "?", "?", "?", ".envs/held"],
        ["new", "missing", "-", "-", "-", "?", "?", "?", ".envs/new"],
        ["web", "ok", "3.12.1", "2", "1", "2", "KiB", "3", "MiB", "0", "B", ".envs/web"],
    ]


def test_the_json_has_sizes_only_on_request() -> None:
    rows = [replace(each, size=USAGE) for each in ROWS[3:]]
    (without,) = json.loads(status_json(rows, sizes=False, startup=False))
    (with_sizes,) = json.loads(status_json(rows, sizes=True, startup=False))
    size = with_sizes.pop("size")
    assert with_sizes == without
    assert size == {"own": 2048, "shared": 3 * 1024**2, "reclaimable": 0}
    assert without == {
        "name": "web",
        "state": "ok",
        "python": "3.12.1",
        "packages": 2,
        "generation": 1,
        "path": ".envs/web",
        "blocked": None,
        "staged": 7,
        "hold": None,
    }


def test_environments_that_were_deleted_have_only_a_name_and_a_path() -> None:
    assert cells(table(deleted_rows(["old"], ".envs")))[1] == ["old", "deleted", "-", "-", "-", ".envs/old"]


@pytest.mark.parametrize(
    ("name", "color"), [("gone", "31"), ("held", "36"), ("web", "32")], ids=["missing", "held", "ok"]
)
def test_a_state_has_its_color(name: str, color: str) -> None:
    rows = [each for each in ROWS if each.name == name]
    assert f"\x1b[{color}m{rows[0].state}\x1b[0m" in table(rows, color=True)


def test_without_environments_there_is_a_sentence() -> None:
    assert table([]) == "The manifest declares no environments.\n"


def blocked(name: str, more: int) -> StatusRow:
    why = BlockedStatus(code=ReasonCode.DEPENDENCY_FAILED, message="it depends on `api`", more=more)
    return replace(ROWS[3], name=name, state=EnvironmentState.BLOCKED, blocked=why)


@pytest.mark.parametrize(
    ("more", "rest"),
    [(0, ""), (1, " (and 1 more reason: `envsync plan`)"), (2, " (and 2 more reasons: `envsync plan`)")],
)
def test_why_environments_are_blocked_is_below_the_table(more: int, rest: str) -> None:
    rows = [*ROWS, blocked("a", more), blocked("bc", 0)]
    without = table(rows[:4]).splitlines()
    lines = table(rows).splitlines()
    assert len(lines) == len(without) + 5
    assert lines[-3:] == [
        "",
        f"x a  blocked: it depends on `api`{rest}",
        "x bc blocked: it depends on `api`",
    ]


def test_a_long_name_does_not_move_the_reasons_of_the_others() -> None:
    rows = [blocked("a", 0), blocked("b" * 40, 0)]
    first, second = table(rows).splitlines()[-2:]
    assert first == f"x a{' ' * 30}blocked: it depends on `api`"
    assert second == f"x {'b' * 40} blocked: it depends on `api`"


def test_a_blocked_environment_has_its_first_reason_and_the_number_of_the_others() -> None:
    reasons = tuple(
        Reason(code=each, origin=Origin.PENDING, message=each.value)
        for each in (ReasonCode.DEPENDENCY_FAILED, ReasonCode.PREVENT_DESTROY, ReasonCode.EMPTY_MANIFEST)
    )
    blocked_plan = replace(PLAN, environments=(replace(PLAN.environments[0], blocked=reasons),))
    (row,) = status_rows(blocked_plan, {}, ".envs", {})
    expected = BlockedStatus(code=ReasonCode.DEPENDENCY_FAILED, message="dependency-failed", more=2)
    assert (row.state, row.blocked) == (EnvironmentState.BLOCKED, expected)


STARTUP = (
    StartupFile(path="bin/a.pth", state=StartupState.SEALED, package="six", detail="runs `x`"),
    StartupFile(path="bin/b.pth", state=StartupState.ADDED, package="", detail="adds"),
    StartupFile(path="bin/c.pth", state=StartupState.CHANGED, package="six", detail="runs"),
    StartupFile(path="/usr/d.pth", state=StartupState.OUTSIDE, package="", detail="runs"),
)


def test_startup_files_are_listed_on_request_and_those_that_are_drift_are_marked() -> None:
    rows = [replace(ROWS[3], startup=STARTUP), replace(ROWS[3], name="api", startup=STARTUP[:1]), ROWS[0]]
    without = table(rows)
    assert ".pth" not in without
    text = table(rows, startup=True)
    assert text.removeprefix(without).splitlines() == [
        "",
        "web: 4 startup files",
        "    sealed of six: bin/a.pth (runs `x`)",
        "  ! added: bin/b.pth (adds)",
        "  ! changed of six: bin/c.pth (runs)",
        "    outside: /usr/d.pth (runs)",
        "api: 1 startup file",
        "    sealed of six: bin/a.pth (runs `x`)",
        "gone: no startup files",
    ]
    colored = table(rows[:1], startup=True, color=True).splitlines()
    assert [("\x1b[31m" in each) for each in colored[-4:]] == [False, True, True, False]
    found = json.loads(status_json(rows, sizes=False, startup=True))
    assert [len(each["startup"]) for each in found] == [4, 1, 0]
    assert found[1]["startup"] == [{"path": "bin/a.pth", "state": "sealed", "package": "six", "detail": "runs `x`"}]
    assert all("startup" not in each for each in json.loads(status_json(rows, sizes=True, startup=False)))
