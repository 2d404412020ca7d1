"""Fixtures: a real uv, an index, an interpreter, and a workbench of them."""

from pathlib import Path

import pytest

from reconciler.engines.uv import UvEngine
from reconciler.interpreters.model import Interpreter
from reconciler.manifest.desired import Index
from tests.lock.workbench import Workbench
from tests.resolving import engine as engine
from tests.resolving import indexes as indexes
from tests.resolving import interpreter as interpreter
from tests.resolving import served as served


@pytest.fixture
def bench(tmp_path: Path, engine: UvEngine, interpreter: Interpreter, indexes: tuple[Index, ...]) -> Workbench:
    """Return a workbench in an empty directory, with one index."""
    directory = tmp_path / "work"
    directory.mkdir()
    return Workbench(directory=directory, engine=engine, interpreter=interpreter, indexes=indexes)
