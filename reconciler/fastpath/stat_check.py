"""Checks by stat signatures whether a generation is as it was sealed (docs/design.md, "Observation").

A directory with the same inode and ctime has the same entries, so each of its names still has the inode that was
recorded. An inode is examined once in a pass; its contents are then known for every environment that has it.
"""

from __future__ import annotations

import os
import stat
from itertools import accumulate, islice, repeat

from reconciler.fastpath.agreement import RELATIVE_PATHS, SHARED_DIGEST
from reconciler.fs.access_bits import access_to, missing_bits
from reconciler.state.columns_file import load_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Literal

    from reconciler.state.hashes_file import HashColumns

    Columns = Mapping[str, Any]  # an inventory's columns, as `inventory_file.plain_columns` has them
    AcceptedDirectories = Mapping[str, list[int]]  # relative path: mtime, ctime (nanoseconds)
    RelativePaths = tuple[str, list[tuple[str, int, int]]]  # as `relative_paths.relative_paths` returns them
    Portion = tuple[int, int]  # index, and how many portions there are
    _Row = tuple[int, str, int, int, bytes | None]

_TYPE = 0o170000  # S_IFMT
_CONTENT = 33  # bytes that say what an entry contains, and whether it may be executed
_ALL = slice(None)


class StatPass:
    """One pass over the environments below a root, with the contents that each inode was found to have.

    The hashes remembered by inode are in the cache of the `root`. `contents` has the contents of inodes by device and
    inode: the SHA-256 of a file (32 bytes) and `x` if it may be executed, else `-`. It is filled only if other
    environments may share the files (`shared`). `access` is that of the root, which every file must have.
    `unchanged_digests` are the digests of shared files that were all found unchanged.
    """

    def __init__(self, root: str, *, shared: bool = True) -> None:
        self.shared = shared
        self._hashes_file = f"{root}/.envsync/cache/inodes"
        self.access = access_to(root)
        self._hashes: HashColumns | None = None
        self._hashes_read = False
        self._split: tuple[str, list[str]] = ("", [""])
        self.contents: dict[int, dict[int, bytes]] = {}
        self.unchanged_digests: set[bytes] = set()

    def split_paths(self, joined: str) -> list[str]:
        """Return paths that are joined by NUL; the last result is kept, as similar environments have the same."""
        if joined != self._split[0]:
            self._split = (joined, joined.split("\0"))
        return self._split[1]

    def remembered_sha256(self, status: os.stat_result) -> bytes | None:
        """Return the SHA-256 that is remembered for an inode, None unless its signature is still the same."""
        if not self._hashes_read:
            from reconciler.state.hashes_file import HashColumns  # rarely needed

            self._hashes_read = True
            try:
                self._hashes = HashColumns(self._hashes_file)
            except (OSError, ValueError, TypeError, KeyError):
                return None
        if self._hashes is None:
            return None
        signature = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return self._hashes.sha256(status.st_dev, status.st_ino, signature)


def environment_unchanged(
    venv: str,
    own: Columns,
    inventory: str,
    stat_pass: StatPass,
    accepted: AcceptedDirectories,
    portion: Portion = (0, 1),
    *,
    change_directory: bool = False,
) -> bool:
    """Return whether every file of an environment is unchanged, as `entries_unchanged` does, by its `own` columns.

    Its shared files are examined only once in a pass, by the columns in the file `inventory`.
    """
    digest, columns = own[SHARED_DIGEST], own
    if digest and digest not in stat_pass.unchanged_digests:
        try:
            columns = load_columns(inventory, "inventory")
        except (OSError, ValueError):
            return False
        stat_pass.unchanged_digests.add(digest)  # of this portion; any difference ends the whole check
    if entries_unchanged(
        venv, columns, stat_pass, accepted, portion, own[RELATIVE_PATHS], change_directory=change_directory
    ):
        return True
    stat_pass.unchanged_digests.discard(digest)
    return False


def entries_unchanged(
    venv: str,
    columns: Columns,
    stat_pass: StatPass,
    accepted: AcceptedDirectories,
    portion: Portion = (0, 1),
    relative: RelativePaths | None = None,
    *,
    change_directory: bool = False,
) -> bool:
    """Return whether every entry in an inventory's columns is unchanged, and nothing was added next to them.

    `accepted` are directories (by relative path) that changed or were made since the seal, with the mtime and ctime at
    which a full comparison found nothing wrong in them. Only one `portion` of the directories is examined; other
    processes examine the rest. The result is False in every doubt; the full program then compares.

    `relative` has short paths, relative to base directories. `change_directory` enters these directories, which makes
    lookups twice as fast; the working directory is a different one afterwards.
    """
    device = _single_device(columns)
    if device is None:
        return False
    counts = _numbers(columns["counts"], kind="I")
    joined, bases = relative or (columns["directories"], [("", 0, len(counts))])
    paths = stat_pass.split_paths(joined)
    examined = _directories_of_portion(counts, portion)
    inodes = _numbers(columns["directory_inodes"])
    ctimes = _numbers(columns["directory_ctimes"])
    rows = _rows(columns, counts, examined, stat_pass.contents.setdefault(device, {}))
    try:
        for base, start, stop in bases:
            here = slice(max(start, examined.start), min(stop, examined.stop))
            if here.start >= here.stop:
                continue
            prefix = f"{venv}/{base}/"
            if change_directory:
                os.chdir(prefix)
                prefix = ""
            if not _directories_unchanged(prefix, paths[here], inodes[here], ctimes[here], device, accepted, base):
                return False
            if not _files_unchanged(prefix, paths[here], counts[here], rows, columns["contents"], stat_pass, device):
                return False
        return not accepted or _new_directories_unchanged(venv, columns, accepted)
    except OSError:
        return False


