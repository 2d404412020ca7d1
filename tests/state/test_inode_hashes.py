"""When the hash of a file is known without reading it."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from reconciler.state import inode_hashes as module
from reconciler.state.columns_file import dump_columns
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


def examined(inodes: InodeHashes, file: Path) -> None:
    """Hash a file as an observer does, which keeps its status."""
    inodes.sha256_of(file, file.lstat())
    status = file.lstat()
    inodes.statuses[status.st_dev, status.st_ino] = (
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def key_of(file: Path) -> tuple[int, int]:
    return file.lstat().st_dev, file.lstat().st_ino


def test_a_new_pass_examines_everything_again(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    examined(inodes, file)
    inodes.contents[key_of(file)] = ((0, 0, 0, 0), b"")
    inodes.quickly_compared.add("web")
    inodes.read_sha256(file, file.lstat())
    assert len(reads) == 1  # once in a pass
    inodes.begin_pass()
    assert (inodes.statuses, inodes.contents, inodes.quickly_compared) == ({}, {}, set())
    inodes.sha256_of(file, file.lstat())
    assert len(reads) == 1  # the hash is still remembered
    inodes.read_sha256(file, file.lstat())
    assert len(reads) == 2


def test_a_file_that_changed_within_the_last_tick_is_not_remembered(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    ahead = time.time() + 3600
    for _ in range(2):
        file.write_text("new\n")
        inodes.sha256_of(file, file.lstat())
        inodes.remember(file.lstat(), b"?" * 32)
        status = file.lstat()
        assert inodes.remembered_sha256(*key_of(file), signature(status)) is None
    assert len(reads) == 2
    os.utime(file, (ahead, ahead))  # the mtime does not matter
    wait()
    inodes.remember(file.lstat(), b"!" * 32)
    assert inodes.remembered_sha256(*key_of(file), signature(file.lstat())) == b"!" * 32


def signature(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_a_different_size_mtime_or_ctime_is_not_remembered(changed: int, file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    inodes.sha256_of(file, file.lstat())
    known = list(signature(file.lstat()))
    known[changed] += 1
    assert inodes.remembered_sha256(*key_of(file), (known[0], known[1], known[2])) is None
    assert inodes.remembered_sha256(0, 0, signature(file.lstat())) is None


def test_a_hash_may_be_read_without_being_remembered(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    found = [inodes.sha256_bytes(file, file.lstat(), remember=False) for _ in range(2)]
    assert found == [hashlib.sha256(b"one\n").digest()] * 2
    assert reads == ["a.py", "a.py"]


def test_the_cache_is_written_only_if_it_changed(file: Path, tmp_path: Path, reads: list[str]) -> None:
    cache = tmp_path / "cache" / "inodes"
    inodes = InodeHashes.load(cache)
    inodes.save()
    assert not cache.exists()
    cache.parent.mkdir()
    inodes.save()
    assert not cache.exists()
    sha256 = inodes.sha256_of(file, file.lstat())
    inodes.save()
    assert InodeHashes.load(cache).sha256_of(file, file.lstat()) == sha256
    assert len(reads) == 1
    again = InodeHashes.load(cache)
    again.sha256_of(file, file.lstat())
    again.begin_linking()
    again.remember_links({})
    assert again.keep([key_of(file)]) == 0
    cache.unlink()
    for unchanged in (inodes, again):
        unchanged.save()
        assert not cache.exists()


def test_hashes_that_no_generation_needs_are_dropped(file: Path, tmp_path: Path, reads: list[str]) -> None:
    cache, other = tmp_path / "inodes", tmp_path / "b.py"
    other.write_text("two\n")
    wait()
    inodes = InodeHashes.load(cache)
    for each in (file, other):
        inodes.sha256_of(each, each.lstat())
    inodes.save()
    later = InodeHashes.load(cache)
    assert later.keep({key_of(other)}) == 1
    later.save()
    last = InodeHashes.load(cache)
    assert last.remembered_sha256(*key_of(file), signature(file.lstat())) is None
    assert last.remembered_sha256(*key_of(other), signature(other.lstat())) is not None
    assert last.keep(set()) == 1


def test_a_cache_with_too_many_entries_keeps_those_that_were_used(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "inodes"
    files = [file, *(tmp_path / f"{number}.py" for number in range(4))]
    for each in files[1:]:
        each.write_text("two\n")
    wait()
    inodes = InodeHashes.load(cache)
    for each in files:
        inodes.sha256_of(each, each.lstat())
    inodes.save()
    monkeypatch.setattr(module, "_MOST_ENTRIES", 5)
    later = InodeHashes.load(cache)
    status = files[1].lstat()
    later.statuses[key_of(files[1])] = (status.st_mode, *signature(status))
    later.begin_linking()  # uses it
    later.sha256_of(files[2], files[2].lstat())
    assert later.remembered_sha256(*key_of(files[3]), signature(files[3].lstat())) is not None
    new = tmp_path / "new.py"
    new.write_text("three\n")
    wait()
    later.sha256_of(new, new.lstat())
    later.save()
    last = InodeHashes.load(cache)
    kept = [each for each in (*files, new) if last.remembered_sha256(*key_of(each), signature(each.lstat()))]
    assert kept == [*files[1:4], new]


def test_a_damaged_cache_is_ignored(file: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "inodes")
    wrong: tuple[dict[str, bytes], ...] = (
        {},
        {"devices": b"12345678"},
        dict.fromkeys(("devices", "inodes", "sizes", "mtimes", "ctimes"), b"1"),
    )
    for content in (b"", b"damaged", *(dump_columns(path, "inodes", each) for each in wrong)):
        (tmp_path / "inodes").write_bytes(content)
        assert InodeHashes.load(tmp_path / "inodes").remembered_sha256(*key_of(file), signature(file.lstat())) is None


def test_our_own_links_are_remembered_with_their_new_ctimes(file: Path, tmp_path: Path, reads: list[str]) -> None:
    cache = tmp_path / "inodes"
    inodes = InodeHashes.load(cache)
    examined(inodes, file)
    assert not inodes.content_was_seen(file.lstat())
    assert inodes.seen_contents == {}
    inodes.begin_linking()
    assert inodes.content_was_seen(file.lstat())
    link(file, 1)
    assert inodes.content_was_seen(file.lstat())
    wait()
    inodes.remember_links({key_of(file): file.lstat()})
    inodes.save()
    later = InodeHashes.load(cache)
    assert later.remembered_sha256(*key_of(file), signature(file.lstat())) == hashlib.sha256(b"one\n").digest()
    file.write_text("more\n")
    assert not inodes.content_was_seen(file.lstat())
    wait()
    inodes.remember_links({key_of(file): file.lstat()})  # it changed meanwhile
    inodes.save()
    later = InodeHashes.load(cache)
    assert later.remembered_sha256(*key_of(file), signature(file.lstat())) is None
    assert len(reads) == 1


def test_links_that_are_remembered_count_when_linking_begins_again(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    examined(inodes, file)
    inodes.begin_linking()
    link(file, 1)
    wait()
    status = file.lstat()
    inodes.remember_links({key_of(file): status})
    inodes.statuses[key_of(file)] = (status.st_mode, *signature(status))
    inodes.begin_linking()
    assert inodes.content_was_seen(file.lstat())
    inodes.begin_pass()
    inodes.begin_linking()
    inodes.save()
    assert not inodes.content_was_seen(file.lstat())
    assert len(reads) == 1


def test_contents_count_as_seen_only_if_their_hash_is_known(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    examined(inodes, file)
    mode, size, mtime, ctime = inodes.statuses[key_of(file)]
    inodes.statuses[key_of(file)] = (mode, size, mtime, ctime + 1)
    inodes.begin_linking()
    assert not inodes.content_was_seen(file.lstat())
    inodes.sha256_of(file, file.lstat())  # its hash is known
    link(file, 1)
    inodes.sha256_of(file, file.lstat())
    assert len(reads) == 1


def test_a_file_that_changed_between_its_lstat_and_the_reading_counts_as_it_was_read(
    file: Path, reads: list[str]
) -> None:
    inodes = InodeHashes()
    inodes.begin_linking()
    before = file.lstat()
    new = file.with_name("new")
    new.write_text("two\n")
    wait()
    os.link(file, file.with_name("kept"))  # its inode is not used again
    new.rename(file)
    wait()
    inodes.read_sha256(file, before)
    assert not inodes.content_was_seen(before)
    assert inodes.content_was_seen(file.lstat())
    assert inodes.read_sha256(file, file.lstat()) == hashlib.sha256(b"two\n").hexdigest()
    assert len(reads) == 1


def test_an_edit_while_linking_is_read(file: Path, reads: list[str]) -> None:
    inodes = InodeHashes()
    inodes.begin_linking()
    first = inodes.sha256_of(file, file.lstat())
    wait()
    file.write_text("two\n")
    assert inodes.sha256_of(file, file.lstat()) != first
    assert len(reads) == 2
