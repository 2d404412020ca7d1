"""A health check is run again until it passes; the last attempt begins before its time is over."""

import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from reconciler.apply.health import wait_until_healthy
from reconciler.diff.masking import Disclosure
from reconciler.errors import HealthError, InterruptedByUserError


def settings(code: str, seconds: float = 20.0) -> dict[str, object]:
    return {"run": [sys.executable, "-c", code], "for": seconds, "timeout": 30.0, "otherwise": "keep"}


class FakeClock:
    """A clock that only waits move; `stops` is after how many waits the run is interrupted."""

    def __init__(self, stops: int = -1) -> None:
        self.now, self.waits, self.stops = 0.0, list[float](), stops

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self.waits.append(seconds)
        return len(self.waits) == self.stops


def check(code: str, clock: FakeClock, stop: Event | None = None) -> str:
    env = {"PATH": "/bin"}
    found: Callable[..., str] = wait_until_healthy
    return found(settings(code), env, stop or Event(), Disclosure(), clock=lambda: clock.now, wait=clock.wait)


def test_it_passes_at_once_or_later(tmp_path: Path) -> None:
    clock = FakeClock()
    assert check("", clock) == "passed"
    assert clock.waits == []
    code = f"f = open({str(tmp_path / 'n')!r}, 'a'); f.write('x'); f.flush(); raise SystemExit(f.tell() < 3)"
    assert check(code, clock) == "passed on attempt 3"
    assert clock.waits == [1, 2]


def test_it_fails_with_the_last_output_when_the_time_is_over() -> None:
    clock = FakeClock()
    with pytest.raises(HealthError) as caught:
        check("import sys; print('refused', file=sys.stderr); sys.exit(7)", clock)
    assert "exit code 7 (5 attempts in 20 seconds)" in caught.value.message
    assert caught.value.details == ("refused",)
    assert clock.waits == [1, 2, 4, 8, 5]


def test_a_signal_ends_the_wait() -> None:
    clock = FakeClock(stops=2)
    with pytest.raises(InterruptedByUserError):
        check("raise SystemExit(1)", clock)
    assert clock.waits == [1, 2]
    stopped = Event()
    stopped.set()
    with pytest.raises(InterruptedByUserError):
        check("raise SystemExit(1)", FakeClock(), stopped)
