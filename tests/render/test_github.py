"""GitHub workflow commands, parsed as the runner does: at most ten of a level, at the right line, and only ours."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.observe.actual import STARTUP_CODES
from reconciler.plan.model import Action
from reconciler.render.drift_status import DriftStatus, drift_status
from reconciler.render.escape import sanitize
from reconciler.render.github import MAX_PER_LEVEL, github
from reconciler.render.report import Report
from reconciler.render.summary import report_summary
from tests.render.reports import (
    EVERYTHING,
    NOTHING,
    WORLDS,
    applied,
    plan_of,
    replace_report_strings,
    report_of,
    reports_to_attack,
)
from tests.render.untrusted import NASTY, SECRET, assert_clean_text, texts

TOKENS = ("::stop-commands::x", "::x::", "%0A::error::x", "%25", "%3A", ",line=1", ",", ":", "%", "##[command]x", "::")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A workflow command as the runner understands it."""

    name: str
    properties: dict[str, str]
    message: str


def parse(line: str) -> Command | None:
    """Parse a line as the runner does (actions/runner, ActionCommand.TryParseV2); None for an ordinary line."""
    text = line.lstrip()
    if not text.startswith("::"):
        assert "##[" not in line, "the older syntax works anywhere in a line"
        return None
    head, found, message = text[2:].partition("::")
    assert found
    name, _, rest = head.partition(" ")
    pairs = [pair.partition("=") for pair in rest.split(",") if pair]
    properties = {key.strip(): unescaped(value, {"%3A": ":", "%2C": ","}) for key, _, value in pairs}
    assert len(properties) == len(pairs), "a property twice"
    return Command(name=name, properties=properties, message=unescaped(message, {}))


def unescaped(text: str, more: dict[str, str]) -> str:
    table = {"%25": "%", "%0D": "\r", "%0A": "\n", **more}
    assert not re.search("%(?!" + "|".join(each[1:] for each in table) + ")", text), text
    return re.sub("|".join(table), lambda found: table[found.group()], text)


def commands(report: Report) -> tuple[list[Command], list[str]]:
    """Return a report's commands and its other lines."""
    output = github(report)
    assert output == github(report)
    assert output.endswith("\n")
    lines = output.split("\n")[:-1]
    parsed = [parse(line) for line in lines]
    made = [each for each in parsed if each is not None]
    for each in made:
        assert each.name in {"error", "warning", "notice"}
        assert list(each.properties) == ["file", "line", "col", "title"]
        assert each.message
    return made, [line for line, each in zip(lines, parsed, strict=True) if each is None]


# The world `outcomes` has more notices than GitHub shows.
@pytest.mark.parametrize("world", [each for each in WORLDS if each.stem != "outcomes"], ids=lambda path: path.stem)
def test_each_differing_environment_has_an_annotation_at_its_line(world: Path) -> None:
    plan = plan_of(world)
    report = report_of(plan)
    made, others = commands(report)
    assert others == [report_summary(report)]
    assert {each.properties["file"] for each in made} <= {"deploy/envs.yaml"}
    kinds: dict[DriftStatus, list[str]] = {
        DriftStatus.BLOCKED: ["error"],
        DriftStatus.DRIFT: ["warning"],
        DriftStatus.BOTH: ["notice", "warning"],
        DriftStatus.PENDING: ["notice"],
        DriftStatus.HELD: ["warning"],
        DriftStatus.OK: [],
    }
    for each in plan.environments:
        of_each = [one for one in made if one.properties["title"].startswith(f"envsync: {each.name}: ")]
        notes = [one for one in of_each if one.properties["title"].endswith(": note")]
        assert [one.name for one in notes] == ["notice"] * bool(each.notes)
        assert all("\n".join(each.notes) == one.message for one in notes)
        startup = [one for one in of_each if one.properties["title"].endswith(": startup files drifted")]
        assert [one.name for one in startup] == ["error"] * any(one.code in STARTUP_CODES for one in each.findings)
        own = [one for one in of_each if one not in notes and one not in startup]
        names, allowed = sorted(one.name for one in own), kinds[drift_status(each)]
        both_in_one = drift_status(each) is DriftStatus.BOTH and names == ["warning"]  # each reason is of both origins
        assert names == allowed or both_in_one, each
        assert {int(one.properties["line"]) for one in own} <= {report.line(each.name)}
        output = "\n".join(one.message for one in own)
        assert all(reason.message in output for reason in each.blocked)
        assert all(hint in output for hint in each.hints) or not own
        if not each.blocked:
            assert all(reason.message in output for reason in each.reasons)
    about_changes = [one for one in made if not one.properties["title"].endswith(": note")]
    assert all(
        any(one.properties["title"].startswith(f"envsync: {each.name}: ") for each in plan.changes)
        for one in about_changes
    )


