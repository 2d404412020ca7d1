"""The live display of an apply: finished environments above, a line for each running one below."""

import time
from collections.abc import Callable
from threading import RLock
from types import TracebackType
from typing import Self, TextIO, assert_never

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from reconciler.events import (
    EnvironmentFinished,
    Event,
    Notice,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from reconciler.render.escape import sanitize
from reconciler.render.event_text import STEPS_WITH_DETAIL, SUCCESSFUL, finished_lines, notice_line
from reconciler.render.layout import Segment, align_columns, entry_lines
from reconciler.render.phrases import duration
from reconciler.render.style import Palette, Style
from reconciler.render.summary import run_summary

_NEVER_WRAPPED = 1 << 30  # columns; rich crops what the terminal cannot hold
_MARKS = {True: ("\u2713", "\u2717"), False: ("+", "x")}


class LiveProgress:
    """Redraws a line for each running environment; a finished one moves up and stays.

    `clock` returns seconds. `width` and `height` default to the terminal's. With `own_stderr`, text that others write
    to standard error appears above the live lines instead of inside them.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        palette: Palette,
        own_stderr: bool = False,
        width: int | None = None,
        height: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._palette = palette
        self._clock = clock
        self._console = Console(
            file=stream,
            force_terminal=True,
            color_system="standard" if palette.color else None,
            width=width,
            height=height,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._marks = _MARKS[_writes_unicode(stream)]
        # Reentrant, because a signal handler may write through us while we hold it. rich redraws in its own thread.
        self._lock = RLock()
        self._running: dict[str, tuple[str, float]] = {}
        self._details: dict[str, list[str]] = {}
        self._finished = self._total = 0
        self._live = Live(
            console=self._console,
            get_renderable=self._live_lines,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=own_stderr,
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Remove the live lines; finished environments stay on the screen."""
        self._live.stop()

    def on_event(self, event: Event) -> None:
        """Show one event."""
        match event:
            case RunStarted():
                self._total = len(event.environments)
            case StepStarted(environment=name, step=step):
                with self._lock:
                    _, since = self._running.get(name, ("", self._clock()))
                    self._running[name] = (step, since)
            case StepFinished(environment=name, step=step, detail=detail):
                if step in STEPS_WITH_DETAIL and detail:
                    self._details.setdefault(name, []).append(detail)
            case EnvironmentFinished(environment=name):
                with self._lock:
                    self._running.pop(name, None)
                    self._finished += 1
                mark = self._marks[event.status not in SUCCESSFUL]
                self._print(finished_lines(event, self._details.pop(name, ()), self._palette, mark=mark))
            case Notice():
                self._print([notice_line(event, self._palette)])
            case RunFinished():
                with self._lock:
                    self._running.clear()
                    self._total = 0
                self._print([run_summary(event, self._palette)])
            case _:
                assert_never(event)

    def _print(self, lines: list[str]) -> None:
        """Print above the live lines."""
        for line in lines:
            self._console.print(Text.from_ansi(line), soft_wrap=True)

    def _live_lines(self) -> Group:
        """Return the live lines: as many as the terminal holds, how many more there are, and the run's progress."""
        with self._lock:
            running, finished, total = dict(self._running), self._finished, self._total
        if not total:
            return Group()
        now = self._clock()
        room = max(self._console.height - 2, 1)
        names = list(running) if len(running) <= room else list(running)[: room - 1]
        rows = align_columns(
            [
                [
                    Segment(text=sanitize(name), style=Style.STRONG),
                    Segment(text=sanitize(running[name][0])),
                    Segment(text=duration(now - running[name][1])),
                ]
                for name in names
            ]
        )
        lines = [
            line for row in rows for line in entry_lines(row, [], palette=self._palette, width=_NEVER_WRAPPED, indent=2)
        ]
        if len(names) < len(running):
            lines.append(f"  and {len(running) - len(names)} more")
        lines.append(self._palette.paint(f"  {finished} of {total} environments done", Style.FAINT))
        return Group(*(_one_line(line) for line in lines))


def _one_line(line: str) -> Text:
    text = Text.from_ansi(line)
    text.no_wrap, text.overflow = True, "crop"
    return text


def _writes_unicode(stream: TextIO) -> bool:
    """Return whether the marks can be written to a stream."""
    try:
        "".join(_MARKS[True]).encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
