"""A file that disappears, or that cannot be read, while it is compared is a finding, and never a crash."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.observe import added_files
from reconciler.observe.actual import Depth, Finding, FindingCode
from reconciler.observe.added_files import AddedFiles
from reconciler.observe.environment import observe_environment
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import save_inventory
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.published_generation import PublishedGeneration
from tests.observe.trees import HOME, VENV, build, dist_info


def test_a_file_that_is_deleted_during_the_comparison_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = tmp_path / "venv"
    build(venv, {**VENV, **dist_info("six", "1.0")})
    module = venv / "lib/python3.12/site-packages/six.py"
    save_inventory(take_inventory(venv, InodeHashes()), tmp_path / "inventory")
    module.write_text("edited, so that it is compared\n")
    lstat = os.lstat

    def deleting(path: Any, **more: Any) -> os.stat_result:
        if str(path) == str(module) and module.exists():
            seen.append(str(path))
            if len(seen) == 2:
                module.unlink()
        return lstat(path, **more)

    seen: list[str] = []
    monkeypatch.setattr(os, "lstat", deleting)
    published = PublishedGeneration(
        generation=1,
        venv=venv,
        inventory=tmp_path / "inventory",
        seal="sha256:0",
        home=HOME,
        system_site_packages=False,
    )
    (tmp_path / "web").symlink_to(venv)
    found = observe_environment(
        tmp_path / "web", name="web", published=published, depth=Depth.FILES, inodes=InodeHashes(), ignore_files=()
    )
    assert not module.exists()
    assert [(each.code, Path(each.path).name) for each in found.findings if each.path.endswith("six.py")] == [
        (FindingCode.FILE_MISSING, "six.py")
    ]


def test_bytecode_that_cannot_be_read_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: str) -> str:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(added_files, "header_mismatch", fail)
    path = "lib/__pycache__/a.cpython-312.pyc"
    added = AddedFiles(str(tmp_path), InodeHashes(), rehash=True)
    assert added.check_bytecode(path) == [
        Finding(code=FindingCode.UNREADABLE, path=path, detail="could not be read: Input/output error")
    ]
    assert AddedFiles(str(tmp_path), InodeHashes(), rehash=False).check_bytecode(path) == []


def test_an_added_file_or_link_has_its_contents(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("one")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    added = AddedFiles(str(tmp_path), InodeHashes(), rehash=True)
    found = {each: added._added(each, (tmp_path / each).lstat()) for each in ("file", "link", "pipe")}
    assert found["file"].content == InodeHashes().sha256_of(tmp_path / "file", (tmp_path / "file").lstat())
    assert found["link"].content == AddedFiles.symlink_sha256("file")
    assert found["pipe"].content == ""
    assert {each.detail for each in found.values()} == {"not part of the generation"}
