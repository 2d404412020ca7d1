"""Fixtures: a real uv, an index, an interpreter."""

from tests.resolving import engine as engine
from tests.resolving import indexes as indexes
from tests.resolving import interpreter as interpreter
from tests.resolving import served as served
