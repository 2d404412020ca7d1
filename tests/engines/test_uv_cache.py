"""What of uv's cache is not needed any more."""

import fcntl
import os
import time
from pathlib import Path

import pytest

from reconciler.engines.engine import CachedPackage
from reconciler.engines.uv_cache import (
    cache_lock,
    editable_entries,
    forget_interpreters,
    git_entries,
    has_older_sources,
    remove_what_is_not_of_uv,
    unused_entries,
    unused_names,
)
from reconciler.errors import DeadlineError


def place(cache: Path, *names: str) -> None:
    for name in names:
        path = cache / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_only_versions_that_are_not_kept_and_names_that_are_understood_are_found(tmp_path: Path) -> None:
    unused = (
        "wheels-v8/pypi/idna/3.7-py3-none-any.http",
        "wheels-v8/index/0123/torch/2.1.0+cpu-cp311-cp311-linux_x86_64",
        "wheels-v8/url/0123/six/1.0-py3-none-any.msgpack",
        "sdists-v11/pypi/typing-extensions/4.0/revision.http",
    )
    others = (
        "wheels-v8/pypi/idna/3.10-py3-none-any.http",
        "wheels-v8/index/0123/torch/2.1.0+cu118-cp311-cp311-linux_x86_64",
        "wheels-v8/pypi/idna/unknown",
        "wheels-v8/pypi/file",
        "wheels-v8/new/0123/idna/3.7-py3-none-any.http",
        "sdists-v11/path/0123/4567/revision.rev",
        "archive-v0/idna/3.7-py3-none-any.http",
    )
    place(tmp_path, *unused, *others)
    (tmp_path / "outside/zope").mkdir(parents=True)
    place(tmp_path, "outside/zope/1.0-py3-none-any.http")
    (tmp_path / "wheels-v8/pypi/zope").symlink_to(tmp_path / "outside/zope")
    keep = frozenset({CachedPackage(name="idna", version="3.10.0"), CachedPackage(name="torch", version="2.1.0+cu118")})
    found = {each.relative_to(tmp_path).as_posix() for each in unused_entries(tmp_path, keep)}
    assert found == {*unused[:3], "sdists-v11/pypi/typing-extensions/4.0"}
    assert unused_names(tmp_path, keep) == ["six", "typing-extensions"]


def test_what_uv_remembers_of_interpreters_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    others = ("interpreter-v5/.gitignore", "archive-v0/interpreter-v5/0123/456/x", "wheels-v6/pypi/six/1.16.0")
    place(tmp_path, "interpreter-v5/0123/4.msgpack", "interpreter-v4/4567/8.msgpack", *others)
    (tmp_path / "interpreter-v5/0123/directory").mkdir()
    forget_interpreters(tmp_path)
    assert {each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*") if each.is_file()} == set(others)
    assert (tmp_path / "interpreter-v4/4567").is_dir(), "another uv may write there now"
    forget_interpreters(tmp_path / "missing")


def test_the_repositories_of_some_commits_are_found_or_all_if_none_is_known(tmp_path: Path) -> None:
    place(tmp_path, "git-v2/checkouts/aa/0123abc/x.py", "git-v2/db/aa/HEAD", "git-v2/db/bb/HEAD")
    place(tmp_path, "git-v2/checkouts/bb/4567def/x.py", "git-v2/locks/aa")
    (tmp_path / "git-v2/checkouts/cc").symlink_to(tmp_path)

    def found(*commits: str) -> list[str]:
        return [each.relative_to(tmp_path).as_posix() for each in git_entries(tmp_path, commits)]

    assert found("0123abc" + "0" * 33) == ["git-v2/checkouts/aa", "git-v2/db/aa"]
    every = ["git-v2/checkouts/aa", "git-v2/checkouts/bb", "git-v2/db/aa", "git-v2/db/bb"]
    assert found("8" * 40) == found() == every


def test_the_entries_of_editable_packages_are_found_by_their_wheels(tmp_path: Path) -> None:
    place(tmp_path, "sdists-v11/editable/aa/1/my_app-1.0-py3-none-any.whl", "sdists-v11/editable/bb/1/other-1.0.whl")
    place(tmp_path, "sdists-v11/editable/cc/revision.rev", "sdists-v11/path/dd/1/my_app-1.0-py3-none-any.whl")
    assert [each.name for each in editable_entries(tmp_path, ["my-app"])] == ["aa", "cc"]


def test_only_sources_that_were_there_before_may_be_the_cause_of_a_failed_build(tmp_path: Path) -> None:
    place(tmp_path, "sdists-v11/pypi/six/1.0/rev/src/setup.py")
    for pattern in ("six", "seven"):
        assert not has_older_sources(tmp_path, pattern, time.time() - 60)
    os.utime(tmp_path / "sdists-v11/pypi/six/1.0/rev/src", (0, 0))
    assert has_older_sources(tmp_path, "six", time.time() - 60)
    assert not has_older_sources(tmp_path, "seven", time.time() - 60)
    place(tmp_path, "git-v2/checkouts/aa/0123abc/setup.py")
    os.utime(tmp_path / "git-v2/checkouts/aa/0123abc", (0, 0))
    assert has_older_sources(tmp_path, "seven", time.time() - 60)


def test_nothing_is_deleted_while_another_uv_uses_the_cache(tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        with pytest.raises(DeadlineError, match=r"was in use for 0\.1 seconds"), cache_lock(tmp_path, 0.1):
            raise AssertionError("the lock was given")
    with cache_lock(tmp_path, 0.1), (tmp_path / ".lock").open() as third, pytest.raises(BlockingIOError):
        fcntl.flock(third, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_the_lock_of_a_cache_is_free_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with cache_lock(tmp_path, 0.1):
            pass


def test_sources_of_the_same_moment_are_not_older(tmp_path: Path) -> None:
    path = tmp_path / "git-v0/checkouts/a/b"
    path.mkdir(parents=True)
    os.utime(path, (1000, 1000))
    assert [has_older_sources(tmp_path, "six", since) for since in (1000, 1001)] == [False, True]


def test_links_out_of_a_cache_and_pipes_are_deleted_except_in_archives(tmp_path: Path) -> None:
    cache, outside = tmp_path / "cache", tmp_path / "cache-2"
    kept = ("wheels-v5/pypi/six", "archive-v0/abc", "builds-v0/abc", "archive-v0/abc/lib")
    for directory in (outside, *(cache / each for each in kept)):
        directory.mkdir(parents=True)
        os.mkfifo(directory / "pipe")
        (directory / "file").touch()
        (directory / "inside").symlink_to(cache / "wheels-v5")
        (directory / "outside").symlink_to(outside)
    remove_what_is_not_of_uv(cache)
    assert sorted(each.name for each in outside.iterdir()) == ["file", "inside", "outside", "pipe"]
    assert sorted(each.name for each in (cache / kept[0]).iterdir()) == ["file", "inside"]
    assert sorted(each.name for each in (cache / kept[1]).iterdir()) == ["file", "inside", "lib", "outside", "pipe"]
    assert sorted(each.name for each in (cache / kept[2]).iterdir()) == ["file", "inside", "outside", "pipe"]
