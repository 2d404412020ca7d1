"""What `status` lists: sizes if they were requested, environments that were deleted, and what is staged."""

import json
from dataclasses import replace

import pytest

from reconciler.observe.disk_usage import DiskUsage
from reconciler.render.status_text import EnvironmentState, deleted_rows, render_status, status_json, status_rows
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


def shown(rows: list[str]) -> list[list[str]]:
    return [each.split() for each in rows]


def test_an_environment_that_must_be_created_is_missing_and_has_no_python() -> None:
    assert [(each.name, each.state, each.python, each.packages, each.generation, each.staged) for each in ROWS] == [
        ("gone", EnvironmentState.MISSING, "", None, 0, 0),
        ("held", EnvironmentState.HELD, "3.12.1", 1, 1, 0),
        ("new", EnvironmentState.MISSING, "", None, 0, 0),
        ("web", EnvironmentState.OK, "3.12.1", 2, 1, 7),
    ]


def test_the_table_has_sizes_only_on_request() -> None:
    rows = [replace(each, size=USAGE if each.name == "web" else None) for each in ROWS]
    assert shown(render_status(rows, palette=Palette.plain(), width=120, sizes=False, startup=False).splitlines())[
        0
    ] == [
        *("NAME", "STATE", "PYTHON", "PACKAGES", "GENERATION", "PATH"),
    ]
    assert shown(render_status(rows, palette=Palette.plain(), width=120, sizes=True, startup=False).splitlines()) == [
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
    text = render_status(deleted_rows(["old"], ".envs"), palette=Palette.plain(), width=120, sizes=False, startup=False)
    assert text.splitlines()[1].split() == ["old", "deleted", "-", "-", "-", ".envs/old"]


@pytest.mark.parametrize(
    ("name", "color"), [("gone", "31"), ("held", "36"), ("web", "32")], ids=["missing", "held", "ok"]
)
def test_a_state_has_its_color(name: str, color: str) -> None:
    rows = [each for each in ROWS if each.name == name]
    assert f"\x1b[{color}m{rows[0].state}\x1b[0m" in render_status(
        rows, palette=Palette.chosen(color=True), width=80, sizes=False, startup=False
    )


def test_without_environments_there_is_a_sentence() -> None:
    assert (
        render_status([], palette=Palette.plain(), width=80, sizes=False, startup=False)
        == "The manifest declares no environments.\n"
    )
