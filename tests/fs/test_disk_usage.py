"""What directories occupy on disk."""

import os
from pathlib import Path

import pytest

from reconciler.fs.disk_usage import measure, total
from reconciler.maintenance import Maintenance
from tests.state.edited import make_root
from tests.unprivileged import reachable_directory, unprivileged


def test_an_inode_counts_once_and_is_shared_if_a_name_is_elsewhere(tmp_path: Path) -> None:
    place = tmp_path / "place"
    (place / "deep").mkdir(parents=True)
    for name in ("own", "outside", "deep/twice"):
        (place / name).write_bytes(b"x" * 10_000)
    os.link(place / "outside", tmp_path / "other")
    os.link(place / "deep/twice", place / "again")
    (place / "link").symlink_to(tmp_path)
    found = measure([place])
    shared = {key for key, each in found.items() if each.shared}
    assert shared == {((place / "outside").stat().st_dev, (place / "outside").stat().st_ino)}
    paths = [place, *(place / name for name in ("deep", "own", "outside", "again", "link"))]
    assert total(found.values()) == sum(each.lstat().st_blocks * 512 for each in paths)
    assert not any(each.shared for each in measure([place, tmp_path]).values())


def test_what_is_not_there_occupies_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "file").touch()
    inodes = {name: (tmp_path / name).stat().st_ino for name in (".", "here", "file")}
    found = measure([tmp_path / "gone", tmp_path / "file", tmp_path / "here"])
    assert {number for _, number in found} == {inodes["file"], inodes["here"]}
    lstat = os.lstat

    def gone(path: str) -> os.stat_result:
        return lstat(f"{path}-gone" if path.endswith("file") else path)

    monkeypatch.setattr(os, "lstat", gone)
    assert {number for _, number in measure([tmp_path])} == {inodes["."], inodes["here"]}


def test_what_cannot_be_read_has_no_size() -> None:
    with reachable_directory() as place:
        inner = place / ".envsync/generations/web/1/venv"
        make_root(place)
        inner.mkdir(parents=True)
        (place / "web").symlink_to(".envsync/generations/web/1/venv")
        maintenance = Maintenance(root=place, project="acme", ambient={})
        assert maintenance.disk_usage("web") is not None
        inner.chmod(0)
        try:
            with unprivileged():
                with pytest.raises(PermissionError):
                    measure([place])
                assert maintenance.disk_usage("web") is None
        finally:
            inner.chmod(0o755)
