"""What a person sees while apply works: live lines on a terminal, one line an environment elsewhere."""

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
from reconciler.render.event_text import TOLD_STEPS, finished_lines, notice_line, render_result
from reconciler.render.style import Palette


class Progress(Protocol):
    """Shows events as they come, between entering and leaving."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def on_event(self, event: Event) -> None:
        """Show one event; called from one thread only."""
        ...


def progress_for(stream: TextIO, *, live: bool, palette: Palette, quiet: bool = False) -> Progress:
    """Return what shows progress on a stream; `quiet` shows failures alone."""
    if live and not quiet:
        # Imported here: rich costs more than a plan, and only this needs it.
        from reconciler.render.live import LiveProgress

        return LiveProgress(stream, palette=palette, own_stderr=stream is sys.stderr)
    return PlainProgress(lambda text: _write(stream, text), palette=palette, quiet=quiet)


class PlainProgress:
    """Writes a line, with its line end, when an environment is done, and the closing line; nothing in between."""

    def __init__(self, write: Callable[[str], None], *, palette: Palette, quiet: bool = False) -> None:
        self._write = write
        self._palette = palette
        self._quiet = quiet
        self._told: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Do nothing: every line is out already."""

    def on_event(self, event: Event) -> None:
        """Write the lines of one event."""
        match event:
            case StepFinished(environment=name, step=step, detail=detail) if step in TOLD_STEPS and detail:
                self._told.setdefault(name, []).append(detail)
            case EnvironmentFinished() if event.failure is not None or not self._quiet:
                self._lines(finished_lines(event, self._told.pop(event.environment, ()), self._palette))
            case Notice() if not self._quiet:
                self._lines([notice_line(event, self._palette)])
            case RunFinished() if not self._quiet:
                self._lines([render_result(event, self._palette)])
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
