"""`envsync trust`: what is kept and what is deleted of a root that was restored, and a group that shares a root."""

import grp
import os

import pytest

from tests.host import Host


def test_a_moved_root_keeps_its_environments_and_loses_its_caches(host: Host) -> None:
    host.manifest('web:\n  python: "3.11"\n  packages: [beta]\n')
    host.apply()
    (host.root / ".envsync/cache/uv/planted").write_text("from elsewhere")
    moved = host.directory.parent / "moved"
    host.directory.rename(moved)
    host.directory = moved
    refused = host.envsync("check")
    assert (refused.code, "run `envsync trust`" in refused.err) == (1, True)
    trusted = host.envsync("trust", "--yes")
    assert trusted.code == 0, trusted.err
    assert not list((host.root / ".envsync/cache").rglob("planted")), (
        "nothing says where the files of the caches come from"
    )
    assert host.freeze("web") == ["beta==2.0"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give a root to a group with other members")
def test_a_group_that_shares_a_root_is_accepted_with_group_only(host: Host) -> None:
    host.manifest('web:\n  python: "3.11"\n')
    host.apply()
    for path in (host.root, host.root / ".envsync"):
        os.chown(path, -1, grp.getgrnam("daemon").gr_gid)
        path.chmod(0o775)
    refused = host.envsync("check")
    assert "may write to" in refused.err
    assert "envsync trust --group" in refused.err
    assert host.envsync("trust", "--yes").code != 0
    assert host.envsync("check").code == refused.code
    trusted = host.envsync("trust", "--yes", "--group")
    assert trusted.code == 0, trusted.err
    assert host.envsync("check").code == 0
