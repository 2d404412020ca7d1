"""What `--adopt` replaced comes back to its path, and a kill at any change loses neither it nor the link."""

import datetime as dt
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from reconciler.apply import publish as publishing
from reconciler.apply import restore_adopted as restoring
from reconciler.apply.collect import removable_generations
from reconciler.apply.publish import adopt
from reconciler.apply.recover import recover
from reconciler.apply.restore_adopted import restore_adopted
from reconciler.errors import ApplyError, UsageError
from reconciler.state.adopted import Adopted, write_adopted
from reconciler.state.applied import Applied
from reconciler.state.deleted import Deleted
from reconciler.state.hold import Hold
from reconciler.state.store import State
from tests.faults.killed import run_killed
from tests.plan.build import applied_environment
from tests.state.generations import new_generation

LONG_AGO = Adopted(adopted=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), keep_until=dt.datetime(2026, 1, 8, tzinfo=dt.UTC))
HOLD = Hold(reason="INC-42", by="alice", since="2026-11-30T09:12:00+00:00")


def adopted(root: Path, *, keep_generations: int = 3) -> tuple[State, Applied]:
    """Return a root in which generation 2 of `web` replaced the user's directory, which is generation 1."""
    state = State.at(root)
    (root / "web").mkdir(parents=True)
    (root / "web" / "marker").write_text("mine")
    number = state.new_generation("web", adopting=True, above=0).number
    assert number == 2
    adopt(state.layout, "web", number, LONG_AGO)
    applied = applied_environment("web", {"generation": number, "keep_generations": keep_generations})
    state.record(applied)
    return state, applied


def where(state: State) -> str:
    """Return where the user's directory is: at the `path`, or `kept` while the link is published."""
    path = state.layout.environment("web")
    if (path / "marker").is_file() and not path.is_symlink():
        assert not state.layout.adopted.joinpath("web").exists()
        return "path"
    assert state.layout.published_number("web") == 2
    assert (state.layout.adopted_generation("web", 1).venv / "marker").read_text() == "mine"
    assert state.layout.adopted_numbers("web") == [1]
    return "kept"


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_kill_at_any_change_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: bool) -> None:
    if not exchanges:
        for module in (publishing, restoring):
            monkeypatch.setattr(module, "exchange", lambda _one, _other: False)
    seen = set()
    at = 1
    while True:
        state, applied = adopted(tmp_path / str(at))
        killed = run_killed(partial(restore_adopted, state, applied, 1, None), at=at)
        recover(state, locks=None)
        seen.add(where(state))
        assert state.applied("web") is not None, "it is still owned"
        if not killed:
            break
        at += 1
    assert seen == {"kept", "path"}


def test_a_kill_at_any_change_of_an_adoption_loses_nothing(tmp_path: Path) -> None:
    at, killed = 1, True
    while killed:
        root = tmp_path / str(at)
        killed = run_killed(partial(adopted, root), at=at)
        state = State.at(root)
        if (root / ".envsync").exists():
            recover(state, locks=None)
        markers = [path for path in root.rglob("marker") if not path.parent.is_symlink()]
        begun = (root / "web").exists() or state.layout.adopted.exists()
        assert len(markers) == 1 or not begun or at < 5, "before that, the test itself makes the directory"
        if state.layout.adopted_numbers("web"):
            assert where(state) == "kept"
        at += 1
    assert where(state) == "kept"


def test_it_is_a_generation_with_a_number_of_its_own(tmp_path: Path) -> None:
    state, applied = adopted(tmp_path)
    assert new_generation(state, "web").number == 3
    restored = restore_adopted(state, applied, 1, HOLD)
    assert (restored.rolled_back_from, restored.generation) == (2, 2)
    assert state.applied("web") == replace(applied, rolled_back_from=2, hold=HOLD)
    assert state.new_generation("web", adopting=True, above=0).number == 5, "4 is for what is adopted next"


def test_it_is_collected_by_keep_generations_but_not_before_its_time(tmp_path: Path) -> None:
    state, _ = adopted(tmp_path / "three")
    assert removable_generations(state, discard=frozenset()) == []
    state, _ = adopted(tmp_path / "one", keep_generations=1)
    (found,) = removable_generations(state, discard=frozenset())
    assert found.generation == state.layout.adopted_generation("web", 1)
    write_adopted(found.generation, Adopted.now(dt.timedelta(days=7)))
    assert removable_generations(state, discard=frozenset()) == []
    found.generation.adoption.write_text("damaged")
    assert removable_generations(state, discard=frozenset()) == [], "it is not known how long it is to be kept"
    found.generation.adoption.unlink()
    assert len(removable_generations(state, discard=frozenset())) == 1, "its deletion has begun"


def test_one_that_an_older_envsync_kept_is_left_alone(tmp_path: Path) -> None:
    state, _ = adopted(tmp_path, keep_generations=1)
    generation = state.layout.adopted_generation("web", 1)
    generation.adoption.unlink()
    generation.identity.unlink()
    recover(state, locks=None)
    assert state.layout.adopted_numbers("web") == []
    assert removable_generations(state, discard=frozenset()) == []
    assert (generation.venv / "marker").exists()


def test_a_different_directory_is_not_put_at_the_path(tmp_path: Path) -> None:
    state, applied = adopted(tmp_path)
    venv = state.layout.adopted_generation("web", 1).venv
    venv.rename(venv.with_name("moved"))
    venv.mkdir()
    with pytest.raises(ApplyError, match="cannot be restored"):
        restore_adopted(state, applied, 1, None)
    assert state.layout.published_number("web") == 2


def test_what_is_at_the_path_is_not_replaced(tmp_path: Path) -> None:
    state, applied = adopted(tmp_path)
    path = state.layout.environment("web")
    path.unlink()
    path.mkdir()
    with pytest.raises(ApplyError, match="not managed by envsync"):
        restore_adopted(state, applied, 1, None)
    assert os.listdir(path) == []


def test_of_a_deleted_environment_it_comes_back_unmanaged(tmp_path: Path) -> None:
    state, applied = adopted(tmp_path)
    state.layout.environment("web").unlink()
    state.keep_deleted("web", Deleted.now(applied, dt.timedelta(days=7)))
    state.forget("web")
    with pytest.raises(UsageError, match="cannot be held"):
        restore_adopted(state, applied, 1, HOLD)
    restore_adopted(state, applied, 1, None)
    assert where(state) == "path"
    assert state.applied("web") is None
