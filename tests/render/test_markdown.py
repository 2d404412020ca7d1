"""Markdown: every renderer shows it as intended, whatever strings it contains, and it always fits in a comment."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diff.model import SettingChange
from reconciler.plan.model import Action, Plan
from reconciler.render.escape import sanitize
from reconciler.render.markdown import MARKER, MAX_LENGTH, markdown
from reconciler.render.markdown.escape import MAX_CODE_LENGTH, MAX_PROSE_LENGTH, code, code_block, prose
from reconciler.render.report import Command, Report
from reconciler.render.summary import report_summary
from tests.render.environment_plans import LOCK_CHANGED, environment, package
from tests.render.markdown_page import RENDERERS, Element, page
from tests.render.reports import EVERYTHING, NOTHING, WORLDS, applied, plan_of, replace_report_strings, report_of
from tests.render.untrusted import NASTY, SECRET, assert_clean_text

MARKUP = (
    "|", "`", "``", "```", "`" * 90, "\\", "\\|", "\\`", "*", "**b**", "_c_", "~~d~~", "# h", "- a", "+ a", "1.", "1)",
    "> q", "---", "===", "| - |", ":::note", ":smile:", "$x$", "$`x`$", "[x](javascript:alert(1))", "![x](http://y.example)",
    "<img src=x onerror=alert(1)>", "</summary>", "</details>", "</code>", "<!--", "-->", "<!-- envsync -->", "&lt;",
    "&#64;x", "@octocat", "@org/team", "#12", "GH-12", "ABC-1", "owner/name#1", "https://x.example", "www.x.example",
    "ftp://x.example", "mailto:a@b.example", "a@b.example", "[^1]", "[^1]: x", "[x]: y", "[ ]", "abcdef1234", "/close",
    "<https://x.example>", "{+ x +}", "%1", "~bug", "!1", "&1", "word", "(`quoted words`),", " ", "  ",
)  # fmt: skip
texts = st.lists(
    st.one_of(st.sampled_from(MARKUP), st.sampled_from(NASTY), st.text(max_size=4), st.just(" ")), max_size=6
).map("".join)
BLOCKS = {"page", "h3", "h4", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}
ELEMENTS = BLOCKS | {"strong", "code", "pre"}
SEPARATE = re.compile(r"(?:\s|`|\\x60)+")  # prose keeps neither the number of spaces nor quoting backticks
renderers = pytest.mark.parametrize("render", RENDERERS)
worlds = pytest.mark.parametrize("world", WORLDS, ids=lambda path: path.stem)


def one_page(text: str, render: Callable[[str], str]) -> Element:
    """Return the page; assert that it has only our elements, and no mentions or links outside of code."""
    made = page(render(text))
    assert made.tags() <= ELEMENTS, made.tags() - ELEMENTS
    assert not re.search(r"[@#<\[\]_*|\\$~&!{}`/]|[a-z]:\S|www\.|\b(?:GH|ABC)-[0-9]", made.plain), made.plain
    return made


def exact(text: str) -> str:
    return sanitize(text).replace("`", "\\x60") if "`" * 61 in text else sanitize(text)


@renderers
@given(text=texts)
def test_any_text_is_shown_as_exactly_that_text(render: Callable[[str], str], text: str) -> None:
    source = "\n".join(
        [
            f"#### {code(text)}: title\n",
            f"| a | b | c |\n|---|---|---|\n| {code(text, cell=True)} | {prose(text, cell=True)} | end |\n",
            *(f"- {code(text)}\n- {prose(text) or 'nothing'}\n", f"{prose(text) or 'nothing'}\n"),
            *(*code_block([sanitize(text)]), "", "end"),
        ]
    )
    made = one_page(source, render)
    wanted = exact(text)
    if len(sanitize(text)) > MAX_CODE_LENGTH:
        return
    assert [each.text for each in made.all("h4")] == [f"{wanted}: title"]
    first, second, last = (each.text for each in made.all("td"))
    assert (first, last) == (wanted, "end")
    item, worded = made.all("li")
    assert item.text == wanted
    words = SEPARATE.sub("", wanted)
    assert SEPARATE.sub("", second) == words
    for each in (worded, made.all("p")[0]):
        assert SEPARATE.sub("", each.text) in ({words} if words else {"", "nothing"})
    assert [each.text for each in made.all("pre")] == [f"{wanted}\n"]
    assert made.all("p")[-1].text == "end"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lock changed (downgrade)", "lock changed (downgrade)"),
        ("python 3.11.7 -> 3.12.1; it's the lock's", "python 3.11.7 -> 3.12.1; it's the lock's"),
        ("2.0.1rc1", "2.0.1rc1"),
        ("2.3.0+cu118", "`2.3.0+cu118`"),
        ("run `envsync lock web`.", "run `envsync lock web`."),
        ("2 files edited: requests/api.py, a.py (by @me)", "2 files edited: `requests/api.py`, `a.py` (by `@me`)"),
        ("see GH-12, ABC-3 and deadbeef1", "see `GH-12`, `ABC-3` and `deadbeef1`"),
        ("1. first", "`1.` first"),
        ("a`b `c", "``a`b`` `` `c ``"),
        ("<b>", "`<b>`"),
        ("", ""),
    ],
)
def test_words_that_are_plain_stay_plain(text: str, expected: str) -> None:
    assert prose(text) == expected


def test_a_long_text_is_cut() -> None:
    assert code("x" * 1000) == f"`{'x' * (MAX_CODE_LENGTH - 3)}...`"
    assert len(prose("word " * 1000)) == MAX_PROSE_LENGTH


@worlds
def test_every_case_is_a_complete_page(world: Path) -> None:
    plan = plan_of(world)
    commands: tuple[Command, ...] = ("plan", "check")
    for report in (*(report_of(plan, command=each) for each in commands), applied(plan)):
        for render in RENDERERS:
            assert_complete(report, one_page(markdown(report), render))


def assert_complete(report: Report, made: Element) -> None:
    changes = report.plan.changes
    titles = [each.text.partition(":")[0] for each in made.all("h4")]
    output = SEPARATE.sub("", made.text)
    assert [SEPARATE.sub("", each.text) for each in made.all("h3")] == [SEPARATE.sub("", report_summary(report))]
    if report.result is None:
        assert sorted(titles) == [each.name for each in changes]
        assert sum(bool(row.all("td")) for row in made.all("tr")) == sum(len(each.packages) for each in changes)
    for each in report.plan.environments:
        assert each.name in made.text
        if each.name in titles:
            assert all(SEPARATE.sub("", hint) in output for hint in each.hints)
            assert all(SEPARATE.sub("", reason.message) in output for reason in each.blocked)
            reasons = [] if each.blocked else [reason for reason in each.reasons if reason.code != "new"]
            assert all(SEPARATE.sub("", reason.message) in output for reason in reasons)


@renderers
@given(text=texts, with_result=st.booleans())
@settings(max_examples=30)
def test_no_untrusted_string_leaves_its_place(render: Callable[[str], str], text: str, with_result: bool) -> None:
    plan = plan_of(EVERYTHING)
    report = applied(plan, collected=False) if with_result else report_of(plan)
    output = [markdown(replace_report_strings(report, each)) for each in ("@", text or "x")]
    plain, hostile = (one_page(each, render) for each in output)
    assert_clean_text(output[1])
    if "\n**Truncated**: " in output[1]:  # only because it is longer: backticks need as many around them
        return
    for tag in ("h3", "h4", "table", "th", "td", "details", "summary"):
        assert len(plain.all(tag)) == len(hostile.all(tag)), tag


def test_the_first_line_is_the_marker_and_secrets_are_redacted() -> None:
    output = markdown(report_of(plan_of(EVERYTHING)))
    assert output.splitlines()[0] == MARKER == "<!-- envsync -->"
    assert SECRET not in output
    assert output == markdown(report_of(plan_of(EVERYTHING)))


def test_drift_comes_before_pending_changes() -> None:
    output = markdown(report_of(plan_of(EVERYTHING), command="plan"))
    web = output[output.index("#### `web`") :].split("\n#### ")[0]
    assert web.index("**drift**") < web.index("| pending |")
    assert web.rindex("**drift**") < web.index("| pending |")
    assert output.index("#### `web`: update (drift+pending)") < output.index("#### `data`: replace (pending)")


def test_unchanged_environments_are_one_line_of_names() -> None:
    output = markdown(report_of(plan_of(NOTHING)))
    assert "####" not in output
    assert output.splitlines()[-1] == "Unchanged: `old`, `tools`, `web`."


def huge(environments: int, packages: int, **more: Any) -> Report:
    changes = tuple(package(f"package-{number:05}") for number in range(packages))
    plan = replace(
        plan_of(NOTHING),
        environments=tuple(
            environment(name=f"env-{number:05}", reasons=(LOCK_CHANGED,), packages=changes, **more)
            for number in range(environments)
        ),
    )
    return Report(plan=plan, command="plan", file="envs.yaml", places={})


@pytest.mark.parametrize(("number", "folded"), [(20, 0), (21, 1)])
def test_long_tables_are_folded(number: int, folded: int) -> None:
    for render in RENDERERS:
        made = one_page(markdown(huge(1, number)), render)
        assert [each.text for each in made.all("summary")] == [f"{number} packages"] * folded
        assert len(made.all("details")) == folded
        assert [len(each.all("table")) for each in made.all("details")] == [1] * folded


HUGE: dict[str, Callable[[], Report]] = {
    "one table": lambda: huge(1, 5000),
    "many tables": lambda: huge(300, 40),
    "many environments": lambda: huge(4000, 1),
    "long strings": lambda: replace_report_strings(huge(30, 30), "`|" * 5000),
    "many settings": lambda: huge(
        3, 3, settings=tuple(SettingChange(path=("env", f"A{each}"), before="x", after="y") for each in range(3000))
    ),
    "many hints": lambda: huge(3, 3, hints=tuple(f"hint number {each}" for each in range(3000))),
    "an apply": lambda: applied(huge(200, 40).plan, collected=False),
    "unchanged": lambda: Report(
        plan=replace(
            plan_of(NOTHING),
            environments=tuple(replace(each, action=Action.NO_OP) for each in huge(5000, 0).plan.changes),
        ),
        command="check",
        file="envs.yaml",
        places={},
    ),
}


@cache
def rendered(name: str) -> tuple[Plan, str]:
    report = HUGE[name]()
    return report.plan, markdown(report)


@renderers
@pytest.mark.parametrize("name", HUGE)
def test_a_huge_report_is_truncated_to_whole_rows_and_sections(render: Callable[[str], str], name: str) -> None:
    plan, output = rendered(name)
    assert len(output) <= MAX_LENGTH
    made = one_page(output, render)
    assert {len(row.all("td")) for row in made.all("tr")} <= {0, 5}
    note = re.search(
        r"^\*\*Truncated\*\*: (?:(\d+) environments?)?(?: and )?(?:(\d+) rows?)? did not fit", output, re.MULTILINE
    )
    assert (note is None) is (name == "unchanged")
    if note is not None and name != "an apply":
        missing, rows = (int(each or 0) for each in note.groups())
        titles = len(made.all("h4"))
        assert titles + missing == len(plan.environments)
        lists = sum(len(each.packages) + len(each.settings) + len(each.hints) for each in plan.environments[:titles])
        hints = sum(each.text.startswith("Hint: ") for each in made.all("p"))
        listed_rows = sum(bool(row.all("td")) for row in made.all("tr")) + len(made.all("li")) + hints
        assert listed_rows + rows == lists
        assert "`envsync show`" in output
        assert len(output) > MAX_LENGTH / 3, "there was room for more"
