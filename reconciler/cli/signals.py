"""SIGINT and SIGTERM stop a command cleanly: children are ended, nothing is half-done; a second one stops at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from reconciler.cli.console import Screen
from reconciler.processes.child import allow_children, kill_children, stop_children

_EXIT = 130
_STOPPING = "stopping: what is published stays, what is half-built goes (again to stop at once)\n"

_signalled = threading.Event()  # a first signal came


def stop_on_signals() -> None:
    """Let a first SIGINT or SIGTERM raise KeyboardInterrupt, and a second one end this process at once."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        _end_at_the_second()
        raise KeyboardInterrupt

    _signalled.clear()
    _listen(on_signal)


@contextmanager
def interruptible(out: Screen) -> Iterator[threading.Event]:
    """Yield an event that the first signal sets instead of raising; handlers are put back at the end."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        _end_at_the_second()
        stop.set()
        stop_children()
        if not out.quiet:  # past the stream, which this thread may be writing to just now
            with suppress(OSError):
                os.write(sys.stderr.fileno(), _STOPPING.encode())

    allow_children()
    before = _listen(on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(handler: "signal._HANDLER") -> "dict[int, signal._HANDLER]":
    """Set the handler of both signals; return those that were set."""
    return {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}


def _end_at_the_second() -> None:
    """End this process and its children where a signal came before: nothing is waited for, the next apply clears up."""
    if _signalled.is_set():
        kill_children()
        os._exit(_EXIT)
    _signalled.set()
