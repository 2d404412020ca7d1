"""No untrusted string reaches an output unescaped, wherever in a value it is."""

import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import EnvsyncError
from reconciler.events import Event
from reconciler.plan.document import plan_json
from reconciler.plan.model import Plan
from reconciler.redaction import redact
from reconciler.render.error_text import render_error
from reconciler.render.escape import escape, sanitize
from reconciler.render.event_json import event_json
from reconciler.render.progress import PlainProgress
from reconciler.render.status_text import status_json, status_rows
from reconciler.render.style import Palette
from tests.render.pictures import CASES, check_text, load_plan, plan_text, status_text
from tests.render.sample_events import EVENTS
from tests.render.untrusted import NASTY, SECRET, assert_clean_json, assert_clean_text, replace_strings, texts

widths = st.integers(min_value=20, max_value=120)


@cache
def plans() -> list[Plan]:
    return [load_plan(path) for path in sorted(CASES.glob("*.yaml"))]


@given(text=texts, number=st.integers(0, 2), width=widths, verbose=st.integers(0, 1))
def test_plan_check_and_status_are_clean_text(text: str, number: int, width: int, verbose: int) -> None:
    plan = replace_strings(plans()[number], text)
    assert_clean_text(plan_text(plan, width=width, verbose=verbose))
    assert_clean_text(check_text(plan, width=width, verbose=verbose))
    assert_clean_text(status_text(plan, width=width))


@given(text=texts, number=st.integers(0, 2))
def test_plan_json_is_clean(text: str, number: int) -> None:
    plan = replace_strings(plans()[number], text)
    assert_clean_json(plan_json(plan))
    assert json.loads(plan_json(plan))["id"] == plan.id
    assert_clean_json(status_json(status_rows(plan, {}, text, staged={}), sizes=False, startup=False))


@given(text=texts, event=st.sampled_from(EVENTS))
def test_events_are_clean_as_text_and_json(text: str, event: Event) -> None:
    attacked = replace_strings(event, text)
    line = event_json(attacked)
    assert_clean_json(line)
    assert line.count("\n") == 1
    written: list[str] = []
    PlainProgress(written.append, palette=Palette.plain()).on_event(attacked)
    for each in written:
        assert_clean_text(each)


@given(text=texts)
def test_errors_are_clean_text(text: str) -> None:
    assert_clean_text(render_error(EnvsyncError(text, hint=text, details=(text, "\t" + text)), Palette.plain()))


@given(text=texts)
def test_sanitized_text_is_one_line_and_sanitizing_is_idempotent(text: str) -> None:
    once = sanitize(text)
    assert once.isprintable()
    assert sanitize(once) == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, 1.0 -> 2.0", "plain text, 1.0 -> 2.0"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("\x9b31m\x85", "\\x9b31m\\x85"),
        ("abc\u202egpj", "abc\\u202egpj"),
        ("zero\u200bwidth\u3164", "zero\\u200bwidth\\u3164"),
        ("\U000e0041", "\\U000e0041"),
        ("lib/\udcff.py", "lib/\\udcff.py"),
        ("caf\u00e9 \u65e5\u672c", "caf\u00e9 \u65e5\u672c"),
        ("::error::no", "\\x3a:error::no"),
        ("yanked: ::warning::no", "yanked: \\x3a:warning::no"),
        ("Topic :: Software a::b", "Topic :: Software a::b"),
        ("::", "\\x3a:"),
        ("x ##[group]y ##vso[z] ## title", "x \\x23#[group]y \\x23#vso[z] ## title"),
    ],
)
def test_escaped_characters_are_named(text: str, expected: str) -> None:
    assert escape(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"from https://user:{SECRET}@host.example/simple, now", "from https://****@host.example/simple, now"),
        (f"https://{SECRET}@host.example", "https://****@host.example"),
        (f"'https://user:it's{SECRET}@host.example/'", "'https://****@host.example/'"),
        (f"https://host.example/f?x=1&token={SECRET}&y=2", "https://host.example/f?x=1&token=****&y=2"),
        (f"https://host.example/f?X-Amz-Signature={SECRET}", "https://host.example/f?X-Amz-Signature=****"),
        ("git+ssh://git@host.example/r.git", "git+ssh://git@host.example/r.git"),
        ("git@host.example:r.git", "git@host.example:r.git"),
        ("https://host.example:8443/a@1.0", "https://host.example:8443/a@1.0"),
    ],
)
def test_credentials_are_redacted_and_nothing_else(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "nasty", ["a" * 200_000, "?" + "a" * 200_000, "https://" + "a:" * 100_000, "@" * 200_000, "?a" * 99_999]
)
@pytest.mark.timeout(10)
def test_a_huge_string_does_not_take_long(nasty: str) -> None:
    assert sanitize(nasty)


def test_every_nasty_one_alone_is_harmless_in_a_name() -> None:
    for nasty in NASTY:
        for plan in plans():
            assert_clean_text(plan_text(replace_strings(plan, nasty)))
