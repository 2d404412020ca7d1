"""Where output goes: stdout is data, stderr is talk; colour and width as the terminal and the user want them."""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from reconciler.errors import OutputError
from reconciler.render.color import want_color
from reconciler.render.style import Palette

_WIDTH_OFF_A_TERMINAL = 100


@dataclass(frozen=True, slots=True)
class Screen:
    """This run's two streams; `quiet` and `verbose` count as given on the command line."""

    color: str = "auto"
    quiet: bool = False
    verbose: int = 0

    def palette(self, stream: TextIO) -> Palette:
        """Return the colours for a stream."""
        return Palette.chosen(color=want_color(self.color, stream.isatty(), os.environ))

    @property
    def width(self) -> int:
        """Return the width to wrap at: the terminal's, a fixed one off a terminal."""
        return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else _WIDTH_OFF_A_TERMINAL

    def say(self, text: str) -> None:
        """Write data to standard output."""
        if text:
            _write(sys.stdout, text)

    def talk(self, text: str) -> None:
        """Write talk to standard error, unless told to be quiet."""
        if text and not self.quiet:
            _write(sys.stderr, text)


@contextmanager
def written_to(stream: TextIO) -> Iterator[None]:
    """Let the run go on where a stream's reader has left (`| head`): the rest goes nowhere, the exit code stays.

    Raises OutputError where it cannot be written for another reason (a full disk).
    """
    try:
        yield
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"the output cannot be written: {error.strerror}") from error


def open_streams() -> None:
    """Open what whoever started us has closed (`>&-`), lest the next file get its number; and never fail to encode."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123  # open until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name in Unicode on a terminal that is not: escaped, no crash
            stream.reconfigure(errors="backslashreplace")


def _write(stream: TextIO, text: str) -> None:
    with written_to(stream):
        stream.write(text if text.endswith("\n") else text + "\n")
        stream.flush()


SCREEN = Screen()


def screen() -> Screen:
    """Return this run's screen."""
    return SCREEN


def set_screen(new: Screen) -> None:
    """Set this run's screen; called once, by the application's callback."""
    global SCREEN  # one process, one screen
    SCREEN = new


def shown_root(root: str) -> str:
    """Return a root as a person would write it: relative to where they are, if it is below."""
    relative = os.path.relpath(root)
    return root if relative.startswith("..") else relative
