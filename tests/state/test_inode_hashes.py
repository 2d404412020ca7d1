"""When the hash of a file is known without reading it."""

import os
import time
from pathlib import Path

import pytest

from reconciler.state import inode_hashes as module
from reconciler.state.inode_hashes import TICK_NS, InodeHashes


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files that are read, as they are."""
    found: list[str] = []
    read = module.hash_file

    def counted(path: str | Path) -> tuple[os.stat_result, str, os.stat_result]:
        found.append(Path(path).name)
        return read(path)

    monkeypatch.setattr(module, "hash_file", counted)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file that was written more than a tick ago."""
    made = tmp_path / "a.py"
    made.write_text("one\n")
    wait()
    return made


def wait() -> None:
    time.sleep(2 * TICK_NS / 1e9)


def link(file: Path, number: int) -> None:
    """Link a file as an engine does: only its ctime changes."""
    before = file.lstat()
    os.link(file, file.with_name(f"link-{number}"))
    after = file.lstat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert after.st_ctime_ns != before.st_ctime_ns


def test_a_file_with_the_same_signature_is_read_once(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    assert inodes.sha256_of(file, file.lstat()) == inodes.sha256_of(file, file.lstat())
    assert reads == ["a.py"]


def test_a_file_that_was_linked_by_others_is_read_again(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    inodes.sha256_of(file, file.lstat())
    link(file, 1)
    wait()
    inodes.sha256_of(file, file.lstat())
    assert len(reads) == 2


def test_a_file_that_we_linked_is_not_read_again(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    first = inodes.sha256_of(file, file.lstat())
    status = file.lstat()
    inodes.statuses[status.st_dev, status.st_ino] = (
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
    inodes.begin_linking()
    inodes.begin_pass()
    for number in range(3):
        link(file, number)
        assert inodes.sha256_of(file, file.lstat()) == first
    assert len(reads) == 1


def test_a_file_that_was_not_examined_before_linking_is_read_once(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    inodes.sha256_of(file, file.lstat())
    link(file, 1)  # not by us
    inodes.begin_linking()
    for number in range(2, 5):
        inodes.sha256_of(file, file.lstat())
        link(file, number)
    assert len(reads) == 2


def test_an_edit_while_linking_is_read(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    inodes.begin_linking()
    first = inodes.sha256_of(file, file.lstat())
    wait()
    file.write_text("two\n")
    assert inodes.sha256_of(file, file.lstat()) != first
    assert len(reads) == 2
