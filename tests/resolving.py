"""Fixtures for tests that resolve and install with the real uv from a local index."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engines.uv import UvEngine
from reconciler.interpreters.model import Interpreter
from reconciler.interpreters.query import query_interpreter
from reconciler.manifest.desired import Index
from tests.index import ServedIndex, serve_index
from tests.wheels import make_sdist, make_wheel


@pytest.fixture(scope="session")
def interpreter(pythons: dict[str, Path]) -> Interpreter:
    """Return a real interpreter with its facts: 3.11 if the machine has it."""
    return query_interpreter(str(pythons.get("3.11") or list(pythons.values())[-1]))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedIndex]:
    """Yield an index: alpha 1.0, 1.1 (require beta), beta 1.0, 2.0, both 1.0 (wheel and sdist), delta 1.0 (sdist)."""
    wheels = tmp_path / "wheels"
    for version in ("1.0", "1.1"):
        make_wheel(wheels, "alpha", version, requires=["beta"])
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "beta", version)
    make_wheel(wheels, "both", "1.0")
    make_sdist(wheels, "both", "1.0")
    make_sdist(wheels, "delta", "1.0")
    with serve_index(wheels) as index:
        yield index


@pytest.fixture
def indexes(served: ServedIndex) -> tuple[Index, ...]:
    """Return the served index as the only index of a manifest."""
    return (Index(name="local", url=served.url),)


@pytest.fixture
def engine(tmp_path: Path) -> UvEngine:
    """Return uv with its own cache."""
    return UvEngine(ambient=dict(os.environ), cache=tmp_path / "uv-cache")


def soon(condition: object, *, seconds: float = 10.0) -> bool:
    """Return whether `condition()` becomes true within `seconds`."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
