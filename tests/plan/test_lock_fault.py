"""The fault of an environment whose lock cannot be used keeps the message and the hint of the error."""

from pathlib import Path

import pytest

from reconciler.diff.faults import lock_fault
from reconciler.diff.model import ReasonCode
from reconciler.errors import LockError, NewerLockError, UnsetVariableError

LOCK = Path("/srv/locks/pylock.web.toml")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (LockError, ReasonCode.LOCK_UNREADABLE),
        (NewerLockError, ReasonCode.NEWER_FORMAT),
        (UnsetVariableError, ReasonCode.UNSET_VARIABLE),
    ],
)
@pytest.mark.parametrize("hint", ["delete it", None])
def test_the_fault_says_what_the_error_says(kind: type[LockError], code: ReasonCode, hint: str | None) -> None:
    fault = lock_fault(kind(f"{LOCK}: damaged", hint=hint), LOCK)
    assert (fault.code, fault.message, fault.hint) == (code, "pylock.web.toml: damaged", hint or "")
