"""Deadlines: every attempt of the network fits into the whole, and uv is told in whole seconds."""

import pytest

from reconciler.engines.deadlines import Deadlines


@pytest.mark.parametrize("seconds", [1, 2.5, 4, 29.9, 30, 60, 300, 1e6])
def test_every_attempt_fits_into_the_whole(seconds: float) -> None:
    found = Deadlines.within(seconds)
    assert (found.resolve, found.install, found.venv) == (seconds, seconds, seconds)
    assert found.silence * (found.retries + 1) <= seconds / 2
    assert found.connect * (found.retries + 1) <= seconds / 2


def test_more_time_never_makes_the_network_more_patient_than_it_is_by_itself() -> None:
    usual, long = Deadlines(), Deadlines.within(1e6)
    assert (long.silence, long.connect, long.retries) == (usual.silence, usual.connect, usual.retries)


@pytest.mark.parametrize(("seconds", "told"), [(0.2, "1"), (1.9, "1"), (20.0, "20")])
def test_the_variables_hold_whole_seconds(seconds: float, told: str) -> None:
    found = Deadlines(silence=seconds, connect=seconds, retries=0).environment()
    assert found["UV_HTTP_TIMEOUT"] == found["UV_HTTP_CONNECT_TIMEOUT"] == found["GIT_HTTP_LOW_SPEED_TIME"] == told
    assert found["UV_HTTP_RETRIES"] == "0"
