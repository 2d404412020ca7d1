"""A hold in every format: it is shown, in local time, and its text is escaped."""

import time

import pytest

from reconciler.render.formats import Format
from reconciler.render.hold_text import hold_text
from reconciler.render.local_time import local_time
from reconciler.render.report import Command
from reconciler.state.hold import Hold
from tests.render.output import printed
from tests.render.reports import CASES, plan_of, replace_report_strings, report_of

HELD = CASES / "render" / "held.yaml"


@pytest.mark.parametrize("form", list(Format), ids=str)
@pytest.mark.parametrize("command", ["plan", "check"])
def test_every_format_names_the_reason_the_user_and_the_time(form: Format, command: Command) -> None:
    output = printed(report_of(plan_of(HELD), command=command), form, width=200)
    for part in ("freeze until the audit is done", "alice", "2026-11-30"):
        assert part in output


@pytest.mark.parametrize("form", list(Format), ids=str)
def test_the_text_of_a_hold_is_escaped_in_every_format(form: Format) -> None:
    report = replace_report_strings(report_of(plan_of(HELD)), "a\x1b[31m<script>\u202e\nb")
    output = printed(report, form)
    assert "\x1b" not in output
    assert "\u202e" not in output
    if form is Format.HTML:
        assert "<script>\u202e" not in output
        assert "[31m<script>" not in output


def test_times_are_local_with_their_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        hold = Hold(reason="INC-42", by="alice", since="2026-11-30T22:12:00+00:00")
        assert hold_text(hold) == "INC-42 (alice, since 2026-12-01 03:42+05:30)"
        assert local_time("yesterday") == "yesterday"
        assert local_time("2026-11-30T22:12:00") == "2026-11-30T22:12:00", "without an offset it is not known when"
    time.tzset()
