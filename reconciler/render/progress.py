"""Progress of an apply: live lines on a terminal, elsewhere one line for each finished environment."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TextIO, assert_never

from reconciler.events import (
    EnvironmentFinished,
    Event,
    Notice,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from reconciler.render.event_text import STEPS_WITH_DETAIL, finished_lines, notice_line
from reconciler.render.style import Palette
from reconciler.render.summary import run_summary


class Progress(Protocol):
    """Shows events as they come, within a `with` block."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def on_event(self, event: Event) -> None:
        """Show one event; must be called from one thread only."""
        ...


def progress_for(stream: TextIO, *, live: bool, palette: Palette, quiet: bool) -> Progress:
    """Return what shows progress on a stream; `quiet` shows only failures."""
    if live and not quiet:
        # Imported here, because importing rich takes longer than a plan.
        from reconciler.render.live_progress import LiveProgress

        return LiveProgress(stream, palette=palette, own_stderr=stream is sys.stderr)
    return PlainProgress(lambda text: _write(stream, text), palette=palette, quiet=quiet)


class PlainProgress:
    """Writes a line for each finished environment and the closing line; each `write` gets a whole line."""

    def __init__(self, write: Callable[[str], None], *, palette: Palette, quiet: bool = False) -> None:
        self._write = write
        self._palette = palette
        self._quiet = quiet
        self._details: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Do nothing: every line is written already."""

    def on_event(self, event: Event) -> None:
        """Write the lines of one event."""
        match event:
            case StepFinished(environment=name, step=step, detail=detail) if step in STEPS_WITH_DETAIL and detail:
                self._details.setdefault(name, []).append(detail)
            case EnvironmentFinished() if event.failure is not None or not self._quiet:
                self._lines(finished_lines(event, self._details.pop(event.environment, ()), self._palette))
            case Notice() if not self._quiet:
                self._lines([notice_line(event, self._palette)])
            case RunFinished() if not self._quiet:
                self._lines([run_summary(event, self._palette)])
            case RunStarted() | StepStarted() | StepFinished() | EnvironmentFinished() | Notice() | RunFinished():
                pass
            case _:
                assert_never(event)

    def _lines(self, lines: list[str]) -> None:
        for line in lines:
            self._write(f"{line}\n")


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()
