"""The faults of environments: the whole message and the hint of each."""

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.diff.faults import interpreter_fault, lock_fault, missing_in_snapshot, state_faults
from reconciler.diff.model import Fault, ReasonCode
from reconciler.errors import (
    InterpreterError,
    LockError,
    NewerFormatError,
    NewerLockError,
    RefusedInterpreterError,
    RefusedLockError,
    StateError,
    UnsetVariableError,
)
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.state.store import UnreadableState
from tests.plan.build import world

ROOT = Path("/srv/acme/.envs")
LOCK = Path("/srv/locks/pylock.web.toml")
WEB = DesiredEnvironment(name="web", python="3.13", python_place="/srv/acme/envs.yaml:7:8")
HINT = "install one"


@pytest.mark.parametrize(
    ("environment", "error", "message", "hint"),
    [
        (WEB, InterpreterError("none", hint=HINT), "no python 3.13 (envs.yaml:7:8)", "install one"),
        (replace(WEB, python_place=""), InterpreterError("none", hint=HINT), "no python 3.13", "install one"),
        (
            WEB,
            InterpreterError("none", hint=HINT, found=("3.12.1", "3.11.4", "3.12.1")),
            "no python 3.13 (envs.yaml:7:8)",
            "install one; found 3.12.1, 3.11.4",
        ),
        (WEB, InterpreterError("none", hint=None, found=("3.12.1",)), "no python 3.13 (envs.yaml:7:8)", "found 3.12.1"),
        (WEB, InterpreterError("none", hint=None), "no python 3.13 (envs.yaml:7:8)", ""),
        (
            WEB,
            InterpreterError("none", hint="take it back", found=("3.12.1",), unused="others may change it"),
            "no python 3.13: others may change it (envs.yaml:7:8)",
            "take it back",
        ),
        (
            replace(WEB, python="/opt/python"),
            InterpreterError("no interpreter at `/opt/python`", hint=HINT),
            "no interpreter at `/opt/python` (envs.yaml:7:8)",
            "install one",
        ),
        (
            WEB,
            RefusedInterpreterError("others may change it", hint="take it back", curable=True),
            "others may change it (envs.yaml:7:8)",
            "take it back",
        ),
    ],
)
def test_without_an_interpreter_the_fault_says_what_is_requested_and_what_exists(
    environment: DesiredEnvironment, error: InterpreterError, message: str, hint: str
) -> None:
    assert interpreter_fault(environment, error) == Fault(code=ReasonCode.NO_INTERPRETER, message=message, hint=hint)


@pytest.mark.parametrize(("place", "shown"), [(WEB.python_place, " (envs.yaml:7:8)"), ("", "")])
def test_a_snapshot_without_an_interpreter_is_a_fault(place: str, shown: str) -> None:
    assert missing_in_snapshot(replace(WEB, python_place=place)) == Fault(
        code=ReasonCode.NO_INTERPRETER,
        message=f"the snapshot lists no python 3.13{shown}",
        hint="install one on the host, and take a new snapshot",
    )


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (LockError, ReasonCode.LOCK_UNREADABLE),
        (NewerLockError, ReasonCode.NEWER_FORMAT),
        (RefusedLockError, ReasonCode.LOCK_REFUSED),
        (UnsetVariableError, ReasonCode.UNSET_VARIABLE),
    ],
)
@pytest.mark.parametrize("hint", ["delete it", None])
def test_the_fault_of_a_lock_says_what_the_error_says(
    kind: type[LockError], code: ReasonCode, hint: str | None
) -> None:
    fault = lock_fault(kind(f"{LOCK}: damaged", hint=hint), LOCK)
    assert fault == Fault(code=code, message="pylock.web.toml: damaged", hint=hint or "")


@pytest.mark.parametrize(
    ("kind", "code"), [(StateError, ReasonCode.STATE_UNREADABLE), (NewerFormatError, ReasonCode.NEWER_FORMAT)]
)
@pytest.mark.parametrize("hint", ["repair it", None])
def test_the_fault_of_a_state_says_what_the_error_says(
    kind: type[StateError], code: ReasonCode, hint: str | None
) -> None:
    desired = replace(world({"manifest": {"web": {}}}).desired, root=ROOT)
    error = kind(f"{ROOT}/.envsync/state/web.json: damaged", hint=hint)
    assert state_faults(desired, {"web": UnreadableState(error=error, applied=None, deleted=False)}) == {
        "web": Fault(code=code, message=".envsync/state/web.json: damaged", hint=hint or "")
    }
