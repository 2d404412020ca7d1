"""What changes while an inventory is taken is scanned again."""

import hashlib
import os
import stat
import time
from array import array
from pathlib import Path

import pytest

from reconciler.errors import StateError
from reconciler.state import inventory_scan
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory import entry_type
from reconciler.state.inventory_scan import take_inventory


@pytest.mark.parametrize("late", ["new", "inner/new", "file"])
def test_what_is_written_during_the_scan_is_scanned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """A file is written in the tick in which the first scan begins, and `late` before the second begins."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "file").write_text("one")
    writes = iter(["inner/first", late])
    wait = inventory_scan.wait_for_clock_tick

    def waited(moment: int) -> int:
        started = wait(moment)
        for name in [next(writes, "")]:
            if name:
                (tmp_path / name).write_text("later")
        return started

    monkeypatch.setattr(inventory_scan, "wait_for_clock_tick", waited)
    found = {each.path: each.size for each in take_inventory(tmp_path, InodeHashes()).entries}
    assert found["inner/first"] == 5
    assert found[late] == 5


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """Return a venv with every type of entry, which was made more than a tick ago."""
    made = tmp_path / "venv"
    (made / "a/empty").mkdir(parents=True)
    (made / "a-b").write_text("next")
    (made / "a/file").write_text("one")
    (made / "a/program").write_text("two")
    (made / "a/program").chmod(0o711)
    (made / "a/link").symlink_to("../x\u00e9")
    os.mkfifo(made / "pipe")
    (made / ".lock").touch()
    (made / "a/.lock").touch()
    time.sleep(3 * TICK_NS / 1e9)
    return made


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_digest_is_that_of_the_sorted_entries(venv: Path) -> None:
    """Seals contain it, so it must never change."""
    lines = [
        "a\0directory\x000\0\n",
        f"a-b\0file\x000\0{sha256('next')}\n",
        f"a/.lock\0file\x000\0{sha256('')}\n",
        "a/empty\0directory\x000\0\n",
        f"a/file\0file\x000\0{sha256('one')}\n",
        "a/link\0symlink\x000\0../x\u00e9\n",
        f"a/program\0file\x001\0{sha256('two')}\n",
        "pipe\0other\x000\0\n",
    ]
    inventory = take_inventory(venv, InodeHashes())
    assert inventory.digest == "sha256:" + sha256("".join(lines))
    assert [each.path for each in inventory.entries] == sorted(line.partition("\0")[0] for line in lines)
    types = {each.path: each.type for each in inventory.entries}
    assert (types["a"], types["a/link"], types["pipe"], types["a/file"]) == ("directory", "symlink", "other", "file")
    targets = {each.path: each.target for each in inventory.entries if each.target}
    assert targets == {"a/link": "../x\u00e9"}
    assert {each.path for each in inventory.entries if each.executable} == {"a/program"}
    sums = {each.path: each.sha256 for each in inventory.entries if each.sha256}
    assert sums == {path: content.hex() for path, content in inventory.hashes().items()}
    link = inventory.names.index("link")
    assert inventory.content(link) == hashlib.sha256("../x\u00e9".encode()).digest() + b"l"
    assert inventory.content(inventory.names.index("pipe")) == bytes(32) + b"o"
    assert inventory.hashes() == {
        path: bytes.fromhex(sha256(text))
        for path, text in {"a-b": "next", "a/.lock": "", "a/file": "one", "a/program": "two"}.items()
    }
    found = {directory: [inventory.names[each] for each in rows] for _, directory, rows in inventory.by_directory()}
    assert found == {"": ["a-b", "pipe"], "a": [".lock", "file", "link", "program"], "a/empty": []}
    assert [number for number, _, _ in inventory.by_directory()] == [0, 1, 2]


def test_entries_that_changed_in_the_tick_before_the_scan_are_recorded_without_their_ctime(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = take_inventory(venv, InodeHashes())
    assert all(old.ctimes)
    assert all(old.directory_ctimes)
    before = os.listdir("/dev/fd")
    monkeypatch.setattr(inventory_scan, "wait_for_clock_tick", lambda _: time.time_ns())
    (venv / "a-b").chmod(0o600)
    (venv / "a/empty").chmod(0o711)
    young = take_inventory(venv, InodeHashes())
    assert [young.names[each] for each, ctime in enumerate(young.ctimes) if not ctime] == ["a-b"]
    assert [young.directories[each] for each, ctime in enumerate(young.directory_ctimes) if not ctime] == ["a/empty"]
    assert young.digest == old.digest
    assert os.listdir("/dev/fd") == before


def test_the_scan_begins_a_tick_after_the_last_write(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments: list[int] = []

    def waited(moment: int) -> int:
        moments.append(moment)
        return time.time_ns()

    monkeypatch.setattr(inventory_scan, "wait_for_clock_tick", waited)
    take_inventory(venv, InodeHashes(), quiet_since=12345)
    before = time.time_ns()
    take_inventory(venv, InodeHashes())
    assert moments[0] == 12345
    assert len(moments) == 2  # nothing changed meanwhile, so nothing was scanned again
    assert before <= moments[1] <= time.time_ns()


@pytest.mark.parametrize("ago", [0, TICK_NS // 2, 10 * TICK_NS, -(10**12)])
def test_the_wait_for_a_tick_is_at_most_a_tick(ago: int) -> None:
    before = time.time_ns()
    found = inventory_scan.wait_for_clock_tick(before - ago)
    wanted = min(max(TICK_NS - ago, 0), TICK_NS)
    assert found - before >= wanted
    assert found <= time.time_ns()


def test_contents_that_were_seen_before_our_own_links_are_not_read_again(
    venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inodes = InodeHashes(tmp_path / "cache")
    for each in (venv / "a/file", venv / "a/program", venv / "a-b"):
        inodes.sha256_of(each, each.lstat())
    inodes.begin_linking()
    for each in (venv / "a/file", venv / "a/program", venv / "a-b"):
        inodes.sha256_of(each, each.lstat())
    for name in ("a/file", "a/program"):
        os.link(venv / name, tmp_path / name.replace("/", "-"))
    (venv / "a-b").write_text("other text")
    read: list[str] = []
    sha256_bytes = InodeHashes.sha256_bytes

    def recorded(self: InodeHashes, path: str, status: os.stat_result, *, remember: bool = True) -> bytes:
        read.append(os.path.relpath(path, venv))
        return sha256_bytes(self, path, status, remember=remember)

    monkeypatch.setattr(InodeHashes, "sha256_bytes", recorded)
    inventory = take_inventory(venv, inodes)
    assert set(read) == {"a-b", "a/.lock"}
    assert inventory.content(inventory.names.index("file")) == hashlib.sha256(b"one").digest() + b"-"
    assert inventory.content(inventory.names.index("program")) == hashlib.sha256(b"two").digest() + b"x"
    assert inventory.content(inventory.names.index("a-b")) == hashlib.sha256(b"other text").digest() + b"-"
    inodes.save()
    later = InodeHashes.load(tmp_path / "cache")
    status = (venv / "a/file").lstat()
    known = later.remembered_sha256(
        status.st_dev, status.st_ino, (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    )
    assert known == hashlib.sha256(b"one").digest()


def test_a_part_of_an_inventory(venv: Path) -> None:
    inventory = take_inventory(venv, InodeHashes())
    position = inventory.names.index("program")
    part = inventory.subset([1], [position], array("I", [1]))
    assert (part.directories, part.names, list(part.counts)) == (("a",), ("program",), [1])
    assert part.contents == inventory.content(position)
    assert (list(part.inodes), list(part.directory_inodes)) == (
        [inventory.inodes[position]],
        [inventory.directory_inodes[1]],
    )
    assert (part.digest, part.targets) == ("", {})
    assert [each.path for each in part.entries] == ["a", "a/program"]


def test_only_contents_that_another_generation_may_have_are_remembered(venv: Path, tmp_path: Path) -> None:
    (venv / "a/module.pyc").write_text("bytecode")
    os.link(venv / "a-b", tmp_path / "other")
    time.sleep(3 * TICK_NS / 1e9)
    inodes = InodeHashes()
    take_inventory(venv, inodes)

    def is_remembered(name: str) -> bool:
        status = (venv / name).lstat()
        known = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return inodes.remembered_sha256(status.st_dev, status.st_ino, known) is not None

    assert {name for name in ("a-b", "a/file", "a/program", "a/module.pyc") if is_remembered(name)} == {
        "a-b",
        "a/module.pyc",
    }


def test_a_change_counts_from_its_first_to_its_last_moment(venv: Path) -> None:
    (venv / "a-b").chmod(0o640)
    changed = (venv / "a-b").lstat().st_ctime_ns
    scan = inventory_scan._Scan(str(venv), InodeHashes())
    times = [(changed, changed), (changed - 1, changed + 1), (changed + 1, changed + 9), (changed - 9, changed - 1)]
    assert [scan.has_ctime_between(*each) for each in times] == [True, True, False, False]
    above = (venv / "a").lstat().st_ctime_ns
    assert scan.has_ctime_between(above, above)
    position = scan.inventory(too_young=0).names.index("a-b")
    assert scan.inventory(too_young=changed).ctimes[position] == 0
    assert scan.inventory(too_young=changed + 1).ctimes[position] == changed


def test_only_entries_that_are_young_are_scanned_again(venv: Path) -> None:
    (venv / "a-b").chmod(0o640)
    changed = (venv / "a-b").lstat().st_ctime_ns
    scan = inventory_scan._Scan(str(venv), InodeHashes())
    for name in ("a-b", "a/file"):
        (venv / name).write_text("later text")
    assert scan.scanned_again(changed + 1) is scan
    assert scan.inventory(too_young=2**62).hashes()["a-b"] == hashlib.sha256(b"next").digest()
    assert scan.scanned_again(changed) is scan
    inventory = scan.inventory(too_young=2**62)
    assert inventory.hashes()["a-b"] == hashlib.sha256(b"later text").digest()
    assert inventory.hashes()["a/file"] == hashlib.sha256(b"one").digest()
    assert inventory.sizes[inventory.names.index("a-b")] == 10
    assert inventory.ctimes[inventory.names.index("a-b")] == (venv / "a-b").lstat().st_ctime_ns
    above = max(each.lstat().st_ctime_ns for each in (venv, venv / "a", venv / "a/empty"))
    again = scan.scanned_again(above)
    assert again is not scan
    assert again.inventory(too_young=2**62).hashes()["a/file"] == hashlib.sha256(b"later text").digest()


def test_our_own_links_do_not_count_as_a_change(venv: Path, tmp_path: Path) -> None:
    inodes = InodeHashes()
    inodes.begin_linking()
    inodes.sha256_of(venv / "a-b", (venv / "a-b").lstat())
    os.link(venv / "a-b", tmp_path / "linked")
    changed = (venv / "a-b").lstat().st_ctime_ns
    scan = inventory_scan._Scan(str(venv), inodes)
    assert not scan.has_ctime_between(changed, changed)
    linked: dict[tuple[int, int], os.stat_result] = {}
    inodes.remember_links = linked.update  # type: ignore[assignment,method-assign]
    scan.inventory(too_young=changed)
    assert linked == {}
    scan.inventory(too_young=changed + 1)
    assert [each.st_ctime_ns for each in linked.values()] == [changed]


def test_the_types_of_entries() -> None:
    kinds = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "symlink", stat.S_IFIFO: "other"}
    assert {kind: entry_type(kind | 0o755) for kind in kinds} == kinds


def test_a_link_in_place_of_the_venv_is_not_followed(venv: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(venv)
    with pytest.raises(StateError):
        take_inventory(tmp_path / "link", InodeHashes())


def test_a_missing_venv_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"the inventory of `.*/none` could not be taken"):
        take_inventory(tmp_path / "none", InodeHashes())
