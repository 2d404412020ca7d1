"""The state has the access of the root, without following links and without touching the environments."""

import os
import stat
from pathlib import Path

import pytest

from reconciler.state.open_state import closed_state, open_state
from reconciler.state.store import State
from tests.state.records import applied, sealed


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Return a root with one sealed generation that only its user may read."""
    root = tmp_path / "root"
    root.mkdir()
    state = State.at(root)
    sealed(state.layout, applied())
    state.record(applied())
    generation = state.layout.generation("web", 1)
    for each in (generation.inventory, generation.pylock, generation.in_use, generation.directory / "other"):
        each.touch()
    (state.layout.generations("web") / "note").mkdir()
    (generation.venv / "file").touch()
    state.layout.cache.mkdir()
    for each in (root, *root.rglob("*")):
        each.chmod(0o700 if each.is_dir() else 0o600)
    return state


def modes(state: State) -> dict[str, int]:
    top = state.layout.envsync_directory
    return {str(each.relative_to(top)): stat.S_IMODE(each.lstat().st_mode) for each in (top, *top.rglob("*"))}


def test_directories_and_small_files_get_the_access_of_the_root(state: State) -> None:
    before = modes(state)
    open_state(state.layout)
    assert modes(state) == before  # the root is closed
    state.layout.root.chmod(0o755)
    open_state(state.layout)
    now = modes(state)
    changed = {name for name, mode in now.items() if mode != before[name]}
    generation, record = state.layout.generation("web", 1), state.layout.record("web")
    files = (state.layout.mark, generation.seal, generation.inventory, generation.pylock, generation.in_use, record)
    above = (state.layout.all_generations, state.layout.records, state.layout.generations("web"), generation.directory)
    top = state.layout.envsync_directory
    assert changed == {str(each.relative_to(top)) for each in (top, *above, *files)}
    assert {now[str(each.relative_to(top))] for each in files} == {0o644}
    assert {now[str(each.relative_to(top))] for each in (top, *above)} == {0o755}
    assert now["generations/web/1/other"] == 0o600
    assert now["generations/web/note"] == 0o700
    assert now["cache"] == 0o700


def test_a_link_is_not_followed(state: State, tmp_path: Path) -> None:
    state.layout.root.chmod(0o755)
    outside = tmp_path / "outside"
    (outside / "1").mkdir(parents=True)
    for each in (outside, outside / "1"):
        each.chmod(0o700)
    (state.layout.all_generations / "linked").symlink_to(outside)
    (state.layout.generations("web") / "2").symlink_to(outside / "1")
    (outside / "record.json").touch()
    (outside / "record.json").chmod(0o600)
    (state.layout.records / "linked.json").symlink_to(outside / "record.json")
    (outside / "1/seal.json").touch()
    (outside / "1/seal.json").chmod(0o600)
    assert (state.layout.generations("web") / "2/seal.json").samefile(outside / "1/seal.json")
    open_state(state.layout)
    found = [stat.S_IMODE((outside / each).stat().st_mode) for each in (".", "1", "record.json", "1/seal.json")]
    assert found == [0o700, 0o700, 0o600, 0o600]


def test_what_lacks_the_access_is_listed(state: State) -> None:
    assert closed_state(state.layout, "web", 1) == ()  # the root is closed
    state.layout.root.chmod(0o755)
    every = closed_state(state.layout, "web", 1)
    generation = state.layout.generation("web", 1)
    expected = (
        *(state.layout.envsync_directory, state.layout.all_generations, state.layout.records),
        *(state.layout.generations("web"), generation.directory, state.layout.record("web")),
        *(generation.seal, generation.inventory, generation.pylock, generation.in_use),
    )
    assert every == tuple(str(each.relative_to(state.layout.root)) for each in expected)
    open_state(state.layout)
    assert closed_state(state.layout, "web", 1) == ()
    generation.seal.chmod(0o640)
    assert closed_state(state.layout, "web", 1) == (str(generation.seal.relative_to(state.layout.root)),)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files to any group")
def test_the_group_of_the_root_is_given(state: State) -> None:
    os.chown(state.layout.root, -1, 12345)
    state.layout.root.chmod(0o750)
    open_state(state.layout)
    generation = state.layout.generation("web", 1)
    for each in (state.layout.envsync_directory, generation.seal, state.layout.record("web")):
        assert each.stat().st_gid == 12345
    assert generation.venv.stat().st_gid != 12345
