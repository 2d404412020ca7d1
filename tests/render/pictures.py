"""How each world of tests/cases/render is to look; `python -m tests.render.pictures` draws the pictures anew."""

from collections.abc import Callable
from pathlib import Path

import yaml

from reconciler.plan.model import Plan
from reconciler.render.plan_text import render_check, render_plan
from reconciler.render.status_text import render_status, status_rows
from reconciler.render.style import Palette
from tests.plan.build import world

CASES = Path(__file__).parent.parent / "cases" / "render"
ESCAPE_PICTURE = "\u241b"  # stands for ESC, so that a picture can be read


def load_plan(path: Path) -> Plan:
    return world(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)).plan()


def plan_text(plan: Plan, *, width: int = 80, color: bool = False, verbose: int = 0) -> str:
    return render_plan(
        plan,
        palette=Palette.chosen(color=color),
        width=width,
        verbose=verbose,
        shown_root=".envs",
        manifest="envs.yaml",
    )


def check_text(plan: Plan, *, width: int = 80, color: bool = False, verbose: int = 0) -> str:
    return render_check(
        plan,
        palette=Palette.chosen(color=color),
        width=width,
        verbose=verbose,
        shown_root=".envs",
        manifest="envs.yaml",
    )


def status_text(plan: Plan, *, width: int = 80, color: bool = False) -> str:
    return render_status(status_rows(plan, ".envs"), palette=Palette.chosen(color=color), width=width)


PICTURES: dict[str, Callable[[Plan], str]] = {
    "plan-80": lambda plan: plan_text(plan, width=80),
    "plan-120": lambda plan: plan_text(plan, width=120),
    "plan-40": lambda plan: plan_text(plan, width=40),
    "plan-80-color": lambda plan: plan_text(plan, width=80, color=True),
    "plan-120-color": lambda plan: plan_text(plan, width=120, color=True),
    "plan-80-verbose": lambda plan: plan_text(plan, width=80, verbose=1),
    "check-80": lambda plan: check_text(plan, width=80),
    "status-80": lambda plan: status_text(plan, width=80),
    "status-50": lambda plan: status_text(plan, width=50),
}


def drawn(name: str, plan: Plan) -> str:
    return PICTURES[name](plan).replace("\x1b", ESCAPE_PICTURE)


def place(world_file: Path, name: str) -> Path:
    return world_file.with_name(f"{world_file.stem}.{name}.txt")


if __name__ == "__main__":
    for file in sorted(CASES.glob("*.yaml")):
        for each in PICTURES:
            place(file, each).write_text(drawn(each, load_plan(file)), encoding="utf-8")
