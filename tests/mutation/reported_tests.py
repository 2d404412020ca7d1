"""A plugin for pytest that reports, among the places that are reached, which test runs, and its result.

A fixture of a module or a session is made in the first test that needs it. What it reaches counts for every test.
"""

import builtins
import json
from collections.abc import Generator
from typing import Any

import pytest

ALL_TESTS = "*"
_running = [ALL_TESTS]


def pytest_configure() -> None:
    _report(test=ALL_TESTS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _running.append(item.nodeid)
    _report(test=item.nodeid)
    try:
        return (yield)
    finally:
        _running.pop()
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
    _report(phase=report.nodeid, seconds=round(report.duration, 3), failed=report.failed)


def _report(**values: object) -> None:
    builtins._reached.mark(json.dumps(values))  # type: ignore[attr-defined]
