"""The files and directories of a venv get the access of the root."""

import os
import stat
from pathlib import Path

import pytest

from reconciler.apply.widen import widen_venv
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_scan import take_inventory


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """Return a venv whose files and directories others may partly read."""
    made = tmp_path / "venv"
    (made / "closed" / "inner").mkdir(parents=True)
    (made / "open").mkdir()
    for name in ("closed/file", "closed/inner/file", "open/closed-file", "open/file"):
        (made / name).write_text(name)
    (made / "open" / "link").symlink_to("closed-file")
    for name, mode in {".": 0o755, "closed": 0o700, "closed/inner": 0o711, "open": 0o755}.items():
        (made / name).chmod(mode)
    for name, mode in {
        "closed/file": 0o640,
        "closed/inner/file": 0o744,
        "open/closed-file": 0o600,
        "open/file": 0o644,
    }.items():
        (made / name).chmod(mode)
    return made


def modes(venv: Path) -> dict[str, int]:
    paths = [venv, *sorted(venv.rglob("*"))]
    return {str(each.relative_to(venv)): stat.S_IMODE(each.lstat().st_mode) for each in paths if not each.is_symlink()}


def widened(venv: Path, root_mode: int) -> bool:
    root = venv.parent / "root"
    root.mkdir(exist_ok=True)
    root.chmod(root_mode)
    return widen_venv(venv, take_inventory(venv, InodeHashes()), root)


def test_what_lacks_the_access_of_the_root_gets_it(venv: Path) -> None:
    assert widened(venv, 0o755)
    assert modes(venv) == {
        ".": 0o755,
        "closed": 0o755,
        "closed/file": 0o644,
        "closed/inner": 0o755,
        "closed/inner/file": 0o755,
        "open": 0o755,
        "open/closed-file": 0o644,
        "open/file": 0o644,
    }
    assert not widened(venv, 0o755)


def test_a_closed_root_changes_nothing(venv: Path) -> None:
    before = modes(venv)
    assert not widened(venv, 0o700)
    assert modes(venv) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files to any group")
def test_the_group_of_the_root_is_given_to_every_entry(venv: Path) -> None:
    root = venv.parent / "root"
    root.mkdir()
    os.chown(root, -1, 12345)
    assert widened(venv, 0o750)
    assert {each.lstat().st_gid for each in (venv, *venv.rglob("*"))} == {12345}
    assert modes(venv)["closed"] & 0o777 == 0o750
    assert modes(venv)["closed/file"] & 0o777 == 0o640
    assert not widened(venv, 0o750)
    (venv / "closed" / "file").chmod(0o600)
    assert widened(venv, 0o750)
