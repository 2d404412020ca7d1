"""Compares a venv with the inventory from when it was sealed: files changed, missing and added.

As in git's index, a file is unchanged if device, inode, size, mtime and ctime are as recorded; otherwise its hash
decides. An unchanged directory has the same entries, so it is not listed. Each inode is examined once in a pass, for
all environments that share it.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from reconciler.backticks import in_backticks
from reconciler.fs.access_bits import missing_bits
from reconciler.observe.actual import Depth, Finding, FindingCode
from reconciler.observe.added_files import AddedFiles
from reconciler.observe.bytecode import CACHE, SUFFIXES, bytecode_source
from reconciler.state.inode_hashes import LARGEST_HASHED, FileStatus, InodeHashes
from reconciler.state.inventory import Inventory, entry_type
from reconciler.state.inventory_scan import IGNORED_AT_TOP

_TOP = "/"  # means the venv itself, whose relative path is empty
# name, device, inode, (mode, size, mtime, ctime), position in the inventory's columns
_Row: TypeAlias = tuple[str, int, int, FileStatus, int]


def compare_files(venv: str, inventory: Inventory, inodes: InodeHashes, depth: Depth, access: int) -> list[Finding]:
    """Return the differences of the venv at `venv` (absolute) from `inventory`, sorted, not attributed to packages.

    Files and directories that lack the `access` (`reconciler.fs.access_bits`) are differences too.
    """
    comparison = _Comparison(venv, inventory, inodes, rehash=depth is Depth.HASHES, access=access)
    comparison.run()
    return sorted(set(comparison.findings))


@dataclass(slots=True)
class _Comparison:
    venv: str
    inventory: Inventory
    inodes: InodeHashes
    rehash: bool
    access: int
    lacking: frozenset[int] = frozenset()  # the recorded modes that lack the access
    findings: list[Finding] = field(default_factory=list)

    def run(self) -> None:
        """Compare the inventory's directories in order; a parent comes before what is below it."""
        known = self.inventory
        self.lacking = frozenset(mode for mode in set(known.modes) if missing_bits(mode, self.access))
        statuses = zip(known.modes, known.sizes, known.mtimes, known.ctimes, strict=True)
        rows = zip(known.names, known.devices, known.inodes, statuses, range(len(known.names)), strict=True)
        children = _children(known.directories)
        closed = ""  # a directory that is missing or unreadable, and with it all that is below it
        narrowed = ""  # a directory without the access: what is below it cannot be reached
        unreadable = False
        for number, directory in enumerate(known.directories):
            own = list(islice(rows, known.counts[number]))
            below = children.get(directory, ())
            if closed and (closed == _TOP or directory.startswith(f"{closed}/")):
                if not unreadable:
                    self._missing(directory, own, below)
                continue
            closed, unreadable = "", False
            try:
                status = os.lstat(self._place(directory))
            except (FileNotFoundError, NotADirectoryError):
                closed = directory or _TOP
                self._missing(directory, own, below)
            except OSError as error:
                closed, unreadable = directory or _TOP, True
                self._unreadable(directory, error)
            else:
                if stat.S_ISDIR(status.st_mode):
                    if not (narrowed and (narrowed == _TOP or directory.startswith(f"{narrowed}/"))):
                        lacks = missing_bits(status.st_mode, self.access)
                        narrowed = (directory or _TOP) if lacks else ""
                        if lacks:
                            self._narrowed(directory, status.st_mode)
                    self._compare(directory, number, status, own, below, reachable=not narrowed)
                else:
                    closed = directory or _TOP
                    detail = f"it was a directory and is now {_kind(status.st_mode)}"
                    self._find(FindingCode.FILE_TYPE_CHANGED, directory, detail)
                    self._missing(directory, own, ("",))

    def _compare(
        self,
        directory: str,
        number: int,
        status: os.stat_result,
        rows: list[_Row],
        below: Sequence[str],
        *,
        reachable: bool,
    ) -> None:
        """Compare one directory's entries; `below` are the names of its recorded directories.

        `reachable` is whether everyone with the access can reach the directory.
        """
        known = self.inventory
        unchanged = (
            status.st_ino == known.directory_inodes[number]
            and status.st_dev == known.directory_devices[number]
            and status.st_mtime_ns == known.directory_mtimes[number]
            and status.st_ctime_ns == known.directory_ctimes[number]
        )
        statuses = self.inodes.statuses
        lacking = self.lacking if reachable else frozenset()
        place = self._place(directory)
        cache = directory.rpartition("/")[2] == CACHE
        for row in rows:
            name, device, inode, recorded, _ = row
            current = statuses.get((device, inode)) if unchanged else None
            if current is None:
                try:
                    current = self._read_status(f"{place}/{name}")
                except (FileNotFoundError, NotADirectoryError):
                    self._one_missing(directory, name)
                    continue
                except OSError as error:
                    self._unreadable(f"{directory}/{name}" if directory else name, error)
                    continue
            if current[0] in lacking or (reachable and current[0] != recorded[0]):
                self._check_access(f"{directory}/{name}" if directory else name, current[0], cache=cache)
            if self.rehash or not (current == recorded or (unchanged and self._has_known_contents(row, current))):
                self._compare_entry(directory, row, cache=cache)
        if not unchanged or (cache and self.rehash):
            self._list(directory, {row[0]: row[4] for row in rows}, set(below))

    def _check_access(self, path: str, mode: int, *, cache: bool) -> None:
        """Find that a file lacks the access; not of bytecode, which is not needed to import its source."""
        if missing_bits(mode, self.access) and not (cache and self._is_own_bytecode(path)):
            self._narrowed(path, mode)

    def _narrowed(self, path: str, mode: int) -> None:
        detail = f"its mode {stat.S_IMODE(mode):04o} is closed to users who may read the root"
        self._find(FindingCode.ACCESS_NARROWED, path, detail)

    def _read_status(self, path: str) -> FileStatus:
        """Return the status of a path and remember it for its inode; raises OSError."""
        status = os.lstat(path)
        current = self.inodes.statuses[status.st_dev, status.st_ino] = _file_status(status)
        return current

    def _has_known_contents(self, row: _Row, current: FileStatus) -> bool:
        """Return whether this pass found the recorded contents in the inode already, for a different environment."""
        _, device, inode, _, position = row
        return self.inodes.contents.get((device, inode)) == (current, self.inventory.content(position))

    def _compare_entry(self, directory: str, row: _Row, *, cache: bool) -> None:
        """Compare the contents of an entry whose status changed, or that must be hashed anyway."""
        name, _, _, (mode, *_), position = row
        path = f"{directory}/{name}" if directory else name
        place = self._place(path)
        try:
            status = os.lstat(place)
            if stat.S_IFMT(status.st_mode) != stat.S_IFMT(mode):
                detail = f"it was {_kind(mode)} and is now {_kind(status.st_mode)}"
                self._find(FindingCode.FILE_TYPE_CHANGED, path, detail, self._content(place, status))
            elif stat.S_ISLNK(mode):
                self._compare_link(path, place, position)
            elif stat.S_ISREG(mode) and not (cache and self._is_own_bytecode(path)):
                self._compare_file(path, place, status, mode, position)
        except FileNotFoundError:
            self._one_missing(directory, name)
        except OSError as error:
            self._unreadable(path, error)

    def _compare_link(self, path: str, place: str, position: int) -> None:
        target = os.readlink(place)  # noqa: PTH115
        before = self.inventory.target(position)
        if target != before:
            detail = f"it points to {in_backticks(target)}; it pointed to {in_backticks(before)}"
            self._find(FindingCode.FILE_CHANGED, path, detail, AddedFiles.symlink_sha256(target))

    def _compare_file(self, path: str, place: str, status: os.stat_result, mode: int, position: int) -> None:
        if status.st_size > LARGEST_HASHED and status.st_size != self.inventory.sizes[position]:
            self._find(FindingCode.FILE_CHANGED, path, "its contents differ")  # its size says so
            return
        sha256 = self.inodes.read_sha256(place, status) if self.rehash else self.inodes.sha256_of(place, status)
        if bytes.fromhex(sha256) != self.inventory.sha256(position):
            self._find(FindingCode.FILE_CHANGED, path, "its contents differ", sha256)
        executable = bool(status.st_mode & 0o111)
        content = bytes.fromhex(sha256) + (b"x" if executable else b"-")
        self.inodes.contents[status.st_dev, status.st_ino] = (_file_status(status), content)
        if executable != bool(mode & 0o111):
            now = "now" if executable else "no longer"
            self._find(FindingCode.MODE_CHANGED, path, f"it is {now} executable", sha256)

    def _list(self, directory: str, files: dict[str, int], below: set[str]) -> None:
        """List a changed directory and find what was added to it.

        `files` has the positions of its recorded files by name, `below` the names of its recorded directories.
        """
        added = AddedFiles(self.venv, self.inodes, rehash=self.rehash)
        try:
            with os.scandir(self._place(directory)) as listing:
                for entry in sorted(listing, key=lambda each: each.name):
                    path = f"{directory}/{entry.name}" if directory else entry.name
                    if path in IGNORED_AT_TOP or entry.name in below:
                        continue
                    if entry.name not in files:
                        self.findings += added.find(path)
                    elif self.rehash and entry.name.endswith(SUFFIXES):
                        self._check_header(path, files[entry.name])
        except OSError as error:
            self._unreadable(directory, error)

    def _check_header(self, path: str, position: int) -> None:
        """Compare recorded bytecode with its source by its header, unless it is as sealed: it may be from a wheel."""
        place = self._place(path)
        status = os.lstat(place)
        sealed = self.inventory.sha256(position).hex()
        if stat.S_ISREG(status.st_mode) and self.inodes.read_sha256(place, status) == sealed:
            return
        if self._is_own_bytecode(path):
            self.findings += AddedFiles(self.venv, self.inodes, rehash=True).check_bytecode(path)

    def _missing(self, directory: str, rows: Sequence[_Row], below: Sequence[str]) -> None:
        """Add a finding for each recorded file of a missing directory, or for the directory itself if it was empty."""
        for name, *_ in rows:
            self._one_missing(directory, name)
        if not rows and not below and directory.rpartition("/")[2] != CACHE:
            self._find(FindingCode.DIRECTORY_MISSING, directory, "the empty directory is missing")

    def _one_missing(self, directory: str, name: str) -> None:
        path = f"{directory}/{name}" if directory else name
        if not (bytecode_source(path) and name.endswith(SUFFIXES)):  # Python makes bytecode again
            self._find(FindingCode.FILE_MISSING, path, "the file is missing")

    def _is_own_bytecode(self, path: str) -> bool:
        source = bytecode_source(path)
        return bool(source) and os.path.lexists(self._place(source))

    def _content(self, place: str, status: os.stat_result) -> str:
        if stat.S_ISLNK(status.st_mode):
            return AddedFiles.symlink_sha256(os.readlink(place))  # noqa: PTH115
        return self.inodes.bounded_sha256(place, status) if stat.S_ISREG(status.st_mode) else ""

    def _place(self, path: str) -> str:
        return f"{self.venv}/{path}" if path else self.venv

    def _unreadable(self, path: str, error: OSError) -> None:
        self._find(FindingCode.UNREADABLE, path, f"could not be read: {error.strerror or error}")

    def _find(self, code: FindingCode, path: str, detail: str, content: str = "") -> None:
        self.findings.append(Finding(code=code, path=path, detail=detail, content=content))


def _file_status(status: os.stat_result) -> FileStatus:
    return status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _children(directories: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of the directories in each directory, by path."""
    found: dict[str, list[str]] = {}
    for directory in directories:
        if directory:
            parent, _, name = directory.rpartition("/")
            found.setdefault(parent, []).append(name)
    return found


def _kind(mode: int) -> str:
    kind = entry_type(mode)
    return {"other": "a special file", "symlink": "a symbolic link"}.get(kind, f"a {kind}")
