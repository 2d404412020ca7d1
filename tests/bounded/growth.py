"""Measures how the processor time of a function grows with the length of its argument."""

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class TooLongError(Exception):
    """A function used more processor time than it was given."""


def processor_seconds(function: Callable[[T], object], argument: T, *, most: float) -> float:
    """Return the processor time that a call takes; raises TooLongError once it has taken `most` seconds.

    A regular expression can be interrupted too: `re` looks for signals while it matches.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, most)
    begun = time.process_time()
    try:
        function(argument)
        return time.process_time() - begun
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def is_linear(
    function: Callable[[T], object], make: Callable[[int], T], *, length: int, quick: float, most: float
) -> bool:
    """Return whether the time of `function(make(n))` is about proportional to n.

    A call that takes less than `quick` seconds at `length` is not examined further: quadratic work takes longer at that
    length. For others, four times the length must take less than nine times as long. That is far from the factor 4 of
    linear and from the factor 16 of quadratic work. The fastest of three calls counts, and three comparisons must
    agree, because other programs use the processor too.
    """
    try:
        if processor_seconds(function, make(length), most=most) < quick:
            return True
        for _ in range(3):
            short, long = make(length), make(4 * length)
            first = min(processor_seconds(function, short, most=most) for _ in range(3))
            second = min(processor_seconds(function, long, most=most) for _ in range(3))
            if second < 9 * max(first, quick / 10):
                return True
    except TooLongError:
        pass
    return False
