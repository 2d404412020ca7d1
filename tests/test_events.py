"""The exit code of an apply, and an error as the failure of an environment."""

from typing import Any

import pytest

from reconciler.errors import LockError
from reconciler.events import LOCK_FAILED, EnvironmentFinished, Failure, RunFinished, Status
from reconciler.plan.model import Action

HOOK = Failure(code="hook-failed", message="hook `true` failed", hint="")
COLLECTION = Failure(code="gc-failed", message="generation 1 could not be deleted", hint="")


def ended(status: Status, **more: Any) -> EnvironmentFinished:
    return EnvironmentFinished(environment="web", status=status, action=Action.UPDATE, **more)


DONE = [Status.APPLIED, Status.UNCHANGED, Status.STAGED, Status.LEFT, Status.HELD]
ALONE = {
    **dict.fromkeys(DONE, 0),
    Status.FAILED: 1,
    Status.HOOK_FAILED: 4,
    Status.UNHEALTHY: 4,
    Status.ROLLED_BACK: 4,
    Status.BLOCKED: 4,
    Status.INTERRUPTED: 0,  # the run as a whole says that
}


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_exit_code(status: Status) -> None:
    assert RunFinished(environments=(ended(status),)).exit_code == ALONE[status]
    assert RunFinished(environments=(ended(Status.UNCHANGED), ended(status))).exit_code == ALONE[status]
    assert RunFinished(environments=(ended(status),), interrupted=True).exit_code == 130
    collected = RunFinished(environments=(ended(status),), failure=COLLECTION)
    assert collected.exit_code == (ALONE[status] or 4)


@pytest.mark.parametrize(
    ("environments", "code"),
    [
        ((), 0),
        ((ended(Status.FAILED), ended(Status.APPLIED)), 4),
        ((ended(Status.FAILED), ended(Status.STAGED)), 4),
        ((ended(Status.FAILED), ended(Status.LEFT), ended(Status.HELD)), 1),
        ((ended(Status.FAILED), ended(Status.BLOCKED)), 1),
        ((ended(Status.FAILED, failure=HOOK),), 4),
        ((ended(Status.BLOCKED, reason=LOCK_FAILED),), 1),
        ((ended(Status.BLOCKED, reason=LOCK_FAILED), ended(Status.APPLIED)), 4),
        ((ended(Status.BLOCKED, reason="dependency-failed"),), 4),
    ],
)
def test_a_failure_counts_as_partly_applied_if_something_was_done(
    environments: tuple[EnvironmentFinished, ...], code: int
) -> None:
    assert RunFinished(environments=environments).exit_code == code


def test_an_error_becomes_a_failure_with_all_that_it_says() -> None:
    error = LockError("it is out of date", hint="lock it", details=("one", "two"))
    assert Failure.of(error) == Failure(
        code="lock", message="it is out of date", hint="lock it", details=("one", "two")
    )
    assert Failure.of(LockError("it is", hint=None), suffix="; so") == Failure(
        code="lock", message="it is; so", hint=""
    )
