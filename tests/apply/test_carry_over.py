"""Ignored files are copied into a new generation, unless it brings something else at their path."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.carry_over import _Copy
from reconciler.errors import ApplyError
from reconciler.plan.model import StepKind
from tests.apply.bench import Bench, performed, step
from tests.apply.bench import bench as bench
from tests.apply.fake_uv import SITE

OLD, NEW = b"1" * 33, b"2" * 33
BUILT = (StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL)


def carried(
    directory: Path, path: str, *, before: Mapping[str, bytes] | None = None, after: Mapping[str, bytes] | None = None
) -> bool:
    source, destination = directory / "old", directory / "new"
    destination.mkdir(exist_ok=True)
    one, other = (os.open(each, os.O_RDONLY) for each in (source, destination))
    try:
        return _Copy(before=before or {}, after=after or {}).one(path, one, other, source / path)
    finally:
        os.close(one)
        os.close(other)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    made = tmp_path / "old"
    (made / "var/log/empty").mkdir(parents=True)
    (made / "var").chmod(0o750)
    (made / "var/log/a.log").write_text("one\n")
    (made / "var/log/a.log").chmod(0o640)
    os.utime(made / "var/log/a.log", ns=(10**18, 10**18 + 7))
    (made / "var/log/link").symlink_to("a.log")
    os.mkfifo(made / "var/log/pipe")
    return made


def test_files_links_and_empty_directories_are_copied_with_mode_and_times(old: Path, tmp_path: Path) -> None:
    assert all(carried(tmp_path, f"var/log/{each}") for each in ("a.log", "link", "empty"))
    new = tmp_path / "new"
    status = (new / "var/log/a.log").stat()
    assert (new / "var/log/a.log").read_text() == "one\n"
    assert (status.st_mode & 0o777, status.st_mtime_ns) == (0o640, 10**18 + 7)
    assert status.st_ino != (old / "var/log/a.log").stat().st_ino
    assert (new / "var").stat().st_mode & 0o777 == 0o750
    assert (new / "var/log/link").readlink() == Path("a.log")
    assert (new / "var/log/empty").is_dir()
    assert sorted(each.name for each in (new / "var/log").iterdir()) == ["a.log", "empty", "link"]


def test_what_is_gone_or_holds_nothing_is_left_out(old: Path, tmp_path: Path) -> None:
    assert not carried(tmp_path, "var/log/pipe")
    assert not carried(tmp_path, "var/log/gone")
    assert not carried(tmp_path, "gone/a.log")
    assert not (tmp_path / "new/var/log/pipe").exists()
    assert old.is_dir()


def test_a_file_that_both_builds_contain_is_carried_over_with_its_changes(old: Path, tmp_path: Path) -> None:
    path = "var/log/a.log"
    (tmp_path / "new/var/log").mkdir(parents=True)
    (tmp_path / "new" / path).write_text("as it was built")
    assert carried(tmp_path, path, before={path: OLD}, after={path: OLD})
    assert (tmp_path / "new" / path).read_text() == (old / path).read_text()


@pytest.mark.parametrize("before", [{}, {"var/log/a.log": OLD}])
def test_a_file_that_the_new_build_brings_otherwise_is_never_overwritten(
    before: Mapping[str, bytes], old: Path, tmp_path: Path
) -> None:
    with pytest.raises(ApplyError, match=r"`var/log/a\.log`"):
        carried(tmp_path, "var/log/a.log", before=before, after={"var/log/a.log": NEW})
    assert not (tmp_path / "new/var").exists()
    assert old.is_dir()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_in_place_of_a_directory_is_never_overwritten(kind: str, old: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "elsewhere").mkdir()
    if kind == "file":
        (tmp_path / "new/var").write_text("built")
    else:
        (tmp_path / "new/var").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ApplyError, match=r"`var/log/a\.log`"):
        carried(tmp_path, "var/log/a.log")
    assert not any((tmp_path / "elsewhere").iterdir())
    assert old.is_dir()


def test_what_a_killed_run_left_is_replaced(old: Path, tmp_path: Path) -> None:
    (tmp_path / "new/var/log").mkdir(parents=True)
    (tmp_path / "new/var/log/.envsync-carried").write_text("half")
    assert carried(tmp_path, "var/log/a.log")
    assert sorted(each.name for each in (tmp_path / "new/var/log").iterdir()) == ["a.log"]
    assert old.is_dir()


def test_ignored_files_are_carried_over_and_counted(bench: Bench) -> None:
    settings: dict[str, Any] = {"ignore_files": ("*.log", "var/**")}
    bench.applied(**settings)
    old = bench.state.layout.generation("web", 1).venv
    run = bench.run(*BUILT, StepKind.CARRY_OVER, **settings)
    performed(run, *BUILT)
    assert run.perform(step(StepKind.CARRY_OVER)) == ""
    (old / "a.log").write_text("a")
    (old / "other").write_text("not ignored")
    assert run.perform(step(StepKind.CARRY_OVER)) == "1 ignored file carried over"
    (old / "var").mkdir()
    (old / "var/b").write_text("b")
    (old / "a.log").write_text("changed")
    os.mkfifo(old / "var/pipe")
    descriptors = os.listdir("/dev/fd")
    assert run.perform(step(StepKind.CARRY_OVER)) == "2 ignored files carried over"
    assert os.listdir("/dev/fd") == descriptors, "every directory is closed again"
    assert ((run.new.venv / "a.log").read_text(), (run.new.venv / "var/b").read_text()) == ("changed", "b")
    assert not (run.new.venv / "other").exists()
    assert not (run.new.venv / "var/pipe").exists()


def test_without_a_published_generation_nothing_is_carried_over(bench: Bench) -> None:
    run = bench.run(*BUILT, StepKind.CARRY_OVER, ignore_files=("*.log",))
    performed(run, *BUILT)
    assert run.perform(step(StepKind.CARRY_OVER)) == ""


def test_a_changed_file_that_the_new_build_brings_otherwise_would_be_lost(bench: Bench) -> None:
    settings: dict[str, Any] = {"ignore_files": (f"{SITE}/tool.py",)}
    bench.applied(**settings)
    (bench.state.layout.generation("web", 1).venv / SITE / "tool.py").write_text("edited")
    bench.uv.packages["tool"]["tool.py"] = b"TWO = 2\n"
    run = bench.run(*BUILT, StepKind.CARRY_OVER, **settings)
    performed(run, *BUILT)
    with pytest.raises(ApplyError) as caught:
        run.perform(step(StepKind.CARRY_OVER))
    assert caught.value.message == f"would lose files that `ignore_files` matches: `{SITE}/tool.py`"
    assert caught.value.hint == (
        "copy them to a different place, then apply with `--drop-ignored` to leave them behind"
    )
    assert (run.new.venv / SITE / "tool.py").read_text() == "TWO = 2\n"
