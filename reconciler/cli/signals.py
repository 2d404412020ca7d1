"""SIGINT and SIGTERM stop a command cleanly, children included; a second signal stops it at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from reconciler import exit_codes
from reconciler.cli.console import Console
from reconciler.processes.child import allow_children, kill_children, stop_children

_STOPPING = "stopping: published environments stay, unfinished builds are discarded (interrupt again to stop at once)\n"

_signalled = threading.Event()  # set by the first signal


def stop_on_signals() -> None:
    """Let a first SIGINT or SIGTERM raise KeyboardInterrupt, and a second one end this process at once."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        _exit_at_second_signal()
        raise KeyboardInterrupt

    _signalled.clear()
    _handle_signals(on_signal)


@contextmanager
def interruptible(out: Console) -> Iterator[threading.Event]:
    """Yield an event that the first signal sets instead of raising; the previous handlers are restored at the end."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        _exit_at_second_signal()
        stop.set()
        stop_children()
        if not out.quiet:  # not through the stream: this thread may be writing to it
            with suppress(OSError):
                os.write(sys.stderr.fileno(), _STOPPING.encode())

    allow_children()
    before = _handle_signals(on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle_signals(handler: "signal._HANDLER") -> "dict[int, signal._HANDLER]":
    """Set the handler of both signals; return the previous ones."""
    return {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}


def _exit_at_second_signal() -> None:
    """End this process and its children at once if this is the second signal; the next apply cleans up."""
    if _signalled.is_set():
        kill_children()
        os._exit(exit_codes.INTERRUPTED)
    _signalled.set()
