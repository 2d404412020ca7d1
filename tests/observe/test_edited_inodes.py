"""Only files that were edited and have other names share an edit."""

import os
from pathlib import Path

from reconciler.observe.actual import EditedInode, Finding, FindingCode
from reconciler.observe.edited_inodes import edited_inodes


def test_an_edited_file_with_another_name_is_shared(tmp_path: Path) -> None:
    for name in ("b", "a", "single", "added"):
        (tmp_path / name).touch()
    for name in ("b", "a", "added"):
        os.link(tmp_path / name, tmp_path / f"{name}-too")
    (tmp_path / "directory/inner").mkdir(parents=True)
    findings = [Finding(code=FindingCode.FILE_CHANGED, path=each) for each in ("b", "single", "gone", "directory", "b")]
    findings += [Finding(code=FindingCode.MODE_CHANGED, path="a"), Finding(code=FindingCode.FILE_ADDED, path="added")]
    status = {name: (tmp_path / name).stat() for name in ("a", "b")}
    assert edited_inodes(str(tmp_path), findings) == tuple(
        EditedInode(path=name, device=each.st_dev, inode=each.st_ino) for name, each in status.items()
    )
