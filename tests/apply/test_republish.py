"""Publishing again: an error says whether it was done, and what could not be restored is deleted as before."""

import datetime as dt
import errno
import os
from functools import partial
from pathlib import Path

import pytest

from reconciler.apply.republish import _saying_what_was_done, republish
from reconciler.errors import ApplyError, StateError
from reconciler.state.applied import Applied
from reconciler.state.deleted import Deleted
from reconciler.state.store import State
from tests.faults.killed import run_killed
from tests.state.records import applied, publish, sealed

SPACE = "free disk space, then run the command again"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return made(tmp_path)


def made(root: Path) -> State:
    """Return a root with generations 1 and 2 of `web`; 2 is published."""
    state = State.at(root)
    last = [applied(generation=number, seal=sealed(state.layout, applied(generation=number))) for number in (1, 2)]
    publish(state.layout, "web", 2)
    state.record(last[1])
    return state


def delete(state: State, last: Applied) -> None:
    state.layout.environment("web").unlink()
    state.keep_deleted("web", Deleted.now(last, dt.timedelta(days=7)))
    state.forget("web")


@pytest.mark.parametrize(
    ("error", "problem", "hint"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a"), "`/a`: No space left on device", SPACE),
        (OSError(errno.EIO, "I/O error"), "I/O error", None),
        (OSError("broken"), "broken", None),
        (StateError("a seal is damaged", hint="restore it"), "a seal is damaged", "restore it"),
    ],
)
def test_an_error_says_whether_it_was_done(
    error: OSError | StateError, problem: str, hint: str | None, state: State
) -> None:
    def said(number: int, *, restores: bool) -> tuple[str, str | None]:
        with pytest.raises(StateError) as caught, _saying_what_was_done(state, "web", number, restores=restores):
            raise error
        assert caught.value.__cause__ is error
        return caught.value.message, caught.value.hint

    done = "the rollback is done: do not repeat it"
    assert said(2, restores=False) == (f"`web` is published again as generation 2, but {problem}", done)
    assert said(2, restores=True) == (f"`web` is restored, but {problem}", done)
    for restores in (False, True):
        assert said(1, restores=restores) == (f"`web` was not changed: {problem}", hint)


def test_an_older_generation_is_published_and_recorded(state: State) -> None:
    older = applied(generation=1, rolled_back_from=2)
    republish(state, older, restores=False)
    assert state.layout.published_number("web") == 1
    assert state.applied("web") == older


def test_what_is_at_the_path_is_not_replaced_and_the_record_stays(state: State) -> None:
    before = state.applied("web")
    assert before is not None
    state.layout.environment("web").unlink()
    state.layout.environment("web").mkdir()
    for restores in (False, True):
        with pytest.raises(ApplyError, match="is not managed by envsync"):
            republish(state, before, restores=restores)
        assert state.applied("web") == before, "its environment was not deleted"


def test_a_deleted_environment_that_cannot_be_restored_stays_deleted(state: State) -> None:
    last = applied(generation=2)
    path = state.layout.environment("web")
    delete(state, last)
    path.mkdir()
    with pytest.raises(ApplyError, match="is not managed by envsync"):
        republish(state, last, restores=True)
    assert state.applied("web") is None
    assert state.deleted("web") is not None
    path.rmdir()
    republish(state, last, restores=True)
    assert state.applied("web") == last
    assert not state.layout.deleted("web").exists()


def test_a_publish_that_fails_leaves_the_record_as_it_was(state: State) -> None:
    record = state.layout.record("web").read_bytes()
    link = state.layout.envsync_directory / "publish.web"
    link.mkdir()  # a directory in the place of the link that is made before it is renamed
    with pytest.raises(StateError, match="`web` was not changed: "):
        republish(state, applied(generation=1, rolled_back_from=2), restores=False)
    assert state.layout.record("web").read_bytes() == record


def test_what_was_published_is_recorded_although_the_flush_fails(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    root, fsync = state.layout.root, os.fsync

    def fails(descriptor: int) -> None:
        if os.path.samestat(os.fstat(descriptor), root.stat()):
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fails)
    older = applied(generation=1, rolled_back_from=2)
    with pytest.raises(StateError) as caught:
        republish(state, older, restores=False)
    assert caught.value.message == f"`web` is published again as generation 1, but `{root}`: Input/output error"
    assert state.applied("web") == older


def test_a_kill_at_any_change_of_a_restore_leaves_all_of_its_record_or_nothing(tmp_path: Path) -> None:
    last = applied(generation=2, rolled_back_from=3)  # unlike what the seal says
    found, at, killed = [], 1, True
    while killed:
        state = made(tmp_path / str(at))
        delete(state, last)
        killed = run_killed(partial(republish, state, last, restores=True), at=at)
        found.append(state.applied("web"))
        assert found[-1] in (None, last)
        assert (found[-1] is None) is (state.deleted("web") is not None)
        at += 1
    assert (found[0], found[-1]) == (None, last)
