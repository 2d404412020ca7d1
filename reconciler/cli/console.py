"""Where output goes: data to standard output, messages to standard error, with colors and width for the terminal."""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from reconciler.errors import OutputError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.render.color import want_color
from reconciler.render.manifest_option import with_manifest_option
from reconciler.render.style import Palette

_WIDTH_OFF_A_TERMINAL = 100


@dataclass(frozen=True, slots=True)
class Console:
    """The two output streams of this process; `quiet` and `verbose` are as given on the command line."""

    color: str = "auto"
    quiet: bool = False
    verbose: int = 0

    def palette(self, stream: TextIO) -> Palette:
        """Return the colors for a stream."""
        return Palette.chosen(color=want_color(self.color, stream.isatty(), os.environ))

    @property
    def width(self) -> int:
        """Return the width to wrap at, in columns: that of the terminal, or a fixed width without one."""
        return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else _WIDTH_OFF_A_TERMINAL

    def print(self, text: str) -> None:
        """Write data to standard output."""
        if text:
            _write(sys.stdout, text)

    def message(self, text: str) -> None:
        """Write a message to standard error, unless `quiet` is set; commands in it get the manifest that was named."""
        if text and not self.quiet:
            _write(sys.stderr, with_manifest_option(text))


@contextmanager
def output_errors(stream: TextIO) -> Iterator[None]:
    """Continue if the reader of a stream is gone (`| head`): the rest is discarded, and the exit code stays the same.

    Raises OutputError if the stream cannot be written for any other reason (a full disk).
    """
    try:
        yield
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputError(
                f"the output could not be written: {error.strerror}", hint=os_error_hint(error)
            ) from error


def open_streams() -> None:
    """Open standard streams that are closed (`>&-`), so that no file gets their numbers; and never fail to encode."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123  # open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Unicode names are escaped on a terminal without it
            stream.reconfigure(errors="backslashreplace")


def _write(stream: TextIO, text: str) -> None:
    with output_errors(stream):
        stream.write(text if text.endswith("\n") else text + "\n")
        stream.flush()


CONSOLE = Console()


def console() -> Console:
    """Return the console of this process."""
    return CONSOLE


def set_console(new: Console) -> None:
    """Set the console of this process; called once, before a command starts."""
    global CONSOLE  # one process has one console
    CONSOLE = new


def shown_root(root: str) -> str:
    """Return a root relative to the working directory if it is below it, and absolute otherwise."""
    relative = os.path.relpath(root)
    return root if relative.startswith("..") else relative
