"""A plugin for pytest that leaves out the tests that the file `LEFT_OUT_TESTS` names, one name a line."""

import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = set(Path(os.environ["LEFT_OUT_TESTS"]).read_text(encoding="utf-8").split("\n"))
    dropped = [each for each in items if each.nodeid in left_out]
    items[:] = [each for each in items if each.nodeid not in left_out]
    config.hook.pytest_deselected(items=dropped)