@pytest.mark.parametrize("world", [EVERYTHING, NOTHING], ids=lambda path: path.stem)
def test_an_apply_has_errors_for_failures_and_notices_for_the_rest(world: Path) -> None:
    report = applied(plan_of(world), collected=False)
    assert report.result is not None
    made, _ = commands(report)
    wrong = {
        each.environment
        for each in report.result.environments
        if each.status not in {"applied", "unchanged", "staged", "left", "held"}
    }
    errors = {each.properties["title"].split(": ")[1] for each in made if each.name == "error"}
    assert errors == wrong | {"garbage collection failed"}
    assert {each.name for each in made} <= {"error", "notice"}


def test_drift_and_pending_changes_have_separate_annotations() -> None:
    made, _ = commands(report_of(plan_of(EVERYTHING)))
    web = {each.name: each.message for each in made if each.properties["title"].startswith("envsync: web: ")}
    assert set(web) == {"warning", "notice"}
    assert "requests 2.32.3: 5 files edited: requests/adapters.py" in web["warning"].splitlines()[1]
    assert "django 5.2.1 -> 5.2.4: lock changed" in web["notice"].splitlines()
    assert "django" not in web["warning"]
    assert SECRET not in github(report_of(plan_of(EVERYTHING)))


@pytest.mark.parametrize(("number", "rest"), [(MAX_PER_LEVEL, ""), (MAX_PER_LEVEL + 1, "1 notice"), (25, "15 notices")])
def test_each_level_has_at_most_ten_annotations_and_the_rest_is_counted(number: int, rest: str) -> None:
    plan = plan_of(EVERYTHING)
    new = next(each for each in plan.environments if each.action is Action.CREATE and not each.blocked)
    many = replace(plan, environments=tuple(replace(new, name=f"env-{each:03}") for each in range(number)))
    made, others = commands(report_of(many))
    assert Counter(each.name for each in made) == {"notice": MAX_PER_LEVEL}
    assert others == [
        *([f"Not annotated: {rest} (GitHub shows at most 10 of each level)."] if rest else []),
        report_summary(report_of(many)),
    ]


@given(
    text=st.lists(st.one_of(texts, st.sampled_from(TOKENS)), max_size=4).map("".join),
    number=st.integers(0, len(reports_to_attack()) - 1),
)
def test_no_string_becomes_a_command_or_a_property(text: str, number: int) -> None:
    report = replace_report_strings(reports_to_attack()[number], text)
    made, others = commands(report)
    assert_clean_lines(github(report))
    assert all(each.startswith("Not annotated: ") for each in others[:-1])
    assert others[-1].startswith(
        ("Plan: ", "Check: ", "Applied: ", "Not applied: ", "Nothing to apply", "No changes. ", "No drift. ")
    )
    if len(sanitize(text)) < 400:
        assert {each.properties["file"] for each in made} <= {sanitize(text)}
        titles = {each.properties["title"] for each in made} - {"envsync: garbage collection failed", "envsync: note"}
        assert {sanitize(f"envsync: {text}: {title.rpartition(': ')[2]}") for title in titles} == titles


def assert_clean_lines(output: str) -> None:
    """Assert that the lines are safe in a log, apart from our own commands."""
    ours = re.compile(r"^::(?=(?:error|warning|notice) file=)", re.MULTILINE)
    assert_clean_text(ours.sub("", output))


def test_each_untrusted_string_alone_is_harmless() -> None:
    for text in (*NASTY, *TOKENS):
        for report in reports_to_attack():
            made, others = commands(replace_report_strings(report, text))
            assert all(each.startswith("Not annotated: ") for each in others[:-1])
            assert max(Counter(each.name for each in made).values(), default=0) <= MAX_PER_LEVEL
