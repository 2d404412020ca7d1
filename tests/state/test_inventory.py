"""What inventories and hashes by inode contain, that damage is noticed, and when a file is read again."""

import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import InventoryError, StateError
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory_file import load_inventory, save_inventory
from reconciler.state.inventory_scan import take_inventory


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    site = tmp_path / "venv/lib/python3.12/site-packages"
    (site / "acme/templates").mkdir(parents=True)
    (site / "acme/__init__.py").write_text("one\n")
    (site / "acme/templates/page.html").write_text("two\n")
    (site / "top.py").write_text("")
    (site / "odd\udcff.txt").write_text("a name that is not UTF-8\n")
    (tmp_path / "venv/bin").mkdir()
    (tmp_path / "venv/bin/tool").write_text("#!/bin/sh\n")
    (tmp_path / "venv/bin/tool").chmod(0o755)
    (tmp_path / "venv/bin/python").symlink_to("/usr/bin/python3")
    (tmp_path / "venv/.lock").write_text("")
    os.mkfifo(tmp_path / "venv/pipe")
    return tmp_path / "venv"


def test_it_has_every_entry_except_uv_s_lock_file(venv: Path) -> None:
    inventory = take_inventory(venv, InodeHashes())

    entries = {entry.path: entry for entry in inventory.entries}
    assert list(entries) == sorted(entries)
    assert ".lock" not in entries
    assert entries["bin/python"].type == "symlink"
    assert entries["bin/python"].target == "/usr/bin/python3"
    assert entries["bin/tool"].executable
    assert entries["pipe"].type == "other"
    assert entries["lib/python3.12/site-packages/acme/templates"].type == "directory"
    assert entries["lib/python3.12/site-packages/odd\udcff.txt"].type == "file"
    assert inventory.hashes()["lib/python3.12/site-packages/acme/__init__.py"].hex().startswith("2c8b08da5ce60398")
    status = (venv / "bin/tool").lstat()
    tool = entries["bin/tool"]
    assert (tool.device, tool.inode, tool.size, tool.mtime_ns, tool.ctime_ns, tool.mode) == (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_mode,
    )


def test_a_saved_inventory_is_loaded_unchanged(venv: Path, tmp_path: Path) -> None:
    inventory = take_inventory(venv, InodeHashes())
    save_inventory(inventory, tmp_path / "inventory")

    assert load_inventory(tmp_path / "inventory") == inventory


def test_the_digest_depends_on_contents_only(venv: Path, tmp_path: Path) -> None:
    first = take_inventory(venv, InodeHashes()).digest
    copy = tmp_path / "copy"
    os.system(f"cp -a {venv} {copy}")  # noqa: S605  # cp keeps links and pipes; inodes and ctimes differ
    os.utime(copy / "bin/tool", (1, 1))
    assert take_inventory(copy, InodeHashes()).digest == first

    def retarget() -> None:
        (copy / "bin/python").unlink()
        (copy / "bin/python").symlink_to("/x")

    def rewrite() -> None:
        (copy / "bin/tool").write_text("#!/bin/ls\n")

    changes: list[Callable[[], None]] = [
        rewrite,
        lambda: (copy / "bin/tool").chmod(0o644),
        retarget,
        lambda: (copy / "empty").mkdir(),
    ]
    seen = {first}
    for change in changes:
        change()
        seen.add(take_inventory(copy, InodeHashes()).digest)
    assert len(seen) == 1 + len(changes)


def test_damage_is_an_error(venv: Path, tmp_path: Path) -> None:
    file = tmp_path / "inventory"
    save_inventory(take_inventory(venv, InodeHashes()), file)
    good = file.read_bytes()
    broken = [b"", b"envsync", good[:-1], good[:200] + b"\0" + good[201:], good.replace(b" 4 ", b" 5 ", 1)]
    broken += [good.replace(b"inventory", b"inodes", 1), b"\n" + good]
    for content in broken:
        file.write_bytes(content)
        with pytest.raises(InventoryError):
            load_inventory(file)
    file.unlink()
    with pytest.raises(InventoryError, match="No such file"):
        load_inventory(file)


def test_an_inventory_that_cannot_be_taken_or_written_is_a_state_error(venv: Path, tmp_path: Path) -> None:
    with pytest.raises(StateError):
        take_inventory(tmp_path / "nowhere", InodeHashes())
    with pytest.raises(StateError):
        save_inventory(take_inventory(venv, InodeHashes()), tmp_path / "nowhere" / "inventory")


def test_all_entries_are_older_than_a_tick(venv: Path) -> None:
    (venv / "bin/tool").write_text("#!/bin/true\n")
    inventory = take_inventory(venv, InodeHashes())

    assert max(inventory.ctimes) < time.time_ns() - TICK_NS


def test_a_known_inode_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    time.sleep(2 * TICK_NS / 1e9)
    cache = tmp_path / "inodes"
    inodes = InodeHashes.load(cache)
    status = file.lstat()
    first = inodes.sha256_of(file, status)
    inodes.save()

    again = InodeHashes.load(cache)
    signature = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    assert again.sha256_of("/nowhere", status) == first
    known = again.remembered_sha256(status.st_dev, status.st_ino, signature)
    assert known is not None
    assert known.hex() == first
    assert again.remembered_sha256(status.st_dev, status.st_ino, (9, *signature[1:])) is None
    with pytest.raises(OSError, match="nowhere"):
        again.read_sha256("/nowhere", status)


def test_a_file_younger_than_a_tick_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    inodes = InodeHashes()
    for _ in range(20):
        file.write_text("one")
        one = inodes.sha256_of(file, file.lstat())
        file.write_text("two")
        assert inodes.sha256_of(file, file.lstat()) != one


def test_a_missing_damaged_or_unwritable_cache_is_empty(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    (tmp_path / "cache").write_bytes(b"envsync inodes 1 00\nrubbish")
    inodes = InodeHashes.load(tmp_path / "cache")
    assert inodes.sha256_of(file, file.lstat())
    blocked = InodeHashes.load(file / "below" / "cache")
    time.sleep(2 * TICK_NS / 1e9)
    assert blocked.sha256_of(file, file.lstat())
    blocked.save()


def test_a_link_or_pipe_in_place_of_a_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError):  # noqa: PT011  # the errno depends on the system
            InodeHashes().sha256_of(tmp_path / name, (tmp_path / name).lstat())


def test_columns_of_different_lengths_are_damage(venv: Path, tmp_path: Path) -> None:
    inventory = take_inventory(venv, InodeHashes())
    save_inventory(replace(inventory, names=inventory.names[1:]), tmp_path / "inventory")
    with pytest.raises(InventoryError, match="different lengths"):
        load_inventory(tmp_path / "inventory")


def test_a_build_that_links_the_same_files_does_not_stop_the_inventory(venv: Path, tmp_path: Path) -> None:
    """The other build links a cached file again and again: its ctime is always young and is left out."""
    module = venv / "lib/python3.12/site-packages/acme/__init__.py"
    stop = threading.Event()

    def link_on() -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            os.link(module, tmp_path / f"link{number}")
            time.sleep(0)

    builder = threading.Thread(target=link_on)
    builder.start()
    try:
        inventory = take_inventory(venv, InodeHashes())
    finally:
        stop.set()
        builder.join()
    rows = {entry.path: entry for entry in inventory.entries}
    assert rows["lib/python3.12/site-packages/acme/__init__.py"].ctime_ns == 0
    assert rows["lib/python3.12/site-packages/acme/templates/page.html"].ctime_ns > 0
    assert inventory.digest == take_inventory(venv, InodeHashes()).digest
