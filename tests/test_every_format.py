"""Every output format has pictures, tests of its own, and says what differs; untrusted strings never reach it raw.

A new member of `Format` (reconciler/render/formats.py) fails here until it is complete. Each message names the file to
change. The sections of docs/formats.md are tested in test_statements.py. CONTRIBUTING.md, "Add an output format", has
all steps in order.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diff.model import Origin, PackageAction, PackageChange, Reason, ReasonCode
from reconciler.events import EnvironmentFinished, Failure, Status
from reconciler.plan.model import Action, EnvironmentPlan, Plan
from reconciler.render.environment_text import environment_label
from reconciler.render.formats import Format, render_report
from reconciler.render.report import Command, Report
from tests.render.output import printed
from tests.render.pictures import COMMANDS, picture_name, place, report_of
from tests.render.reports import (
    EVERYTHING,
    NOTHING,
    WORLDS,
    applied,
    plan_of,
    replace_report_strings,
    reports_to_attack,
)
from tests.render.untrusted import NASTY, SECRET, texts

ROOT = Path(__file__).parent.parent
STEPS = 'CONTRIBUTING.md, "Add an output format", lists all steps'
# The files of tests that compare a format with its schema or parser, if not tests/render/test_FORMAT.py.
OWN_TESTS = {Format.JSON: "tests/test_output_schemas.py"}
# Names that occur in no other text of a plan, so that an output which contains them shows the environment or package.
ENVIRONMENT, PACKAGE = "renamed-environment", "renamed-package"

UNSUCCESSFUL = [each for each in Status if each not in {Status.APPLIED, Status.UNCHANGED, Status.HELD}]

every_format = pytest.mark.parametrize("form", list(Format), ids=str)
every_command = pytest.mark.parametrize("command", COMMANDS)


@every_format
@every_command
def test_a_format_has_a_picture_of_plan_check_and_apply(form: Format, command: Command) -> None:
    picture = place(EVERYTHING, picture_name(command, form))
    assert picture.exists(), (
        f"no picture of `envsync {command} --output {form}`: run `python -m tests.render.pictures` and review "
        f"tests/cases/render/{picture.name}. {STEPS}"
    )


@every_format
def test_a_format_has_tests_of_its_own(form: Format) -> None:
    file = OWN_TESTS.get(form, f"tests/render/test_{form}.py")
    assert (ROOT / file).exists(), (
        f"add {file}: compare the format with a published schema or parser, for every plan of the cases "
        f"(tests/render/test_junit.py is an example). {STEPS}"
    )


@every_format
@pytest.mark.parametrize("command", ["plan", "check"])
def test_a_format_names_every_environment_that_changes(form: Format, command: Command) -> None:
    for plan in plans_of_one_environment():
        assert ENVIRONMENT in printed(report_of(plan, command), form), (
            f"`envsync {command} --output {form}` does not name this environment: {description_of(plan)}. "
            f"See the renderer of {form} in reconciler/render/formats.py"
        )


@every_format
@pytest.mark.parametrize("status", UNSUCCESSFUL, ids=str)
def test_a_format_names_every_environment_that_an_apply_did_not_make(form: Format, status: Status) -> None:
    for plan in plans_of_one_environment():
        assert ENVIRONMENT in printed(applied(plan, status=status), form), (
            f"`envsync apply --output {form}` does not name an environment whose status is {status}: "
            f"{description_of(plan)}. See the renderer of {form} in reconciler/render/formats.py"
        )


@every_format
@pytest.mark.parametrize("command", ["plan", "check"])
def test_a_format_names_every_package_that_changes(form: Format, command: Command) -> None:
    for plan in plans_of_one_package():
        assert PACKAGE in printed(report_of(plan, command), form), (
            f"`envsync {command} --output {form}` does not name the package that changes: {description_of(plan)}. "
            f"See the renderer of {form} in reconciler/render/formats.py"
        )


@every_format
@every_command
@pytest.mark.parametrize("world", [EVERYTHING, NOTHING], ids=lambda path: path.stem)
def test_a_format_ends_with_a_line_end_and_is_the_same_every_time(form: Format, command: Command, world: Path) -> None:
    report = report_of(plan_of(world), command)
    text = printed(report, form)
    assert text.endswith("\n"), f"the output of {form} must end with a line end, also if nothing differs"
    assert not text.endswith("\n\n"), f"the output of {form} must end with one line end"
    assert printed(report, form) == text, f"two outputs of one report as {form} differ"


def test_two_hash_seeds_give_the_same_bytes_in_every_format() -> None:
    first, second = (outputs_with_hash_seed(seed) for seed in ("1", "4242"))
    different = [form.value for form in Format if first[form] != second[form]]
    assert not different, "these formats depend on the order of a set or on id(): sort what they list"


@every_format
def test_no_untrusted_string_reaches_a_format_raw(form: Format) -> None:
    for report in reports_to_attack():
        for text in NASTY:
            assert_inert(printed(replace_report_strings(report, text), form), form)


@every_format
@given(text=texts, report=st.sampled_from(reports_to_attack()))
@settings(max_examples=30)
def test_no_mixture_of_untrusted_strings_reaches_a_format_raw(form: Format, text: str, report: Report) -> None:
    assert_inert(printed(replace_report_strings(report, text), form), form)


def assert_inert(text: str, form: Format) -> None:
    """Assert what holds in every format; tests/render/test_FORMAT.py has what only one format needs."""
    advice = f"pass every string through sanitize (reconciler/render/escape.py) in the renderer of {form}"
    assert text.endswith("\n")
    text.encode("utf-8")  # fails on lone surrogates
    assert SECRET not in text, f"a secret: {advice}"
    raw = [line for line in text.split("\n") if not line.isprintable() or {"\ufe0f", "\u3164"} & set(line)]
    assert not raw, f"{raw[0]!a}: {advice}"
    injected = re.search(r"^\s*::[a-z-]+( [^:]*)?::pwned|##\[error|##vso\[", text, re.MULTILINE)
    assert injected is None, f"{injected[0]!r} is a command for a CI runner: {advice}"


@cache
def plans_of_one_environment() -> tuple[Plan, ...]:
    """Return each changed environment of the case plans, renamed and alone in a plan."""
    return tuple(
        replace(plan, environments=(replace(each, name=ENVIRONMENT),)) for plan, each in changed_environments()
    )


@cache
def plans_of_one_package() -> tuple[Plan, ...]:
    """Return each package change of the case plans, renamed and alone in its environment.

    Only of updates that are not blocked. For other actions, and for the pending changes of a held environment, a format
    may show only the number of packages.
    """
    return tuple(
        replace(plan, environments=(with_one_package(each, change),))
        for plan, each in changed_environments()
        if each.action is Action.UPDATE and not each.blocked
        for change in each.packages
        if not (each.hold and change.origin is Origin.PENDING)
    )


def with_one_package(environment: EnvironmentPlan, change: PackageChange) -> EnvironmentPlan:
    findings = [
        replace(each, package=PACKAGE) if each.package == change.name else each for each in environment.findings
    ]
    return replace(environment, packages=(replace(change, name=PACKAGE),), findings=tuple(findings))


def changed_environments() -> Iterator[tuple[Plan, EnvironmentPlan]]:
    for world in WORLDS:
        plan = plan_of(world)
        for each in plan.changes:
            yield plan, each


def description_of(plan: Plan) -> str:
    """Return the action of a plan's one environment, and why, for a message."""
    [environment] = plan.environments
    return f"{environment.action}, {'; '.join(each.message for each in (*environment.blocked, *environment.reasons))}"


