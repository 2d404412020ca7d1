"""Sees which functions of the program are called, and with which arguments. The functions themselves run as usual."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Call = tuple[str, dict[str, Any]]  # the name of a function, and its arguments other than the defaults


@contextmanager
def observed_calls(*functions: Callable[..., object], by: str = "") -> Iterator[list[Call]]:
    """Return the calls of some functions that this thread makes in the block, in their order.

    `by` is the package whose calls count; empty: those of every module. A context manager is called when its block
    begins.
    """
    watched = {inspect.unwrap(each).__code__: each for each in functions}
    found: list[Call] = []
    seen: list[FrameType] = []  # a generator is called again after each of its values

    def observe(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in watched and frame not in seen and _caller(frame).startswith(by):
            seen.append(frame)
            function = watched[frame.f_code]
            own = {each.name: each.default for each in inspect.signature(function).parameters.values()}
            given = {name: frame.f_locals[name] for name in own if name != "self"}
            found.append((function.__name__, {name: each for name, each in given.items() if each != own[name]}))

    earlier = sys.getprofile()
    sys.setprofile(observe)
    try:
        yield found
    finally:
        sys.setprofile(earlier)


def _caller(frame: FrameType) -> str:
    """Return the name of the module that calls a function, or that begins the block of a context manager."""
    outer = frame.f_back
    while outer is not None and outer.f_globals["__name__"] == "contextlib":
        outer = outer.f_back
    return "" if outer is None else str(outer.f_globals["__name__"])
