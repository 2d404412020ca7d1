"""A root that one layer of an image contains can be changed in the next: overlayfs moves no directory of a lower layer.

It answers EXDEV for such a rename. A container that starts from the image has the same layers below a writable one.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.host import Host
from tests.mounts import mounted

BOTH = 'web:\n  python: ">=3.11"\n  packages: [alpha==1.0]\njob:\n  python: ">=3.11"\n  packages: [gamma]\n'


@contextmanager
def next_layer(host: Host) -> Iterator[None]:
    """Let everything in the directory of the host be in a lower layer; what is written goes into an upper one."""
    top = host.directory.parent / "layers"
    top.mkdir()
    with mounted("-t", "tmpfs", "none", top):  # the upper layer must not be on another overlayfs
        subprocess.run(["cp", "-a", host.directory, top / "lower"], check=True)
        for name in ("upper", "work"):
            (top / name).mkdir()
        options = f"lowerdir={top}/lower,upperdir={top}/upper,workdir={top}/work"
        with mounted("-t", "overlay", "-o", options, "overlay", host.directory):
            yield


@pytest.fixture
def image(host: Host) -> Iterator[Host]:
    """Return a host whose root was made in one layer, and is changed in the next."""
    host.manifest(BOTH)
    host.apply()
    host.manifest(BOTH.replace("==1.0", "==1.1"))
    host.apply()
    with next_layer(host):
        yield host


def nothing_is_left_to_do(host: Host) -> None:
    for _ in range(2):
        ran = host.envsync("apply", "--yes")
        assert (ran.code, ran.err) == (0, ""), ran.out
        assert ran.out.startswith("No changes. ")
    assert host.envsync("check", "--depth", "hashes").code == 0


def test_nothing_is_to_be_done_in_the_next_layer(image: Host) -> None:
    nothing_is_left_to_do(image)


def test_an_environment_is_updated_and_its_oldest_generation_is_collected(image: Host) -> None:
    image.manifest(BOTH.replace("[alpha==1.0]", "[alpha==1.0]\n  keep_generations: 1"))
    ran = image.envsync("apply", "--yes")
    assert (ran.code, ran.err.splitlines()[-1]) == (0, "Applied: 1 updated; 1 unchanged.")
    nothing_is_left_to_do(image)
    generations = image.root / ".envsync/generations/web"
    assert [each for each in ("1", "2", "3") if not (generations / each).is_symlink()] == ["3"]
    assert image.envsync("gc").code == 0


def test_an_environment_is_rolled_back(image: Host) -> None:
    assert image.envsync("rollback", "web").code == 0
    assert image.freeze("web")[0] == "alpha==1.0"


def test_an_environment_is_deleted_restored_and_deleted_for_good(image: Host) -> None:
    image.manifest(BOTH.partition("job:")[0].replace("==1.0", "==1.1"))
    assert image.envsync("apply", "--yes").code == 0
    assert image.envsync("rollback", "job").code == 0
    assert image.envsync("apply", "--yes").code == 0
    ran = image.envsync("gc", "--deleted")
    assert (ran.code, ran.err) == (0, "")
    assert not (image.root / ".envsync/generations/job").exists()
    nothing_is_left_to_do(image)


def test_environments_are_destroyed(image: Host) -> None:
    assert image.envsync("destroy", "--yes", "web", "job").code == 0
    assert not os.path.lexists(image.venv("web"))


def test_a_virtual_environment_of_the_lower_layer_is_adopted_and_restored(host: Host) -> None:
    host.manifest(BOTH)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", host.venv("web")], check=True)
    (host.venv("web") / "own").write_text("mine")
    with next_layer(host):
        host.apply("--adopt")
        ran = host.envsync("rollback", "web", "--to", "1")
        assert ran.code == 0, ran.err
        assert (host.venv("web") / "own").read_text() == "mine"
