"""What kind of file system a path is on, by the list of mounts."""

from pathlib import Path

import pytest

from reconciler.fs import mounts
from reconciler.fs.mounts import file_system_kind, mount_points


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n", "ext4"),
        ("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / TOP rw - nfs4 host:/x rw\n", "nfs4"),
        ("1 0 8:1 / / rw - ext4 x rw\n2 1 0:5 / TOP rw - nfs4 x rw\n3 2 0:6 / TOP rw shared:1 - xfs x rw\n", "xfs"),
        ("1 0 8:1 / / rw - ext4 x rw\n2 1 0:5 / TOPx rw - nfs4 x rw\n", "ext4"),
        ("1 0 8:1 / / rw - ext4 x rw\n2 1 0:5 / TOP/with\\040blank rw - cifs x rw\n", "cifs"),
        ("nonsense\n", ""),
        ("", ""),
    ],
)
def test_the_kind_is_that_of_the_innermost_mount(
    text: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "mountinfo"
    listed.write_text(text.replace("TOP", str(tmp_path)), encoding="ascii")
    monkeypatch.setattr(mounts, "_MOUNTS", listed)
    assert file_system_kind(tmp_path / "with blank/deep") == kind


def test_without_a_list_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "_MOUNTS", tmp_path / "missing")
    assert list(mount_points()) == []
    assert file_system_kind(tmp_path) == ""