def _directories_of_portion(counts: list[int], portion: Portion) -> slice:
    """Return the range of directories in a portion; all portions have about the same number of entries."""
    index, of = portion
    if of == 1:
        return slice(0, len(counts))
    ends = list(accumulate(each + 1 for each in counts))
    start, stop = (sum(map((ends[-1] * cut // of).__ge__, ends)) for cut in (index, index + 1))
    return slice(start, stop)


def _single_device(columns: Columns) -> int | None:
    """Return the device that all entries are on, None if there is more than one."""
    devices, of_directories = columns["devices"], columns["directory_devices"]
    first = of_directories[:8]
    if of_directories != first * (len(of_directories) // 8) or devices != first * (len(devices) // 8):
        return None
    return _numbers(first)[0]


def _directories_unchanged(
    prefix: str,
    paths: list[str],
    inodes: list[int],
    ctimes: list[int],
    device: int,
    accepted: AcceptedDirectories,
    base: str,
) -> bool:
    """Return whether some directories are the recorded ones, with the same entries; raises OSError.

    Whatever changes a directory's mtime changes its ctime too, and the ctime cannot be set back.
    """
    lstat = os.lstat
    for path, inode, ctime in zip(paths, inodes, ctimes, strict=True):
        found = lstat(prefix + path or ".")
        if found.st_ino != inode or found.st_dev != device:
            return False
        if found.st_ctime_ns != ctime:
            relative = f"{base}/{path}" if base and path else base or path
            if accepted.get(relative) != [found.st_mtime_ns, found.st_ctime_ns]:
                return False
    return True


def _new_directories_unchanged(venv: str, columns: Columns, accepted: AcceptedDirectories) -> bool:
    """Return whether the accepted directories that were made since the seal, such as `__pycache__`, are unchanged."""
    recorded = f"\0{columns['directories']}\0"
    for path, times in accepted.items():
        if f"\0{path}\0" not in recorded:
            found = os.lstat(f"{venv}/{path}")
            if times != [found.st_mtime_ns, found.st_ctime_ns]:
                return False
    return True


def _rows(columns: Columns, counts: list[int], examined: slice, contents: Mapping[int, bytes]) -> Iterator[_Row]:
    """Return the entries of a range of directories: position, name, inode, ctime, and the inode's known contents."""
    start, after = sum(counts[: examined.start]), sum(counts[examined.stop :])
    stop = start + sum(counts[examined])
    names = columns["names"]
    if start < stop:  # split only the names of this range
        names = names.rsplit("\0", after)[0] if after else names
        names = names.split("\0", start)[start].split("\0")
    here = slice(start, stop)
    inodes = _numbers(columns["inodes"], here)
    known = map(contents.get, inodes) if contents else repeat(None, stop - start)
    return zip(range(start, stop), names, inodes, _numbers(columns["ctimes"], here), known, strict=True)


def _files_unchanged(
    prefix: str,
    paths: list[str],
    counts: list[int],
    rows: Iterator[_Row],
    contents: bytes,
    stat_pass: StatPass,
    device: int,
) -> bool:
    """Return whether the entries of some directories, the next of `rows`, have the recorded contents; raises OSError.

    Their directories are unchanged, so each name still has the recorded inode. An inode that this pass has examined
    already is not examined again.
    """
    lstat, shared, known_contents = os.lstat, stat_pass.shared, stat_pass.contents[device]
    for path, count in zip(paths, counts, strict=True):
        if not count:
            continue
        within = f"{prefix}{path}/" if path else prefix
        for entry, name, inode, ctime, known in islice(rows, count):
            if known is None:
                found = lstat(within + name)
                if found.st_ino != inode:
                    return False
                changed = found.st_ctime_ns != ctime  # every change of a file changes its ctime
                if changed and _content(found, stat_pass) != contents[_CONTENT * entry : _CONTENT * entry + _CONTENT]:
                    return False
                if shared and found.st_nlink > 1:
                    known_contents[inode] = contents[_CONTENT * entry : _CONTENT * entry + _CONTENT]
            elif known != contents[_CONTENT * entry : _CONTENT * entry + _CONTENT]:
                return False
    return True


def _content(status: os.stat_result, stat_pass: StatPass) -> bytes | None:
    """Return the contents of a file whose signature changed, None unless they are remembered for this signature.

    None also if the file lacks the access of the root.
    """
    if status.st_mode & _TYPE != stat.S_IFREG or missing_bits(status.st_mode, stat_pass.access):
        return None
    sha256 = stat_pass.remembered_sha256(status)
    return None if sha256 is None else sha256 + (b"x" if status.st_mode & 0o111 else b"-")


def _numbers(column: bytes, part: slice = _ALL, *, kind: Literal["Q", "I"] = "Q") -> list[int]:
    """Return a part of an inventory's column as numbers; `kind` is its type code (array module)."""
    return memoryview(column).cast(kind)[part].tolist()
