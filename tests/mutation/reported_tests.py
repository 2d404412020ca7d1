"""A plugin for pytest that reports, among the places that are reached, which test runs, and its result.

A fixture of a module or a session is made in the first test that needs it. What it reaches counts for every test.
"""

import builtins
import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

COLLECTION = "collection"
ALL_TESTS = "*"
_running = [ALL_TESTS]
_TICKS = os.sysconf("SC_CLK_TCK")


def pytest_configure() -> None:
    _report(test=COLLECTION)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    _report(test=ALL_TESTS)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _running.append(item.nodeid)
    _report(test=item.nodeid)
    before = processor_seconds()
    try:
        return (yield)
    finally:
        _running.pop()
        _report(ended=item.nodeid, seconds=round(max(0.0, processor_seconds() - before), 2))
        _report(test=_running[-1])


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
    if fixturedef.scope == "function":
        return (yield)
    _running.append(ALL_TESTS)
    _report(test=ALL_TESTS)
    try:
        return (yield)
    finally:
        _running.pop()
        _report(test=_running[-1])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _report(phase=report.nodeid, failed=report.failed)


def processor_seconds() -> float:
    """Return the processor time of this process, of the processes below it, and of those that they waited for.

    A busy machine does not change it, so what fits a budget is the same on every day. Only Linux lists the processes
    below another; elsewhere those that did not end yet are missing.
    """
    own = os.times()
    found = own.user + own.system + own.children_user + own.children_system
    waiting = _children(os.getpid())
    while waiting:
        process = waiting.pop()
        try:
            fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        except OSError:  # it has ended
            continue
        found += sum(int(each) for each in fields.split()[11:15]) / _TICKS
        waiting += _children(process)
    return found


def _children(process: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        return [int(each) for thread in threads for each in (thread / "children").read_text(encoding="utf-8").split()]
    except OSError:
        return []


def _report(**values: object) -> None:
    builtins._reached.mark(json.dumps(values))  # type: ignore[attr-defined]
