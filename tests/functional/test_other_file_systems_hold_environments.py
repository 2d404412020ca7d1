"""Roots on file systems other than the one of the tests: xfs, btrfs, tmpfs, and one that is mounted read-only."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.host import Host
from tests.mounts import mounted

FIRST = 'web:\n  python: ">=3.11"\n  packages: [alpha==1.0]\n'
_MAKERS = {"xfs": ("mkfs.xfs", "-q", "-f"), "btrfs": ("mkfs.btrfs", "-q", "-f")}
_IMAGE_BYTES = 320 * 1024 * 1024  # the smallest that mkfs.xfs makes has 300 MiB; the file is sparse


@contextmanager
def root_on(kind: str, host: Host) -> Iterator[None]:
    """Mount a new file system at the root of a host."""
    host.root.mkdir()
    if kind == "tmpfs":
        with mounted("-t", kind, "-o", "mode=755", "none", host.root):
            yield
        return
    program, *options = _MAKERS[kind]
    path = f"/usr/sbin:/sbin:{os.environ['PATH']}"
    if shutil.which(program, path=path) is None:
        pytest.skip(f"needs the program {program}")
    image = host.directory.parent / "image"
    with image.open("wb") as file:
        file.truncate(_IMAGE_BYTES)
    subprocess.run([program, *options, image], check=True, env={"PATH": path}, capture_output=True)
    with mounted("-t", kind, "-o", "loop", image, host.root):
        yield


@pytest.mark.parametrize("kind", ["xfs", "btrfs", "tmpfs"])
def test_environments_are_made_changed_repaired_adopted_and_collected(kind: str, host: Host) -> None:
    with root_on(kind, host):
        host.manifest(FIRST)
        host.apply()
        host.manifest(FIRST.replace("==1.0", "==1.1"))
        host.apply()
        assert host.envsync("check", "--depth", "hashes").code == 0
        (host.site_packages("web") / "alpha/__init__.py").write_text("EDITED = True\n")
        assert host.envsync("check").code == 2
        host.apply()
        assert host.envsync("rollback", "web").code == 0
        own = host.venv("own")
        subprocess.run(["python3", "-m", "venv", "--without-pip", own], check=True)
        (own / "mine").touch()
        host.manifest(FIRST + 'own:\n  python: ">=3.11"\n')
        host.apply("--adopt")
        assert host.envsync("rollback", "own", "--to", "1").code == 0
        assert (own / "mine").exists()
        assert host.envsync("gc").code == 0
        found = host.envsync("doctor", "--output", "json").json()["file_system"]
        assert found["kind"] == kind
        assert found["abilities"]["clones"] is (kind != "tmpfs")


def test_a_root_on_a_read_only_file_system_can_be_read_and_used(host: Host) -> None:
    host.manifest(FIRST)
    host.apply()
    with mounted("--bind", host.directory, host.directory):
        subprocess.run(["mount", "-o", "remount,ro,bind", host.directory], check=True)
        for command in ("plan", "check", "status", "verify", "freeze web", "history"):
            ran = host.envsync(*command.split())
            assert (ran.code, ran.err) == (0, ""), command
        assert host.envsync("run", "web", "--", "python", "-c", "import alpha").code == 0
        ran = host.envsync("rollback", "web")
        assert ran.code == 1
        assert "Read-only file system" in ran.err
        assert "hint: make the file system writable" in ran.err


@pytest.mark.parametrize("kind", ["xfs", "btrfs"])
def test_files_are_shared_by_hard_links_where_uv_would_clone_them(kind: str, host: Host) -> None:
    """A clone has an inode of its own, so that every generation would be looked at file by file."""
    with root_on(kind, host):
        host.manifest(FIRST + FIRST.replace("web:", "job:"))
        host.apply()
        one, other = (host.site_packages(name) / "alpha/__init__.py" for name in ("web", "job"))
        assert one.stat().st_ino == other.stat().st_ino
