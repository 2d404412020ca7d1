"""Find what was last applied to an environment, for commands that change it without a plan."""

from reconciler.errors import UsageError
from reconciler.state.applied import Applied
from reconciler.state.applied_names import applied_names_hint, never_applied
from reconciler.state.store import State


def last_applied_to(state: State, project: str, name: str) -> Applied:
    """Return what was last applied to `name`, even if it was deleted since; raises UsageError."""
    deleted = state.deleted(name)
    last = deleted.applied if deleted else state.applied(name)
    if last is None:
        owned = [each.name for each in state.last_applied().values() if each.project == project]
        raise UsageError(never_applied([name]), hint=applied_names_hint([name], owned) or "run `envsync apply`")
    if last.project != project:
        raise UsageError(
            f"project `{last.project}` owns `{name}` in the same root",
            hint="run the command with the manifest of that project",
        )
    return last
