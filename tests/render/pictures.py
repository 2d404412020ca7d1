"""The expected output of each case in tests/cases/render; `python -m tests.render.pictures` writes it again.

The case `everything` has a file for every format and command. The other cases have one for every format that is text,
and `outcomes` has HTML as well.
In `outcomes`, an apply ends for each environment as its name says.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import yaml

from reconciler.canonical_json import Json
from reconciler.events import EnvironmentFinished, Failure, RunFinished, Status
from reconciler.observe.actual import ActualState, Occupant
from reconciler.plan.model import Action, EnvironmentPlan, Plan
from reconciler.render.event_text import SUCCESSFUL
from reconciler.render.formats import Format
from reconciler.render.plan_text import render_check, render_plan
from reconciler.render.report import Command, Report
from reconciler.render.status_text import render_status, status_rows
from reconciler.render.style import Palette
from tests.plan.build import World, world
from tests.render.output import printed
from tests.render.sample_events import FAILURE

os.environ["TZ"] = "UTC"  # the time of a hold is shown in local time
time.tzset()

CASES = Path(__file__).parent.parent / "cases" / "render"
# What only the HTML report of an apply shows: earlier runs, and the dependency graph of the last environment.
RUNS: tuple[Mapping[str, Json], ...] = (
    {
        "at": "2026-11-20T10:00:00+00:00",
        "by": "anna",
        "plan": "sha256:0123456789abcdef0123456789abcdef",
        "exit_code": 4,
        "environments": [
            {"name": "web", "action": "update", "status": "applied", "generation": 7, "reasons": ["lock-changed"]},
            {"name": "cron", "action": "create", "status": "failed", "generation": 0},
            "a value of an unexpected type",
        ],
    },
    {"at": "2026-11-19T10:00:00+00:00", "environments": [{"name": f"env-{number}"} for number in range(13)]},
    {"at": "2026-11-18T10:00:00+00:00", "environments": [{"name": f"env-{number}"} for number in range(12)]},
    {"at": ["a value of an unexpected type"], "environments": "and another"},
)
GRAPH = {
    "django": ("asgiref", "sqlparse"),
    "asgiref": (),
    "requests": ("idna", "urllib3"),
    "urllib3": ("requests",),  # a cycle
    "six": ("six",),  # requires itself
}
ESCAPE_PICTURE = "\u241b"  # shown in place of ESC, so that the file can be read


def load_world(path: Path) -> World:
    return world(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def load_plan(path: Path) -> Plan:
    return load_world(path).plan()


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


def status_text(
    plan: Plan, installed: Mapping[str, int] = MappingProxyType({}), *, width: int = 80, color: bool = False
) -> str:
    return render_status(
        status_rows(plan, installed, ".envs", staged={}),
        palette=Palette.chosen(color=color),
        width=width,
        sizes=False,
        startup=False,
    )


def installed(actual: ActualState) -> dict[str, int]:
    """Return the number of distributions in each environment that exists, as `status` gets it."""
    existing = {Occupant.PUBLISHED, Occupant.VENV}
    return {name: len(each.distributions) for name, each in actual.environments.items() if each.occupant in existing}


def report_of(plan: Plan, command: Command) -> Report:
    """Return the report of a plan whose environments are four lines apart in the manifest."""
    places = {each.name: f"envs.yaml:{8 + 4 * number}:3" for number, each in enumerate(plan.environments)}
    if command != "apply":
        return Report(plan=plan, command=command, file="envs.yaml", places=places)
    result = RunFinished(environments=tuple(results(plan)))
    graphs = {each.name: GRAPH for each in plan.changes[-1:]}
    return Report(plan=plan, command=command, file="envs.yaml", places=places, result=result, runs=RUNS, graphs=graphs)


def results(plan: Plan) -> Iterator[EnvironmentFinished]:
    """Yield the results of an apply: the first build failed, a hook of the second failed, and all else succeeded.

    An environment with the name of a status ends with that one, and without a failure if it is one of success.
    """
    failing = iter((Status.FAILED, Status.HOOK_FAILED))
    for each in plan.environments:
        if each.name in set(Status) and not (each.blocked or each.hold):
            status = Status(each.name)
            yield _end(each, status, None if status in SUCCESSFUL else FAILURE)
        elif each.blocked:
            first = each.blocked[0]
            ended = _end(each, Status.BLOCKED, Failure(code=first.code, message=first.message, hint=""))
            yield replace(ended, reason=first.code)
        elif each.hold:
            yield _end(each, Status.HELD)
        elif each.action is Action.NO_OP:
            yield _end(each, Status.UNCHANGED)
        else:
            failed_status = next(failing, None)
            yield _end(each, failed_status or Status.APPLIED, FAILURE if failed_status else None)


def _end(environment: EnvironmentPlan, status: Status, failure: Failure | None = None) -> EnvironmentFinished:
    processed = status not in {Status.BLOCKED, Status.HELD, Status.UNCHANGED}
    published = environment.generation + (status in {Status.APPLIED, Status.HOOK_FAILED})
    return EnvironmentFinished(
        environment=environment.name,
        status=status,
        action=environment.action,
        generation=0 if environment.action is Action.DELETE else published,
        seconds=1.25 if processed else 0.0,
        failure=failure,
    )


def report(plan: Plan, *, command: Command, form: Format) -> str:
    return printed(report_of(plan, command), form)


def picture_name(command: Command, form: Format) -> str:
    """Return the name of the picture of a command's output in a format; a new format needs no entry."""
    return f"{command}{_SUFFIXES.get(form, f'.{form}.txt')}"


