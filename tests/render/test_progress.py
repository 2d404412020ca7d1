"""Progress: live lines that fit a terminal, elsewhere one line for each environment."""

import io
import re
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from reconciler.errors import EnvsyncError
from reconciler.events import EnvironmentFinished, Event, RunFinished, RunStarted, Status, StepFinished, StepStarted
from reconciler.render.error_text import render_error
from reconciler.render.live_progress import LiveProgress
from reconciler.render.phrases import duration
from reconciler.render.progress import PlainProgress, progress_for
from reconciler.render.style import Palette
from reconciler.render.summary import run_summary
from tests.render import sample_events as runs

CONTROL = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
PLAIN = """\
note: web: an adoption that was cut short was undone
note: the cache could not be kept
tools: created in 1.2s (generation 1, 14 packages)
web: failed in 1m15s: probe `import django` failed with exit code 1
    Traceback (most recent call last):
        File "<string>", line 1
    ModuleNotFoundError: django
  hint: run `envsync run web -- python -c 'import django'`
jobs: replaced in 2.0s, but probe `import django` failed with exit code 1
    Traceback (most recent call last):
        File "<string>", line 1
    ModuleNotFoundError: django
  hint: run `envsync run web -- python -c 'import django'`
cron: blocked: it depends on `web`
test: interrupted
same: unchanged
old: deleted in 0.0s
Applied: 1 created, 1 deleted, 1 applied with a failed hook, 1 failed, 1 blocked, 1 not applied; 1 unchanged.
"""


def plain(*, quiet: bool = False) -> str:
    stream = io.StringIO()
    with progress_for(stream, live=False, palette=Palette.plain(), quiet=quiet) as progress:
        for event in runs.EVENTS:
            progress.on_event(event)
    return stream.getvalue()


def test_without_a_terminal_there_is_a_line_for_each_environment() -> None:
    assert plain() == PLAIN


def test_quiet_shows_only_failures() -> None:
    lines = plain(quiet=True).splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        line for line in PLAIN.splitlines() if re.match(r"web: failed|jobs: repl|cron:|test:", line)
    ]


def ended(status: Status) -> EnvironmentFinished:
    return replace(runs.CREATED, status=status)


@pytest.mark.parametrize(
    ("ends", "interrupted", "expected"),
    [
        ((runs.CREATED, runs.CREATED), False, "Applied: 2 created."),
        ((runs.CREATED, runs.FAILED, runs.UNCHANGED), False, "Applied: 1 created, 1 failed; 1 unchanged."),
        ((runs.FAILED, runs.BLOCKED, runs.UNCHANGED), False, "Not applied: 1 failed, 1 blocked; 1 unchanged."),
        ((runs.HOOK_FAILED,), False, "Applied: 1 applied with a failed hook."),
        ((runs.UNCHANGED,), False, "Nothing to apply: 1 unchanged."),
        ((), False, "Nothing to apply."),
        ((ended(Status.STAGED), runs.UNCHANGED), False, "Not published: 1 staged; 1 unchanged."),
        ((ended(Status.STAGED), runs.FAILED), False, "Not published: 1 staged, 1 failed."),
        ((ended(Status.UNHEALTHY),), False, "Applied: 1 unhealthy."),
        (
            (ended(Status.ROLLED_BACK), ended(Status.LEFT), ended(Status.HELD)),
            False,
            "Not applied: 1 rolled back; 1 left, 1 held.",
        ),
        ((), True, "Interrupted: nothing. Nothing is half-done."),
        ((runs.DELETED, runs.INTERRUPTED), True, "Interrupted: 1 deleted, 1 not applied. Nothing is half-done."),
    ],
)
def test_closing_line(ends: tuple[EnvironmentFinished, ...], interrupted: bool, expected: str) -> None:
    assert run_summary(RunFinished(environments=ends, interrupted=interrupted), Palette.plain()) == expected


def test_durations() -> None:
    assert [duration(each) for each in (0.04, 12.34, 59.94, 59.96, 125.2)] == [
        "0.0s",
        "12.3s",
        "59.9s",
        "1m00s",
        "2m05s",
    ]


