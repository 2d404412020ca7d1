"""The disk fills up during an apply: the old generation stays published, and with more space the next apply works."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.functional.host_state import generations, published
from tests.host import Host
from tests.wheels import make_wheel

WEB = 'web:\n  python: "3.11"\n  packages: [%s]\n'


@pytest.fixture
def small(host: Host) -> Iterator[Path]:
    """Mount a file system of 4 MB at the host's root."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("needs root, to mount a small file system")
    host.root.mkdir()
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", host.root],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    try:
        yield host.root
    finally:
        subprocess.run([umount, "-l", host.root], check=True)


def test_an_apply_without_space_keeps_the_old_generation_and_the_next_succeeds(host: Host, small: Path) -> None:
    make_wheel(host.index.directory, "big", "1.0", modules={"big.bin": os.urandom(6_000_000)})
    host.manifest(WEB % "alpha==1.0")
    host.apply()
    host.manifest(WEB % "alpha==1.1, big")
    ran = host.envsync("apply", "--yes")
    assert ran.code == 1
    assert "No space left on device" in ran.err or "os error 28" in ran.err, ran.err
    assert published(host, "web") == 1
    assert generations(host, "web") == [1]
    assert host.envsync("run", "web", "--", "python", "-c", "import alpha").code == 0
    assert "alpha==1.0" in host.freeze("web")

    filler = small / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    host.manifest(WEB % "alpha==1.1")
    ran = host.envsync("apply", "--yes")
    assert ran.code == 1, "not even a directory fits"
    assert "No space left on device" in ran.err, ran.err
    assert host.envsync("check").code == 2, "`check` needs no space"
    assert published(host, "web") == 1

    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
    host.manifest(WEB % "alpha==1.1, big")
    host.apply()
    assert published(host, "web") > 1
