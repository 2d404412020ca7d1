"""A disk whose power can be cut: ext4 in a file, on a loop device, shut down by its ioctl (Linux, root)."""

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, fs/ext4/ext4.h
_NO_LOG_FLUSH = 2  # EXT4_GOING_FLAGS_NOLOGFLUSH: everything that is not in the journal on disk is lost
_MOUNT_OPTIONS = "loop,commit=600"  # the kernel's own commit every 5 seconds would hide a missing sync
_TOOLS = ("mkfs.ext4", "mount", "umount")
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopDisk:
    """An ext4 file system in `image`, mounted at `place`.

    A cut loses the data that only the kernel held; the image has every write that reached the device. Data that a real
    disk loses from its own cache cannot be tested with this.
    """

    image: Path
    place: Path

    def make(self, size: int) -> None:
        """Make a new empty file system of `size` bytes in a sparse file, and mount it."""
        self.unmount()
        self.image.unlink(missing_ok=True)
        with self.image.open("wb") as file:
            file.truncate(size)
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
        self.mount()

    def mount(self) -> None:
        """Mount it; after a cut the kernel replays the journal first."""
        self.place.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "ext4", "-o", _MOUNT_OPTIONS, self.image, self.place)

    def unmount(self) -> None:
        """Unmount it if it is mounted; the loop device goes with it."""
        if os.path.ismount(self.place):
            _run("umount", self.place)

    def cut(self) -> None:
        """Cut the power: from now on nothing reaches the image, and every call to the file system fails."""
        descriptor = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def save(self, copy: Path) -> None:
        """Unmount and copy the image, so that everything is on disk."""
        self.unmount()
        _copy(self.image, copy)

    def restore(self, copy: Path) -> None:
        """Restore the copy that `save` made, and mount it."""
        self.unmount()
        _copy(copy, self.image)
        self.mount()


@contextmanager
def loop_disk(directory: Path) -> Iterator[LoopDisk]:
    """Yield a disk with image and mount point in `directory`, not made yet; unmount it at the end."""
    directory.mkdir(parents=True, exist_ok=True)
    disk = LoopDisk(image=directory / "image", place=directory / "work")
    try:
        yield disk
    finally:
        if os.path.ismount(disk.place):
            _run("umount", "--lazy", disk.place)


def why_not() -> str:
    """Return why a power cut cannot be simulated on this machine; empty if a trial shows that it can."""
    missing = [each for each in _TOOLS if shutil.which(each) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if sys.platform != "linux":
        return "only Linux has the ioctl"
    if os.geteuid() != 0:
        return "only the superuser may mount a file system"
    try:
        with tempfile.TemporaryDirectory(prefix="power-") as directory, loop_disk(Path(directory)) as disk:
            return _try(disk)
    except subprocess.CalledProcessError as error:
        return error.stderr.strip().partition("\n")[0] or f"{error.cmd[0]} exits with {error.returncode}"
    except OSError as error:
        return f"the shutdown ioctl of ext4: {error.strerror}"


def _try(disk: LoopDisk) -> str:
    """Cut the power after one file was flushed and another was not; only the first one may exist afterwards."""
    disk.make(16 * _MIB)
    for name in ("flushed", "unflushed"):
        with (disk.place / name).open("w", encoding="ascii") as file:
            file.write(name)
            if name == "flushed":
                os.fsync(file.fileno())
    disk.cut()
    disk.unmount()
    disk.mount()
    there = sorted(set(os.listdir(disk.place)) - {"lost+found"})
    return "" if there == ["flushed"] else f"after a cut these files existed: {there}, but only one was flushed"


def _copy(source: Path, copy: Path) -> None:
    """Copy to a new file, because the loop device may still use the old one for a moment."""
    _run("cp", "--remove-destination", "--sparse=always", "--reflink=auto", source, copy)


def _run(*argv: str | Path) -> None:
    subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
