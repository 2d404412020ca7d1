"""Deadlines: all attempts fit into the time limit, and uv gets whole seconds."""

import pytest

from reconciler.engines.deadlines import Deadlines


@pytest.mark.parametrize("seconds", [1, 2.5, 4, 29.9, 30, 60, 300, 1e6])
def test_all_attempts_fit_into_the_time_limit(seconds: float) -> None:
    found = Deadlines.within(seconds)
    assert (found.resolve, found.install, found.venv) == (seconds, seconds, seconds)
    assert found.silence * (found.retries + 1) <= seconds / 2
    assert found.connect * (found.retries + 1) <= seconds / 2


def test_more_time_does_not_raise_the_limits_of_one_request_above_the_defaults() -> None:
    usual, long = Deadlines(), Deadlines.within(1e6)
    assert (long.silence, long.connect, long.retries) == (usual.silence, usual.connect, usual.retries)


@pytest.mark.parametrize(("seconds", "variable"), [(0.2, "1"), (1.9, "1"), (20.0, "20")])
def test_the_variables_are_whole_seconds(seconds: float, variable: str) -> None:
    found = Deadlines(silence=seconds, connect=seconds, retries=0).environment()
    assert found["UV_HTTP_TIMEOUT"] == found["UV_HTTP_CONNECT_TIMEOUT"] == found["GIT_HTTP_LOW_SPEED_TIME"] == variable
    assert found["UV_HTTP_RETRIES"] == "0"
