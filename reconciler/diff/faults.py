"""What makes an environment faulty: no interpreter, or a lock or a state that cannot be read. The others go on."""

from collections.abc import Mapping
from pathlib import Path, PurePath

from reconciler.diff.model import Fault, ReasonCode
from reconciler.errors import (
    InterpreterError,
    LockError,
    NewerFormatError,
    NewerLockError,
    RefusedInterpreterError,
    RefusedLockError,
    UnsetVariableError,
)
from reconciler.interpreters.request import parse_request
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.state.layout import Layout
from reconciler.state.store import UnreadableState


def interpreter_fault(environment: DesiredEnvironment, error: InterpreterError) -> Fault:
    """Return the fault of an environment without an interpreter, with the place of its request in the manifest."""
    version = environment.python
    message = f"no python {version}" + (f": {error.unused}" if error.unused else "")
    if parse_request(version) is None or isinstance(error, RefusedInterpreterError):
        message = error.message
    found = "" if error.unused else ", ".join(dict.fromkeys(error.found))
    return Fault(
        code=ReasonCode.NO_INTERPRETER,
        message=message + _place(environment),
        hint="; ".join(each for each in (error.hint, f"found {found}" if found else "") if each),
    )


def missing_in_snapshot(environment: DesiredEnvironment) -> Fault:
    """Return the fault of an environment for which a snapshot lists no interpreter."""
    version = environment.python
    return Fault(
        code=ReasonCode.NO_INTERPRETER,
        message=f"the snapshot lists no python {version}{_place(environment)}",
        hint="install one on the host, and take a new snapshot",
    )


def lock_fault(error: LockError, path: Path) -> Fault:
    """Return the fault of an environment whose lock, at `path`, cannot be used."""
    match error:
        case UnsetVariableError():
            code = ReasonCode.UNSET_VARIABLE
        case NewerLockError():
            code = ReasonCode.NEWER_FORMAT
        case RefusedLockError():
            code = ReasonCode.LOCK_REFUSED
        case _:
            code = ReasonCode.LOCK_UNREADABLE
    return Fault(code=code, message=Layout(path.parent).with_short_paths(error.message), hint=error.hint or "")


def state_faults(
    desired: DesiredState, unreadable: Mapping[str, UnreadableState], *, named: frozenset[str] = frozenset()
) -> dict[str, Fault]:
    """Return, by name, the faults of the environments whose record or seal cannot be read.

    These are the selected ones, those that are `named` otherwise (to be destroyed or renamed), and without a selection
    also undeclared ones that may belong to this project.
    """
    names = {each.name for each in desired.environments} | named
    if not desired.selected:
        names |= {
            name
            for name, each in unreadable.items()
            if name not in desired.declared
            and not each.deleted  # `envsync gc` names it
            and (each.applied is None or each.applied.project == desired.project)
        }
    return {name: _state_fault(unreadable[name], desired.root) for name in sorted(names & unreadable.keys())}


def _state_fault(unreadable: UnreadableState, root: Path) -> Fault:
    error = unreadable.error
    code = ReasonCode.NEWER_FORMAT if isinstance(error, NewerFormatError) else ReasonCode.STATE_UNREADABLE
    return Fault(code=code, message=Layout(root).with_short_paths(error.message), hint=error.hint or "")


def _place(environment: DesiredEnvironment) -> str:
    """Return where the manifest requests the Python, without the manifest's directory: ` (envs.yaml:7:8)`."""
    return f" ({PurePath(environment.python_place).name})" if environment.python_place else ""