class Terminal:
    """A live display on a terminal of a given size, with its own clock."""

    def __init__(self, *, height: int = 10, color: bool = False, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        self.stream = io.TextIOWrapper(self.bytes, encoding=encoding, newline="", write_through=True)
        self.now = 100.0
        self.progress = LiveProgress(
            self.stream,
            palette=Palette.chosen(color=color),
            width=60,
            height=height,
            clock=lambda: self.now,
        )

    def send(self, *events: Event) -> None:
        for event in events:
            self.progress.on_event(event)

    def live_lines(self) -> list[str]:
        console = Console(file=io.StringIO(), width=60, height=10, force_terminal=True, color_system=None)
        console.print(self.progress._live_lines())
        written = console.file
        assert isinstance(written, io.StringIO)
        return written.getvalue().splitlines()

    def written(self) -> str:
        return CONTROL.sub("", self.bytes.getvalue().decode(self.stream.encoding))


def test_live_lines_show_step_and_elapsed_seconds() -> None:
    terminal = Terminal()
    terminal.send(
        RunStarted(plan="", project="acme", environments=("tools", "web-one")),
        StepStarted(environment="tools", step="build"),
    )
    terminal.now += 2.5
    terminal.send(
        StepFinished(environment="tools", step="build", seconds=2.5),
        StepStarted(environment="tools", step="before-delete"),
        StepStarted(environment="web-one", step="build"),
    )
    terminal.now += 1
    assert terminal.live_lines() == [
        "  tools    before-delete  3.5s",
        "  web-one  build          1.0s",
        "  0 of 2 environments done",
    ]
    terminal.send(replace(runs.FAILED, environment="tools"))
    assert terminal.live_lines() == ["  web-one  build  1.0s", "  1 of 2 environments done"]


def test_a_live_line_is_cropped_to_the_width_of_the_terminal() -> None:
    terminal = Terminal()
    terminal.send(
        RunStarted(plan="", project="acme", environments=("web",)),
        StepStarted(environment=f"{'x' * 70} y", step="build"),
    )
    assert terminal.live_lines() == [f"  {'x' * 58}", "  0 of 1 environments done"]


def test_what_others_write_to_standard_error_is_shown_as_it_is() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
    with LiveProgress(stream, palette=Palette.chosen(color=True), own_stderr=True, width=60, height=10):
        sys.stderr.write("[red]12[/red] 'x' :smile:")
        sys.stderr.flush()
    assert b"[red]12[/red] 'x' :smile:" in written.getvalue()


@pytest.mark.parametrize("own_stderr", [False, True])
def test_only_standard_error_is_redirected_and_only_on_request(own_stderr: bool) -> None:
    out, err = sys.stdout, sys.stderr
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with LiveProgress(stream, palette=Palette.plain(), own_stderr=own_stderr, width=60, height=10):
        assert sys.stdout is out
        assert (sys.stderr is err) is not own_stderr
    assert (sys.stdout, sys.stderr) == (out, err)


@pytest.mark.parametrize("height", [3, 5, 10, 40])
def test_live_lines_fit_the_terminal(height: int) -> None:
    terminal = Terminal(height=height)
    names = tuple(f"env-{number}" for number in range(30))
    terminal.send(RunStarted(plan="", project="acme", environments=names))
    for number, name in enumerate(names):
        terminal.send(StepStarted(environment=name, step="build"))
        shown = terminal.live_lines()
        assert len(shown) <= height - 1
        more = [int(found.group(1)) for line in shown if (found := re.search(r"and (\d+) more", line))]
        assert bool(more) is (number + 1 > height - 2), "a line is only left out if it has no room"
        assert len([line for line in shown if "build" in line]) + sum(more) == number + 1


@pytest.mark.parametrize(("encoding", "marks"), [("utf-8", "\u2713\u2717"), ("ascii", "+x")])
def test_finished_environments_stay_above_as_one_line(encoding: str, marks: str) -> None:
    terminal = Terminal(encoding=encoding, color=True)
    with terminal.progress:
        terminal.send(*runs.EVENTS)
    text = terminal.written()
    assert f"{marks[0]} tools: created in 1.2s (generation 1, 14 packages)" in text
    assert f"{marks[1]} web: failed in 1m15s: probe `import django` failed with exit code 1" in text, "wider than 60"
    assert "ModuleNotFoundError: django" in text
    assert "Applied: 1 created, 1 deleted" in text
    assert b"\x1b[32m" in terminal.bytes.getvalue()
    assert terminal.bytes.getvalue().rstrip().endswith(b"\x1b[?25h"), "the cursor is shown again"


def test_without_color_a_terminal_gets_no_color() -> None:
    terminal = Terminal()
    with terminal.progress:
        terminal.send(*runs.EVENTS)
    assert not re.search(rb"\x1b\[[\d;]*m", terminal.bytes.getvalue().replace(b"\x1b[0m", b""))


def test_untrusted_names_do_not_move_the_cursor() -> None:
    terminal = Terminal()
    bad = "x\x1b[2J\r\n\u202e"
    with terminal.progress:
        terminal.send(
            RunStarted(plan="", project="acme", environments=(bad,)),
            StepStarted(environment=bad, step=bad),
            replace(runs.FAILED, environment=bad),
        )
    assert b"\x1b[2J" not in terminal.bytes.getvalue()
    assert "x\\x1b[2J\\r\\n\\u202e: failed" in terminal.written()


def test_which_progress_is_chosen() -> None:
    assert isinstance(progress_for(io.StringIO(), live=True, palette=Palette.plain(), quiet=False), LiveProgress)
    assert isinstance(progress_for(io.StringIO(), live=True, palette=Palette.plain(), quiet=True), PlainProgress)
    assert isinstance(progress_for(io.StringIO(), live=False, palette=Palette.plain(), quiet=False), PlainProgress)


def test_an_error_has_details_and_a_hint() -> None:
    error = EnvsyncError("no interpreter for >=3.99", hint="install one", details=("found:", "  3.11.7 /opt/python"))
    assert render_error(error, Palette.plain()) == (
        "error: no interpreter for >=3.99\n    found:\n      3.11.7 /opt/python\nhint: install one\n"
    )
    assert (
        render_error(EnvsyncError("short", hint=None), Palette.chosen(color=True)) == "\x1b[1;31merror:\x1b[0m short\n"
    )