COMMANDS: tuple[Command, ...] = get_args(Command)
_SUFFIXES = {
    Format.TEXT: "-80",
    Format.JSON: ".json",
    Format.MARKDOWN: ".md",
    Format.SARIF: ".sarif",
    Format.JUNIT: ".junit.xml",
    Format.GITLAB: ".gitlab.json",
    Format.HTML: ".html",
}
# Long, and mostly the same for every plan: only the case `everything` has files for all of them.
_LONG = (Format.JSON, Format.SARIF, Format.HTML)
PICTURES: dict[str, Callable[[Plan], str]] = {
    "plan-120": lambda plan: plan_text(plan, width=120),
    "plan-40": lambda plan: plan_text(plan, width=40),
    "plan-80-color": lambda plan: plan_text(plan, width=80, color=True),
    "plan-120-color": lambda plan: plan_text(plan, width=120, color=True),
    "plan-80-verbose": lambda plan: plan_text(plan, width=80, verbose=1),
    **{picture_name(each, form): partial(report, command=each, form=form) for form in Format for each in COMMANDS},
}
_ONLY_EVERYTHING = {picture_name(each, form) for form in _LONG for each in COMMANDS}


_ASSETS = re.compile(r"(<(?:style|script)[^>]*>).*?(</(?:style|script)>)", re.DOTALL)
_STATUS = {"status-80": 80, "status-50": 50}  # the width


def drawn(name: str, world_file: Path) -> str:
    """Return the picture of a case; only one page has its style sheet and its script, which are the same in all."""
    case = load_world(world_file)
    plan = case.plan()
    if name in _STATUS:
        return status_text(plan, installed(case.actual), width=_STATUS[name])
    text = PICTURES[name](plan).replace("\x1b", ESCAPE_PICTURE)
    whole = (world_file.stem, name) == ("everything", picture_name("apply", Format.HTML))
    return text if whole or not name.endswith(".html") else _ASSETS.sub(r"\1\2", text)


def pictures_of(world_file: Path) -> list[str]:
    """Return the names of a case's pictures."""
    left_out = {
        "everything": set[str](),
        "outcomes": {each for each in _ONLY_EVERYTHING if not each.endswith(".html")},
    }.get(world_file.stem, _ONLY_EVERYTHING)
    return [each for each in (*PICTURES, *_STATUS) if each not in left_out]


def place(world_file: Path, name: str) -> Path:
    return world_file.with_name(f"{world_file.stem}.{name}{'' if '.' in name else '.txt'}")


if __name__ == "__main__":
    for file in sorted(CASES.glob("*.yaml")):
        for each in pictures_of(file):
            place(file, each).write_text(drawn(each, file), encoding="utf-8")