def outputs_with_hash_seed(seed: str) -> dict[str, str]:
    """Return the output of every format for all commands, made by a process with a hash seed."""
    code = (
        "from tests.render.output import printed\n"
        "from tests.render.pictures import COMMANDS, Format, load_plan, report_of\n"
        "from tests.render.reports import EVERYTHING\n"
        "for form in Format:\n"
        "    print(form, ascii([printed(report_of(load_plan(EVERYTHING), each), form) for each in COMMANDS]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {line.partition(" ")[0]: line for line in done.stdout.splitlines()}


def test_the_plans_of_one_change_cover_every_action_and_kind_of_package_change() -> None:
    environments = [plan.environments[0] for plan in plans_of_one_environment()]
    assert {each.action for each in environments if not (each.blocked or each.hold)} == set(Action) - {Action.NO_OP}
    assert any(each.blocked for each in environments)
    packages = [plan.environments[0].packages[0] for plan in plans_of_one_package()]
    assert {each.origin for each in packages} == set(Origin)
    assert {each.action for each in packages} == set(PackageAction)


NOTE = "notablefact"


def noted_plans() -> dict[str, Plan]:
    """Return plans with one note: of the whole plan, about this machine, and of each kind of environment."""
    plan = plan_of(EVERYTHING)
    found = {"plan": replace(plan, notes=(NOTE,)), "machine": replace(plan, remarks=(NOTE,))}
    for each in plan.environments:
        noted = replace(each, notes=(NOTE,))
        others = tuple(noted if other is each else other for other in plan.environments)
        failed = "-failed" if each.failure else ""
        found[f"{environment_label(each)}{failed}"] = replace(plan, environments=others)
    same = plan_of(NOTHING)
    found["nothing-differs"] = replace(same, remarks=(NOTE,))
    found["nothing-to-do"] = replace(same, environments=(replace(same.environments[0], notes=(NOTE,)),))
    return found


@every_format
@every_command
def test_no_format_drops_a_note(form: Format, command: Command) -> None:
    plans = noted_plans()
    assert {"blocked", "unchanged", "create", "update", "replace", "delete"} <= set(plans)
    for kind, plan in plans.items():
        text = printed(report_of(plan, command), form)
        assert text.count(NOTE) == 1, f"`envsync {command} --output {form}` and a note: {kind}"


@pytest.mark.parametrize("form", [Format.TEXT, Format.JSON], ids=str)
def test_text_and_json_are_not_formats_of_reports(form: Format) -> None:
    with pytest.raises(ValueError, match=f"{form} is not a format of reports"):
        render_report(report_of(plan_of(NOTHING), "check"), form)


@every_format
def test_a_long_list_of_notes_is_counted(form: Format) -> None:
    plan = plan_of(NOTHING)
    many = tuple(f"{NOTE}{number} {'words ' * 30}" for number in range(2_000))
    text = printed(report_of(replace(plan, notes=many), "check"), form)
    shown = text.count(NOTE)
    assert shown == len(many) or f"and {len(many) - shown} further notes" in text


@pytest.mark.parametrize("form", [Format.HTML, Format.MARKDOWN, Format.GITHUB], ids=str)
@pytest.mark.parametrize("failed", [False, True], ids=["refused", "no-lock"])
def test_a_blocking_reason_is_shown_once(form: Format, failed: bool) -> None:
    plan = plan_of(EVERYTHING)
    code = ReasonCode.LOCK_FAILED if failed else ReasonCode.PREVENT_DESTROY
    failure = Failure(code=code, message=f"{NOTE} is the reason", hint="fix the cause", details=("a detail",))
    reason = Reason(code=code, origin=Origin.PENDING, message=failure.message)
    blocked = replace(plan.environments[0], blocked=(reason,), failure=failure if failed else None)
    report = report_of(replace(plan, environments=(blocked,)), "apply")
    assert report.result is not None
    finished = EnvironmentFinished(
        environment=blocked.name, status=Status.BLOCKED, action=blocked.action, failure=failure
    )
    for each in (report, replace(report, result=replace(report.result, environments=(finished,)))):
        text = printed(each, form)
        assert text.count(NOTE) == 1
        assert "fix the cause" in text or each is report
