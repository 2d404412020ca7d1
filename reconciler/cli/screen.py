"""Where output goes: stdout is data, stderr is talk; colour and width as the terminal and the user want them."""

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TextIO

from reconciler.render.style import Palette, want_color

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
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
            sys.stdout.flush()

    def talk(self, text: str) -> None:
        """Write talk to standard error, unless told to be quiet."""
        if text and not self.quiet:
            sys.stderr.write(text if text.endswith("\n") else text + "\n")
            sys.stderr.flush()


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
