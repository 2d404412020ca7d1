"""Comparison of files: shared inodes, which files are examined and read, and unusual directories."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.observe.actual import Depth, FindingCode
from reconciler.observe.bytecode import header_mismatch, source_hash
from reconciler.observe.file_changes import compare_files
from reconciler.observe.ignore_globs import ignore_matcher
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_scan import take_inventory
from tests.unprivileged import reachable_directory, unprivileged

SITE = "lib/python3.12/site-packages"


def make(top: Path, name: str = "web", *, linked_to: Path | None = None) -> Path:
    """Make an environment with three modules, hard-linked to those of another if one is given."""
    site = top / name / SITE / "acme"
    site.mkdir(parents=True)
    for module in ("one.py", "two.py", "three.py"):
        if linked_to is not None:
            (site / module).hardlink_to(linked_to / SITE / "acme" / module)
        else:
            (site / module).write_text(f"NAME = '{module}'\n")
    return top / name


def compare(venv: Path, inventory: Inventory, inodes: InodeHashes, depth: Depth = Depth.FILES) -> list[str]:
    return [f"{each.code} {each.path}" for each in compare_files(str(venv), inventory, inodes, depth, access=0)]


def test_an_edit_of_a_shared_inode_is_found_in_every_environment(tmp_path: Path) -> None:
    inodes = InodeHashes()
    web = make(tmp_path)
    api = make(tmp_path, "api", linked_to=web)
    inventories = {venv: take_inventory(venv, inodes) for venv in (web, api)}
    inodes.begin_pass()
    with (web / SITE / "acme/two.py").open("a") as file:
        file.write("edited = True\n")

    for venv, inventory in inventories.items():
        assert compare(venv, inventory, inodes) == [f"file-changed {SITE}/acme/two.py"]


def test_a_file_of_twenty_environments_is_read_once(tmp_path: Path) -> None:
    first = make(tmp_path)
    others = [make(tmp_path, f"e{number}", linked_to=first) for number in range(19)]
    shared = {str(venv / SITE / "acme" / "two.py") for venv in (first, *others)}
    kept = InodeHashes()
    inventories = {venv: take_inventory(venv, kept) for venv in (first, *others)}
    for depth in (Depth.FILES, Depth.HASHES):
        os.utime(first / SITE / "acme/two.py")  # same contents, so the hash decides
        time.sleep(2 * TICK_NS / 1e9)
        inodes = InodeHashes()
        with opened() as paths:
            for venv, inventory in inventories.items():
                assert compare(venv, inventory, inodes, depth) == []
        assert sum(path in shared for path in paths) == 1


_LISTENERS: list[list[str]] = []


@contextmanager
def opened() -> Iterator[list[str]]:
    """Yield the paths that this process opens in the block (PEP 578; a hook cannot be removed, so there is one)."""
    if not _LISTENERS:
        sys.addaudithook(lambda event, args: _LISTENERS[-1].append(str(args[0])) if event == "open" else None)
    _LISTENERS.append([])
    yield _LISTENERS[-1]
    _LISTENERS.append([])


def test_a_hard_link_made_elsewhere_is_not_drift_and_costs_one_read(tmp_path: Path) -> None:
    inodes = InodeHashes()
    web = make(tmp_path)
    inventory = take_inventory(web, inodes)
    time.sleep(2 * TICK_NS / 1e9)
    make(tmp_path, "api", linked_to=web)
    time.sleep(2 * TICK_NS / 1e9)
    inodes.begin_pass()

    assert compare(web, inventory, inodes) == []
    status = (web / SITE / "acme/one.py").lstat()
    assert status.st_ctime_ns not in list(inventory.ctimes)
    known = inodes.remembered_sha256(
        status.st_dev, status.st_ino, (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    )
    assert known is not None


def test_a_replaced_file_with_the_same_times_is_found(tmp_path: Path) -> None:
    inodes = InodeHashes()
    web = make(tmp_path)
    inventory = take_inventory(web, inodes)
    file = web / SITE / "acme/one.py"
    before = file.lstat()
    directory = file.parent.lstat()
    other = tmp_path / "other"
    other.write_text("NAME = 'evil'\n#\n")
    other.rename(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.utime(file.parent, ns=(directory.st_atime_ns, directory.st_mtime_ns))
    inodes.begin_pass()

    assert compare(web, inventory, inodes) == [f"file-changed {SITE}/acme/one.py"]


def test_an_added_file_is_found_although_the_directory_time_was_set_back(tmp_path: Path) -> None:
    inodes = InodeHashes()
    web = make(tmp_path)
    inventory = take_inventory(web, inodes)
    site = (web / SITE).lstat()
    (web / SITE / "evil.pth").write_text("import evil\n")
    os.utime(web / SITE, ns=(site.st_atime_ns, site.st_mtime_ns))

    assert compare(web, inventory, inodes) == [f"file-added {SITE}/evil.pth"]


def test_depth_hashes_reads_every_file(tmp_path: Path) -> None:
    inodes = InodeHashes()
    web = make(tmp_path)
    inventory = take_inventory(web, inodes)
    file = web / SITE / "acme/one.py"
    inodes.begin_pass()
    inodes.remember(file.lstat(), bytes(32))  # a forged cache

    assert compare(web, inventory, inodes) == []  # the status is as recorded, so the cache is not used
    assert compare(web, inventory, inodes, Depth.HASHES) == []
    assert inodes.sha256_of(file, file.lstat()) != "0" * 64


def test_both_depths_find_the_same(tmp_path: Path) -> None:
    web = make(tmp_path)
    inventory = take_inventory(web, InodeHashes())
    (web / SITE / "acme/one.py").write_text("edited\n")
    (web / SITE / "new").mkdir()
    (web / SITE / "acme/two.py").unlink()
    found = [
        compare_files(str(web), inventory, InodeHashes(), depth, access=0) for depth in (Depth.FILES, Depth.HASHES)
    ]

    assert found[0] == found[1]
    assert [each.code for each in found[0]] == [
        FindingCode.FILE_ADDED,
        FindingCode.FILE_CHANGED,
        FindingCode.FILE_MISSING,
    ]


def test_in_a_missing_environment_every_file_is_missing(tmp_path: Path) -> None:
    web = make(tmp_path)
    inventory = take_inventory(web, InodeHashes())

    assert len(compare(tmp_path / "nowhere", inventory, InodeHashes())) == 3


def test_after_an_unreadable_directory_the_files_of_a_missing_one_are_still_missing() -> None:
    with reachable_directory() as top:
        for name in ("closed/inner/a.py", "gone/inner/b.py"):
            (top / name).parent.mkdir(parents=True)
            (top / name).write_text("x")
        inventory = take_inventory(top, InodeHashes())
        shutil.rmtree(top / "gone")
        (top / "closed").chmod(0)
        with unprivileged():
            found = compare(top, inventory, InodeHashes())
        (top / "closed").chmod(0o755)
    codes = {each.partition(" ")[0] for each in found}
    assert codes == {"unreadable", "file-missing"}
    assert any("gone/inner/b.py" in each for each in found)


def test_what_is_below_a_directory_that_cannot_be_reached_is_not_reported() -> None:
    with reachable_directory() as top:
        for name in ("closed/inner/deep/a.py", "closed/inner/b.py", "closed/other/c.py", "closes/d.py"):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text("x")
        inventory = take_inventory(top, InodeHashes())
        (top / "closes/d.py").unlink()
        (top / "closed").chmod(0)
        with unprivileged():
            found = compare(top, inventory, InodeHashes())
        (top / "closed").chmod(0o755)
    assert found == [
        "file-missing closes/d.py",
        "unreadable closed",
        "unreadable closed/inner",
        "unreadable closed/other",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_directory_is_one_finding(tmp_path: Path) -> None:
    web = make(tmp_path)
    inventory = take_inventory(web, InodeHashes())
    (web / SITE / "acme").chmod(0)
    try:
        found = compare(web, inventory, InodeHashes())
    finally:
        (web / SITE / "acme").chmod(0o755)
    assert {each.split(" ")[0] for each in found} == {"unreadable"}


@pytest.mark.parametrize("series", ["3.8", "3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize("mode", ["timestamp", "checked-hash", "unchecked-hash"])
def test_bytecode_that_an_interpreter_wrote_matches_its_source(
    series: str, mode: str, pythons: dict[str, Path], tmp_path: Path
) -> None:
    if series not in pythons:
        pytest.skip(f"no Python {series} on this machine")
    source = tmp_path / "module.py"
    source.write_text("NAME = 'some text that is longer than one word of the hash'\n")
    command = ["-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", mode, str(source)]
    subprocess.run([pythons[series], *command], check=True, timeout=30)
    bytecode = next((tmp_path / "__pycache__").iterdir())

    assert header_mismatch(str(bytecode), str(source)) == ""
    source.write_text("NAME = 'other'\n")
    assert header_mismatch(str(bytecode), str(source)) != ""


def test_bytecode_of_another_version_or_truncated_bytecode_does_not_match(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("")
    bytecode = tmp_path / "a.cpython-312.pyc"
    for content in (b"", b"\xcb\r\r\n", b"\xa7\r\r\n" + bytes(12), b"\xcb\r\r\n\x04" + bytes(11)):
        bytecode.write_bytes(content)
        assert header_mismatch(str(bytecode), str(source))


def test_the_hash_of_pep_552_on_old_pythons_is_siphash_2_4() -> None:
    assert len(source_hash(0, b"", 10)) == 8
    assert source_hash(1, b"abc", 10) != source_hash(1, b"abc", 11)


@pytest.mark.parametrize(
    ("globs", "path", "ignored"),
    [
        (["*.txt"], "a.txt", True),
        (["*.txt"], "b/a.txt", False),
        (["**/*.txt"], "a.txt", True),
        (["**/*.txt"], "b/c/a.txt", True),
        (["share/jupyter"], "share/jupyter/kernels/x.json", True),
        (["share/jupyter/**"], "share/jupyter/kernels/x.json", True),
        (["share/*"], "share", False),
        (["./lib/*/x"], "lib/python3.12/x", True),
        (["a?c"], "abc", True),
        (["a?c"], "a/c", False),
        (["[!a]bc"], "xbc", True),
        (["[!a]bc"], "abc", False),
        (["[a-c]x"], "bx", True),
        (["[ab", "x"], "[ab", True),
        (["a+b(c)"], "a+b(c)", True),
        (["**"], "any/thing", True),
        ([], "a", False),
    ],
)
def test_globs_of_ignored_files(globs: list[str], path: str, ignored: bool) -> None:
    assert ignore_matcher(globs)(path) is ignored


@pytest.mark.parametrize(
    ("made", "detail"),
    [
        ("file", "a file"),
        ("symlink", "a symbolic link"),
        ("pipe", "a special file"),
    ],
)
def test_what_replaced_a_directory_is_named_and_everything_in_it_is_missing(
    tmp_path: Path, made: str, detail: str
) -> None:
    web = make(tmp_path)
    inventory = take_inventory(web, InodeHashes())
    package = web / SITE / "acme"
    shutil.rmtree(package)
    makers: dict[str, Callable[[], None]] = {
        "file": package.touch,
        "symlink": lambda: package.symlink_to("elsewhere"),
        "pipe": lambda: os.mkfifo(package),
    }
    makers[made]()
    found = compare_files(str(web), inventory, InodeHashes(), Depth.FILES, access=0)
    assert [(each.code, each.path, each.detail) for each in found if each.code is not FindingCode.FILE_MISSING] == [
        (FindingCode.FILE_TYPE_CHANGED, f"{SITE}/acme", f"it was a directory and is now {detail}")
    ]
    missing = [each.path for each in found if each.code is FindingCode.FILE_MISSING]
    assert missing == [f"{SITE}/acme/{name}.py" for name in ("one", "three", "two")]


def test_an_added_directory_that_cannot_be_listed_is_a_finding_with_the_reason() -> None:
    with reachable_directory() as top:
        (top / "lib").mkdir()
        inventory = take_inventory(top, InodeHashes())
        (top / "lib/added").mkdir(mode=0)
        with unprivileged():
            [found] = compare_files(str(top), inventory, InodeHashes(), Depth.FILES, access=0)
        (top / "lib/added").chmod(0o755)
    assert (found.code, found.path, found.detail) == (
        FindingCode.UNREADABLE,
        "lib/added",
        "could not be read: Permission denied",
    )
