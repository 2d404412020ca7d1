"""What each cache of a root keeps, what a collection reports, and that a failure stops no other cache."""

import errno
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from reconciler.apply.collect_cache import CollectedCache, _collected, collect_caches
from reconciler.errors import StateError
from reconciler.fastpath.completed_run import write_cache_file
from reconciler.state.inode_hashes import InodeHashes
from tests.apply.bench import Bench
from tests.apply.bench import bench as bench
from tests.state.edited import stored_in, write_stored

KINDS = ("packages", "interpreters", "agreements", "manifest readings", "file hashes", "temporary directories")
NO_PROCESS = 2**22 + 1  # above the largest number of a process


def sizes(paths: Iterable[Path]) -> int:
    return sum(each.lstat().st_blocks * 512 for each in paths)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a temporary directory that no other test uses."""
    found = tmp_path / "temporary"
    found.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(found))
    return found


def collected(bench: Bench) -> dict[str, CollectedCache]:
    found = collect_caches(bench.state, bench.engine)
    assert [each.kind for each in found] == list(KINDS)
    return {each.kind: each for each in found}


def test_nothing_is_collected_of_a_new_root_and_the_users_own_package_cache_is_not_collected(bench: Bench) -> None:
    assert collect_caches(bench.state, bench.engine) == [CollectedCache(kind=kind) for kind in KINDS]
    assert collect_caches(bench.state, None) == [CollectedCache(kind=kind) for kind in KINDS[1:]]


def test_agreements_of_known_environments_are_kept(bench: Bench) -> None:
    bench.applied()
    directory = bench.state.layout.agreements
    directory.mkdir(parents=True)
    for name in ("web", "web.own", "gone", "gone.own", "web.other"):
        (directory / name).write_bytes(b"x" * 10_000)
    size = sizes(directory / name for name in ("gone", "gone.own", "web.other"))
    assert collected(bench)["agreements"] == CollectedCache(kind="agreements", count=3, size=size)
    assert sorted(os.listdir(directory)) == ["web", "web.own"]


def test_readings_of_manifests_that_exist_are_kept_and_other_files_too(bench: Bench, tmp_path: Path) -> None:
    cache = bench.state.layout.cache
    cache.mkdir(parents=True, exist_ok=True)
    (tmp_path / "link").symlink_to("missing")
    for name, file in (("manifest-1", tmp_path), ("manifest-2", tmp_path / "gone"), ("manifest-3", tmp_path / "link")):
        write_cache_file(str(cache / name), {"file": str(file)})
    for name in ("manifest-4", "other"):
        (cache / name).write_bytes(b"not a reading")
    size = sizes(cache / name for name in ("manifest-2", "manifest-4"))
    assert collected(bench)["manifest readings"] == CollectedCache(kind="manifest readings", count=2, size=size)
    assert {"manifest-1", "manifest-3", "other"} <= set(os.listdir(cache))
    assert not {"manifest-2", "manifest-4"} & set(os.listdir(cache))


def test_facts_of_interpreters_that_exist_are_kept(bench: Bench) -> None:
    facts = bench.state.layout.interpreter_facts
    facts.parent.mkdir(parents=True, exist_ok=True)
    write_stored(facts, {"interpreters": {sys.executable: {"a": 1}, "/gone/1": {}, "/gone/2": {}}})
    assert collected(bench)["interpreters"] == CollectedCache(kind="interpreters", count=2)
    assert stored_in(facts) == {"interpreters": {sys.executable: {"a": 1}}}


def test_hashes_of_files_in_generations_are_kept(bench: Bench, tmp_path: Path) -> None:
    layout = bench.state.layout
    layout.cache.mkdir(parents=True, exist_ok=True)
    inside, outside = layout.all_generations / "web/1/file", tmp_path / "outside"
    inside.parent.mkdir(parents=True)
    hashes = InodeHashes.load(layout.inode_hashes)
    for path in (inside, outside):
        path.touch()
        while not hashes.remembered_sha256(*_signed(path)):
            hashes.remember(path.lstat(), b"x" * 32)
    hashes.save()
    assert collected(bench)["file hashes"] == CollectedCache(kind="file hashes", count=1)
    kept = InodeHashes.load(layout.inode_hashes)
    assert kept.remembered_sha256(*_signed(inside)) == b"x" * 32
    assert kept.remembered_sha256(*_signed(outside)) is None


def _signed(path: Path) -> tuple[int, int, tuple[int, int, int]]:
    status = path.lstat()
    return status.st_dev, status.st_ino, (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def test_temporary_directories_of_killed_processes_are_deleted(bench: Bench, temporary: Path) -> None:
    for number in (os.getpid(), NO_PROCESS):
        (temporary / f"envsync-{number}-abcdefgh").mkdir()
    assert collected(bench)["temporary directories"] == CollectedCache(kind="temporary directories", count=1)
    assert os.listdir(temporary) == [f"envsync-{os.getpid()}-abcdefgh"]


def test_packages_of_sealed_generations_are_kept_and_shared_files_free_nothing(bench: Bench) -> None:
    bench.applied()
    wheels = bench.state.layout.engine_cache / "wheels-v6/pypi"
    for name in ("tool/1.0-py3-none-any", "tool/2.0-py3-none-any", "other/1.0-py3-none-any", "other/2.0-py3-none-any"):
        (wheels / name).parent.mkdir(parents=True, exist_ok=True)
        (wheels / name).write_bytes(b"x" * 10_000)
    os.link(wheels / "other/1.0-py3-none-any", bench.state.layout.root / "elsewhere")
    bench.uv.calls.clear()
    size = sizes(wheels / name for name in ("tool/2.0-py3-none-any", "other/2.0-py3-none-any"))
    assert collected(bench)["packages"] == CollectedCache(kind="packages", count=3, size=size)
    assert [each.relative_to(wheels).as_posix() for each in sorted(wheels.glob("*/*"))] == ["tool/1.0-py3-none-any"]
    assert [each.arguments for each in bench.uv.calls] == [["cache", "clean", "other"], ["cache", "prune"]]


def test_a_cache_that_cannot_be_collected_is_reported_and_the_others_are_collected(bench: Bench) -> None:
    bench.applied()
    layout = bench.state.layout
    layout.agreements.mkdir(parents=True)
    (layout.agreements / "gone").mkdir()
    layout.generation("web", 1).seal.write_text("{")
    (layout.cache / "manifest-1").touch()
    found = collected(bench)
    assert found["agreements"].failure == f"{layout.agreements / 'gone'}: Is a directory"
    assert "seal.json` is damaged" in found["packages"].failure
    assert found["manifest readings"] == CollectedCache(kind="manifest readings", count=1)
    (layout.agreements / "gone").rmdir()
    layout.agreements.rmdir()
    layout.agreements.touch()
    assert collected(bench)["agreements"].failure == f"{layout.agreements}: Not a directory"


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (OSError(errno.EIO, "I/O error", "/a"), "/a: I/O error"),
        (OSError(errno.EIO, "I/O error"), "I/O error"),
        (OSError("broken"), "broken"),
        (StateError("a seal is damaged", hint=None), "a seal is damaged"),
    ],
)
def test_the_failure_says_what_is_wrong_and_where(error: Exception, failure: str) -> None:
    def fails() -> CollectedCache:
        raise error

    assert _collected("agreements", fails) == CollectedCache(kind="agreements", failure=failure)
