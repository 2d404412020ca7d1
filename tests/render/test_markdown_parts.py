"""Parts of the Markdown output: backticks that GitHub would misread, failures, long lists, notes and hints."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.events import Failure, RunFinished
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.formats import Format
from reconciler.render.markdown import markdown
from reconciler.render.markdown.blocks import list_blocks
from reconciler.render.markdown.environment import environment_section, failure_blocks
from reconciler.render.markdown.escape import code, code_block
from tests.plan.build import world
from tests.render.environment_plans import environment
from tests.render.output import printed
from tests.render.reports import report_of

PLAN = world({"manifest": {"web": {"packages": {"six": "1.0"}}}}).plan()


@pytest.mark.parametrize(("count", "kept"), [(1, True), (60, True), (61, False), (100, False)])
def test_a_long_run_of_backticks_is_replaced(count: int, kept: bool) -> None:
    text = f"a{'`' * count}b"
    for shown in (code(text), "\n".join(code_block([text]))):
        assert (text in shown) is kept
        assert ("\\x60" * count in shown) is not kept


@pytest.mark.parametrize("failed", [True, False])
def test_a_failed_collection_is_reported_below_the_environments(failed: bool) -> None:
    failure = Failure(code="os-error", message="venv: Permission denied", hint="run it as its owner")
    result = RunFinished(environments=(), failure=failure if failed else None)
    report = replace(report_of(PLAN, command="apply", result=result))
    text = printed(report, Format.MARKDOWN)
    assert ("Garbage collection after the apply:" in text) is failed
    assert ("venv: Permission denied" in text) is failed


FAILURE = Failure(code="probe", message="it failed", hint="look", details=tuple(f"line {each}" for each in range(30)))
MESSAGE, HINT = ["Failed with `probe`: it failed"], ["Hint: look"]


def detail_block(first: int) -> list[str]:
    return ["```text", *(f"line {each}" for each in range(first, 30)), "```"]


@pytest.mark.parametrize(
    ("failure", "more", "blocks"),
    [
        (FAILURE, {}, [MESSAGE, detail_block(10), HINT]),
        (FAILURE, {"described": True}, [detail_block(10), HINT]),
        (FAILURE, {"most": 500}, [MESSAGE, detail_block(10), HINT]),
        (FAILURE, {"most": 5}, [MESSAGE, detail_block(25), HINT]),
        (FAILURE, {"most": 0}, [MESSAGE, HINT]),
        (replace(FAILURE, details=()), {}, [MESSAGE, HINT]),
        (replace(FAILURE, details=(), hint=""), {}, [MESSAGE]),
        (replace(FAILURE, details=(), hint=""), {"described": True}, []),
    ],
)
def test_a_failure_has_as_many_of_its_last_details_as_there_is_room_for(
    failure: Failure, more: dict[str, Any], blocks: list[list[str]]
) -> None:
    assert failure_blocks(failure, **more) == blocks


@pytest.mark.parametrize(("most", "left_out"), [(20, 0), (3, 0), (2, 1), (0, 5)])
def test_a_section_has_at_most_so_many_details_notes_and_hints(most: int, left_out: int) -> None:
    failed = environment(Action.NO_OP, failure=FAILURE, notes=("one", "two", "three"), hints=("four", "five"))
    section = environment_section(failed, command="plan", most=most)
    lines = section.text.splitlines()
    assert [each for each in lines if each.startswith("line ")] == [f"line {each}" for each in range(30 - most, 30)]
    assert [each for each in lines if each.startswith("Note: ")] == ["Note: one", "Note: two", "Note: three"][:most]
    assert [each for each in lines if each.startswith("Hint: f")] == ["Hint: four", "Hint: five"][:most]
    assert section.left_out == left_out


def rows(number: int) -> list[str]:
    return [f"- {each}" for each in range(number)]


@pytest.mark.parametrize(
    ("number", "most", "blocks"),
    [
        (0, 5, []),
        (1, 5, [["head", *rows(1)]]),
        (20, 20, [["head", *rows(20)]]),
        (21, 20, [["head", *rows(20)], ["and 1 more"]]),
        (21, 21, [["<details>", "<summary>21 things, old</summary>"], ["head", *rows(21)], ["</details>"]]),
        (
            23,
            21,
            [["<details>", "<summary>23 things, old</summary>"], ["head", *rows(21)], ["and 2 more"], ["</details>"]],
        ),
        (1, 0, [["1 thing, old, not listed"]]),
        (2, 0, [["2 things, old, not listed"]]),
    ],
)
def test_a_list_is_folded_if_it_is_long_and_says_what_it_leaves_out(
    number: int, most: int, blocks: list[list[str]]
) -> None:
    found = list_blocks(
        range(number), lambda each: f"- {each}", noun="thing", head=("head",), most=most, remark=", old"
    )
    assert found == blocks


def page_of(*environments: EnvironmentPlan, **more: Any) -> list[str]:
    return markdown(report_of(replace(PLAN, environments=environments, **more))).splitlines()


def test_around_the_sections_are_the_notes_and_what_is_unchanged() -> None:
    noted = environment(Action.NO_OP, notes=("a note",), hints=("a hint", "another"))
    assert page_of(
        environment(Action.NO_OP, name="api"), noted, against="main", notes=("left out",), remarks=("it runs",)
    ) == [
        "<!-- envsync -->",
        "### No drift. 2 environments match `envs.yaml` at `main`.",
        "",
        f"`envsync check` for project `{PLAN.project}`, 2 environments, against `main`.",
        "",
        "Note: left out",
        "",
        "Note: it runs",
        "",
        "Note for `web`: a note",
        "",
        "Hint for `web`: a hint",
        "",
        "Hint for `web`: another",
        "",
        "Unchanged: `api`, `web`.",
    ]


@pytest.mark.parametrize(
    ("only", "words"), [("", "Unchanged"), ("drift", "Without drift"), ("pending", "Without pending changes")]
)
@pytest.mark.parametrize(("number", "more"), [(50, ""), (51, ", and 1 more")])
def test_at_most_fifty_unchanged_environments_are_named(only: str, words: str, number: int, more: str) -> None:
    found = page_of(*(environment(Action.NO_OP, name=f"e{each}") for each in range(number)), only=only)
    assert found[-1] == f"{words}: {', '.join(f'`e{each}`' for each in range(50))}{more}."
    assert "`envsync check`" in found[3]
    assert f", {number} environments." in found[3]


@pytest.mark.parametrize(("number", "kept"), [(10, 10), (11, 10), (30, 10)])
def test_notes_that_take_too_much_room_are_counted(number: int, kept: int) -> None:
    note = "word " * 198 + "word"
    assert len(f"Note: {note}") == 1000
    found = page_of(environment(Action.NO_OP), notes=(note,) * number)
    assert sum(each.startswith("Note: ") for each in found) == kept
    further = [each for each in found if "further note" in each]
    count = f"{number - kept} further note{'' if number - kept == 1 else 's'}"
    assert further == ([] if number == kept else [f"and {count}; `--output json` has all of them"])
