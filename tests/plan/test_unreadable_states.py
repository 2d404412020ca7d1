"""What counts as last applied if the state of an environment cannot be read."""

from dataclasses import replace

from reconciler.diff.compare import declared_or_readable
from reconciler.diff.faults import state_faults
from reconciler.errors import StateError
from reconciler.state.store import UnreadableState
from tests.plan.build import applied_environment, world


def test_what_the_other_file_says_counts_for_a_declared_environment_only() -> None:
    desired = world({"manifest": {"web": {}, "api": {}, "job": {}}}).desired
    readable, known, other = (applied_environment(name, {}) for name in ("web", "api", "old"))
    error = StateError("the record cannot be read", hint="repair it")
    unreadable = {
        "api": UnreadableState(error=error, applied=known, deleted=False),
        "job": UnreadableState(error=error, applied=None, deleted=False),
        "old": UnreadableState(error=error, applied=other, deleted=False),
    }
    assert declared_or_readable(desired, {"web": readable}, unreadable) == {"web": readable, "api": known}


def test_an_undeclared_environment_that_may_be_our_own_has_a_fault_unless_others_were_selected() -> None:
    desired = world({"manifest": {"web": {}}, "declared": ["web", "api"]}).desired
    error = StateError("the record cannot be read", hint="repair it")
    ours, theirs = applied_environment("old", {}), replace(applied_environment("theirs", {}), project="other")
    unreadable = {
        "web": UnreadableState(error=error, applied=None, deleted=False),
        "api": UnreadableState(error=error, applied=None, deleted=False),
        "old": UnreadableState(error=error, applied=ours, deleted=False),
        "unknown": UnreadableState(error=error, applied=None, deleted=False),
        "theirs": UnreadableState(error=error, applied=theirs, deleted=False),
        "deleted": UnreadableState(error=error, applied=None, deleted=True),
    }
    assert list(state_faults(desired, unreadable)) == ["old", "unknown", "web"]
    selected = replace(desired, selected=True)
    assert list(state_faults(selected, unreadable)) == ["web"]
    assert list(state_faults(selected, unreadable, named=frozenset({"theirs", "gone"}))) == ["theirs", "web"]
