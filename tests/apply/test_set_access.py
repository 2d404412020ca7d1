"""The root and everything below it get the access that the manifest declares, and a cached file keeps its own mode."""

import stat
from pathlib import Path

import pytest

from reconciler.apply.set_access import root_access
from reconciler.apply.spoilt_modes import spoilt_modes
from reconciler.apply.verify_build import read_records
from reconciler.errors import StateError
from reconciler.manifest.desired import Access
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import save_inventory
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.store import State
from tests.apply.test_verify_build import INFO, built, observed
from tests.state.records import applied, sealed


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Return a closed root with a sealed generation of `web`, one without an inventory, and a link."""
    root = tmp_path / "root"
    root.mkdir()
    state = State.at(root)
    for number in (1, 2):
        sealed(state.layout, applied(generation=number))
        (state.layout.generation("web", number).venv / "file").touch()
    generation = state.layout.generation("web", 1)
    save_inventory(take_inventory(generation.venv, InodeHashes()), generation.inventory)
    (tmp_path / "outside").mkdir()
    (state.layout.all_generations / "linked").symlink_to(tmp_path / "outside")
    for each in (root, *root.rglob("*")):
        if not each.is_symlink():
            each.chmod(0o700 if each.is_dir() else 0o600)
    save_inventory(take_inventory(generation.venv, InodeHashes()), generation.inventory)
    return state


def test_an_opened_root_has_readable_generations_and_new_files(state: State) -> None:
    root = state.layout.root
    with root_access(state, "all"):
        (root / "new").touch(0o666)
    venv = state.layout.generation("web", 1).venv
    assert [mode(each) for each in (root, venv, venv / "file", root / "new")] == [0o755, 0o755, 0o644, 0o644]
    assert mode(state.layout.generation("web", 1).seal) == 0o644
    assert mode(state.layout.generation("web", 2).venv / "file") == 0o600  # it has no inventory
    with root_access(state, "private"):
        (root / "closed").touch(0o666)
    assert [mode(each) for each in (root, venv / "file", root / "closed")] == [0o700, 0o644, 0o600]


def test_a_root_without_a_declared_access_or_with_that_access_is_not_changed(state: State) -> None:
    before = {each: mode(each) for each in (state.layout.root, *state.layout.root.rglob("*"))}
    unchanged: tuple[Access | None, ...] = (None, "private")
    for access in unchanged:
        with root_access(state, access):
            pass
        assert {each: mode(each) for each in (state.layout.root, *state.layout.root.rglob("*"))} == before


def test_an_access_that_cannot_be_set_is_an_error(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, _: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refused)
    message = f"the access of `{state.layout.root}` could not be changed: Operation not permitted"
    with pytest.raises(StateError) as caught, root_access(state, "all"):
        pass
    assert caught.value.message == message
    assert caught.value.hint == ("run envsync as the owner of the file or directory, or change its permissions")


def test_only_a_file_with_the_sealed_contents_and_another_mode_is_spoilt(tmp_path: Path) -> None:
    records, before = built(tmp_path)
    venv = tmp_path / "venv"
    module, command = venv / INFO.rpartition("/")[0] / "tool.py", venv / "bin/tool"
    (venv / "unlisted").touch()
    assert spoilt_modes(records, take_inventory(venv, InodeHashes()), before) == {}
    module.chmod(0o755)
    (venv / "unlisted").chmod(0o755)
    (venv / INFO / "RECORD").chmod(0o755)
    sealed_modes = take_inventory(venv, InodeHashes())
    assert spoilt_modes(records, sealed_modes, before) == {f"{INFO.rpartition('/')[0]}/tool.py": "tool"}
    module.write_text("different")
    assert spoilt_modes(records, take_inventory(venv, InodeHashes()), before) == {}
    command.unlink()
    assert spoilt_modes(read_records(venv, observed(venv)), take_inventory(venv, InodeHashes()), before) == {}
