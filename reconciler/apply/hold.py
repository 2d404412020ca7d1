"""Hold an environment, so that applies leave it alone, and release it: only the record is written."""

from dataclasses import replace

from reconciler.apply.last_applied import last_applied_to
from reconciler.backticks import list_in_backticks
from reconciler.errors import UsageError
from reconciler.state.applied import Applied
from reconciler.state.hold import Hold
from reconciler.state.store import State


def hold_environment(state: State, project: str, name: str, hold: Hold) -> Applied:
    """Hold `name` as it is now; return its new record. An earlier hold is replaced.

    The root mutex must be held. Raises UsageError if it was never applied or is deleted, StateError if the record
    cannot be read or written.
    """
    current = last_applied_to(state, project, name)
    if state.deleted(name) is not None:
        raise UsageError(
            f"environment `{name}` is deleted, so it cannot be held",
            hint=f"run `envsync rollback {name} --hold REASON` to restore and hold it",
        )
    return record_hold(state, current, hold)


def record_hold(state: State, current: Applied, hold: Hold | None) -> Applied:
    """Record that `hold` begins (None: that it ends), and keep the rest of `current`; return the new record.

    Raises StateError if it cannot be written.
    """
    held = replace(current, hold=hold)
    state.record(held)
    return held


def release_environment(state: State, project: str, name: str) -> Hold:
    """End the hold of `name` and return it.

    The root mutex must be held. Raises UsageError if it is not held, StateError if the record cannot be read or
    written.
    """
    current = last_applied_to(state, project, name)
    if current.hold is None or state.deleted(name) is not None:
        held = sorted(each.name for each in state.last_applied().values() if each.project == project and each.hold)
        raise UsageError(
            f"environment `{name}` is not held",
            hint=f"release one that is held: {list_in_backticks(held)}"
            if held
            else "nothing to do: no environment is held",
        )
    record_hold(state, current, None)
    return current.hold
