"""Finds in uv's cache what belongs to packages that are no longer needed (layout checked with 0.13.8).

A file whose name is not understood stays: with another layout of the cache nothing is found.
"""

import fcntl
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from reconciler.engines.engine import CachedPackage
from reconciler.errors import DeadlineError
from reconciler.fs.file_lock import lock_file

_ARCHIVE = re.compile(r"/(?:archive|builds)-v[0-9]+/[^/]+$")  # an unpacked wheel, or the environment of a build
# Below these are a directory for each package, and in it a name for each file or source distribution, which starts with
# the version. The directories in between stand for indexes and URLs.
_PACKAGES = ("wheels-v*/pypi/*", "wheels-v*/index/*/*", "wheels-v*/url/*/*", "sdists-v*/pypi/*", "sdists-v*/index/*/*")


def unused_names(cache: Path, keep: frozenset[CachedPackage]) -> list[str]:
    """Return the names of the packages in the cache that have no version in `keep`, sorted."""
    kept = {each.name for each in keep}
    return sorted({name for name, _, _ in _entries(cache) if name not in kept})


def unused_entries(cache: Path, keep: frozenset[CachedPackage]) -> list[Path]:
    """Return the files and directories of the versions that are not in `keep`."""
    kept = {(each.name, Version(each.version)) for each in keep}
    return [path for name, version, path in _entries(cache) if (name, version) not in kept]


@contextmanager
def cache_lock(cache: Path, timeout: float) -> Iterator[None]:
    """Keep every uv out of the cache during a block, as `uv cache clean` does.

    Raises DeadlineError if another uv uses it for longer than `timeout` seconds, or OSError.
    """
    descriptor = os.open(cache / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not lock_file(descriptor, fcntl.LOCK_EX, timeout):
            message = f"`{cache}` was in use for {timeout:g} seconds"
            raise DeadlineError(message, hint="allow more time with `--timeout`")
        yield
    finally:
        os.close(descriptor)


def has_older_sources(cache: Path, name: str, since: float) -> bool:
    """Return whether the cache had unpacked sources before `since` (seconds) from which a package may have been built.

    Only those from an index are known by name. Any older sources from a path, a URL or a repository count.
    """
    patterns = [f"sdists-v*/{where}/{name}/*/*/src" for where in ("pypi", "index/*")]
    patterns += ["sdists-v*/path/*/*/src", "sdists-v*/url/*/*/src", "git-v*/checkouts/*/*"]
    return any(path.lstat().st_mtime < since for pattern in patterns for path in cache.glob(pattern))


def editable_entries(cache: Path, names: Collection[str]) -> list[Path]:
    """Return what the cache has of the editable packages `names`, which `uv cache clean NAME` leaves (0.13.9).

    An entry without a wheel, whose package is not known, is one of them too.
    """
    found = []
    for path in sorted(cache.glob("sdists-v*/editable/*")):
        wheels = {canonicalize_name(each.name.partition("-")[0]) for each in path.glob("*/*.whl")}
        if path.is_dir() and not path.is_symlink() and (not wheels or not wheels.isdisjoint(names)):
            found.append(path)
    return found


def git_entries(cache: Path, commits: Collection[str]) -> list[Path]:
    """Return the databases and checkouts of the repositories that have one of the `commits` (hexadecimal) checked out.

    Return all repositories if none has one: a checkout is missing, and it is not known which one.
    """
    checkouts = sorted(cache.glob("git-v*/checkouts/*"))
    found = [
        each
        for each in checkouts
        if any(commit.startswith(entry.name) for entry in each.glob("*") for commit in commits if len(entry.name) > 6)
    ]
    databases = [each.parents[1] / "db" / each.name for each in found] or sorted(cache.glob("git-v*/db/*"))
    return [each for each in (*(found or checkouts), *databases) if each.is_dir() and not each.is_symlink()]


def forget_interpreters(cache: Path) -> None:
    """Delete what uv remembers of interpreters; an error is ignored.

    It remembers the interpreter of every generation, by its path, which no later run needs. And it would believe what
    something else wrote there: which program to start, and where to install.
    """
    for path in cache.glob("interpreter-v*/*/*"):  # the directories stay, because another uv may write there now
        with suppress(OSError):
            path.unlink()


def remove_what_is_not_of_uv(cache: Path) -> None:
    """Delete from a cache what uv does not put there: a link to a place outside of it, a named pipe, a device.

    uv would write to where such a link points, and wait for a pipe without end. What an archive contains is only read,
    and compared with its RECORD. What cannot be deleted stays, for uv to report.
    """
    top = os.path.realpath(cache)
    left = [str(cache)]
    while left:
        with suppress(OSError), os.scandir(left.pop()) as entries:
            for each in entries:
                if each.is_dir(follow_symlinks=False):
                    if not _ARCHIVE.search(each.path):
                        left.append(each.path)
                elif each.is_symlink():
                    if not os.path.realpath(each.path).startswith(f"{top}/"):
                        os.unlink(each.path)  # noqa: PTH108
                elif not each.is_file(follow_symlinks=False):
                    os.unlink(each.path)  # noqa: PTH108


def _entries(cache: Path) -> Iterator[tuple[str, Version, Path]]:
    """Yield the name, the version and the path of what the cache has for each package."""
    for pattern in _PACKAGES:
        for directory in sorted(cache.glob(pattern)):
            if directory.is_symlink() or not directory.is_dir():
                continue
            for path in sorted(directory.iterdir()):
                try:
                    version = Version(path.name.partition("-")[0])
                except InvalidVersion:
                    continue
                yield canonicalize_name(directory.name), version, path
