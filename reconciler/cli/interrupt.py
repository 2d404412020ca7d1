"""SIGINT and SIGTERM stop an apply cleanly: children are ended, nothing is half-done; a second one stops at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.cli.screen import Screen
from reconciler.engines.child import allow_children, stop_children

_EXIT = 130


@contextmanager
def interruptible(out: Screen) -> Iterator[threading.Event]:
    """Yield an event that the first signal sets; handlers are put back at the end."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(_EXIT)  # the kernel ends our children with us; the next apply clears up
        stop.set()
        stop_children()
        out.talk("stopping: what is published stays, what is half-built goes (again to stop at once)")

    allow_children()
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
