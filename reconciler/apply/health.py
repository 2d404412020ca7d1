"""Run the health check of a published generation again and again, until it passes or its time is over."""

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event

from reconciler.apply.probe import run_health_check
from reconciler.canonical_json import Json
from reconciler.diff.masking import Disclosure
from reconciler.errors import HealthError, InterruptedByUserError

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0


def wait_until_healthy(
    health: Mapping[str, Json],
    env: Mapping[str, str],
    stop: Event,
    disclosure: Disclosure,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], bool] | None = None,
) -> str:
    """Run a health check, as the settings have it, until it passes; return how often it was run, in words.

    `disclosure` says what may be shown of it. Between two attempts it waits for a second at first, then longer. The
    last attempt begins before the time is over. `clock` returns seconds, and `wait` waits for seconds and returns
    whether to stop; by default it waits for `stop`.
    Raises HealthError if the check does not pass in time, or InterruptedByUserError.
    """
    argv = _argv(health)
    seconds, timeout = _number(health, "for"), _number(health, "timeout")
    deadline = clock() + seconds
    pause, attempts = FIRST_PAUSE_SECONDS, 0
    while True:
        attempts += 1
        try:
            run_health_check(argv, env, timeout, disclosure)
        except HealthError as error:
            failed = error
        else:
            return "passed" if attempts == 1 else f"passed on attempt {attempts}"
        remaining = deadline - clock()
        if stop.is_set() or (remaining > 0 and (wait or stop.wait)(min(pause, remaining))):
            raise InterruptedByUserError("interrupted during the trial", hint=None)
        if deadline - clock() <= 0:
            break
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    what = f"{failed.message} ({times} in {seconds:g} {'second' if seconds == 1 else 'seconds'})"
    raise HealthError(what, hint=failed.hint, details=tuple(failed.details))


def _argv(health: Mapping[str, Json]) -> Sequence[str]:
    run = health.get("run")
    return [str(part) for part in run] if isinstance(run, list) else []


def _number(health: Mapping[str, Json], key: str) -> float:
    value = health.get(key)
    return float(value) if isinstance(value, int | float) else 0.0
