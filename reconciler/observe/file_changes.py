"""Compares a venv with the inventory taken when it was sealed: files changed, missing and added (design, section 6).

As git's index does it: device, inode, size, mtime and ctime that are as recorded prove a file unchanged, and anything
else is settled by its hash. A directory that did not move has the same entries, so it is not listed, and of what an
inode is looked at once a pass serves every environment that shares it.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from reconciler.observe.actual import Depth, Finding, FindingCode
from reconciler.observe.added_files import AddedFiles
from reconciler.observe.bytecode import CACHE, SUFFIXES, source_of
from reconciler.observe.ignore_globs import ignorer
from reconciler.state.inode_hashes import InodeHashes, Look
from reconciler.state.inventory import Inventory, entry_type
from reconciler.state.inventory_scan import IGNORED_AT_TOP

_TOP = "/"  # stands for the venv itself, whose relative path is empty
# name, device, inode, (mode, size, mtime, ctime), position in the inventory's columns
_Row: TypeAlias = tuple[str, int, int, Look, int]


def compare_files(
    venv: str, inventory: Inventory, inodes: InodeHashes, depth: Depth, ignore_files: Sequence[str] = ()
) -> list[Finding]:
    """Return what differs between the venv at `venv` (absolute) and `inventory`, without packages, sorted."""
    comparison = _Comparison(venv, inventory, inodes, rehash=depth is Depth.HASHES)
    comparison.run()
    ignored = ignorer(ignore_files)
    return sorted({each for each in comparison.findings if not ignored(each.path)})


@dataclass(slots=True)
class _Comparison:
    venv: str
    inventory: Inventory
    inodes: InodeHashes
    rehash: bool
    findings: list[Finding] = field(default_factory=list)

    def run(self) -> None:
        """Go through the inventory's directories in its order: a parent always comes before what is below it."""
        known = self.inventory
        looks = zip(known.modes, known.sizes, known.mtimes, known.ctimes, strict=True)
        rows = zip(known.names, known.devices, known.inodes, looks, range(len(known.names)), strict=True)
        children = _children(known.directories)
        closed = ""  # the directory that is gone, or cannot be looked into: all below it is, too
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
                    self._compare(directory, number, status, own, below)
                else:
                    closed = directory or _TOP
                    self._find(FindingCode.FILE_TYPE_CHANGED, directory, f"was a directory, is {_kind(status.st_mode)}")
                    self._missing(directory, own, ("",))

    def _compare(
        self, directory: str, number: int, status: os.stat_result, rows: list[_Row], below: Sequence[str]
    ) -> None:
        """Compare one directory's entries; `below` are the names of its recorded directories."""
        known = self.inventory
        unmoved = (
            status.st_ino == known.directory_inodes[number]
            and status.st_dev == known.directory_devices[number]
            and status.st_mtime_ns == known.directory_mtimes[number]
            and status.st_ctime_ns == known.directory_ctimes[number]
        )
        looked = self.inodes.looked
        place = self._place(directory)
        cache = directory.rpartition("/")[2] == CACHE
        for row in rows:
            name, device, inode, look, _ = row
            seen = looked.get((device, inode)) if unmoved else None
            if seen is None:
                try:
                    seen = self._look(f"{place}/{name}")
                except (FileNotFoundError, NotADirectoryError):
                    self._one_missing(directory, name)
                    continue
                except OSError as error:
                    self._unreadable(f"{directory}/{name}" if directory else name, error)
                    continue
            if self.rehash or not (seen == look or (unmoved and self._settled(row, seen))):
                self._settle(directory, row, cache=cache)
        if not unmoved or (cache and self.rehash):
            self._list(directory, {row[0]: row[4] for row in rows}, set(below))

    def _look(self, path: str) -> Look:
        """Look at a path and remember what its inode looks like; raises OSError."""
        status = os.lstat(path)
        look = self.inodes.looked[status.st_dev, status.st_ino] = _look_of(status)
        return look

    def _settled(self, row: _Row, seen: Look) -> bool:
        """Say whether an inode was found to hold just this in the same pass, for another environment."""
        _, device, inode, _, position = row
        return self.inodes.held.get((device, inode)) == (seen, self.inventory.content(position))

    def _settle(self, directory: str, row: _Row, *, cache: bool) -> None:
        """Decide by content about an entry whose status is not as recorded, or that is to be hashed anyway."""
        name, _, _, (mode, *_), position = row
        path = f"{directory}/{name}" if directory else name
        place = self._place(path)
        try:
            status = os.lstat(place)
            if stat.S_IFMT(status.st_mode) != stat.S_IFMT(mode):
                detail = f"was {_kind(mode)}, is {_kind(status.st_mode)}"
                self._find(FindingCode.FILE_TYPE_CHANGED, path, detail, self._content(place, status))
            elif stat.S_ISLNK(mode):
                self._settle_link(path, place, position)
            elif stat.S_ISREG(mode) and not (cache and self._is_own_bytecode(path)):
                self._settle_file(path, place, status, mode, position)
        except FileNotFoundError:
            self._one_missing(directory, name)
        except OSError as error:
            self._unreadable(path, error)

    def _settle_link(self, path: str, place: str, position: int) -> None:
        target = os.readlink(place)  # noqa: PTH115
        if target != self.inventory.target(position):
            detail = f"leads to {target}, and led to {self.inventory.target(position)}"
            self._find(FindingCode.FILE_CHANGED, path, detail, AddedFiles.link_content(target))

    def _settle_file(self, path: str, place: str, status: os.stat_result, mode: int, position: int) -> None:
        sha256 = self.inodes.sha256_read(place, status) if self.rehash else self.inodes.sha256_of(place, status)
        if bytes.fromhex(sha256) != self.inventory.sha256(position):
            self._find(FindingCode.FILE_CHANGED, path, "its content is another one", sha256)
        runs = bool(status.st_mode & 0o111)
        held = bytes.fromhex(sha256) + (b"x" if runs else b"-")
        self.inodes.held[status.st_dev, status.st_ino] = (_look_of(status), held)
        if runs != bool(mode & 0o111):
            now = "executable" if runs else "no longer executable"
            self._find(FindingCode.MODE_CHANGED, path, f"it is {now}", sha256)

    def _list(self, directory: str, files: dict[str, int], below: set[str]) -> None:
        """List a directory that moved, and find what was added to it; `files` are positions by name."""
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
        """Judge recorded bytecode by its header, unless it is what was sealed: a wheel may bring some along."""
        place = self._place(path)
        status = os.lstat(place)
        sealed = self.inventory.sha256(position).hex()
        if stat.S_ISREG(status.st_mode) and self.inodes.sha256_read(place, status) == sealed:
            return
        if self._is_own_bytecode(path):
            self.findings += AddedFiles(self.venv, self.inodes, rehash=True).own_bytecode(path)

    def _missing(self, directory: str, rows: Sequence[_Row], below: Sequence[str]) -> None:
        """Find a directory's recorded files missing, or the directory itself where it held nothing."""
        for name, *_ in rows:
            self._one_missing(directory, name)
        if not rows and not below and directory.rpartition("/")[2] != CACHE:
            self._find(FindingCode.FILE_MISSING, directory, "the directory is gone")

    def _one_missing(self, directory: str, name: str) -> None:
        path = f"{directory}/{name}" if directory else name
        if not (source_of(path) and name.endswith(SUFFIXES)):  # Python makes bytecode anew
            self._find(FindingCode.FILE_MISSING, path, "it is gone")

    def _is_own_bytecode(self, path: str) -> bool:
        source = source_of(path)
        return bool(source) and os.path.lexists(self._place(source))

    def _content(self, place: str, status: os.stat_result) -> str:
        if stat.S_ISLNK(status.st_mode):
            return AddedFiles.link_content(os.readlink(place))  # noqa: PTH115
        return self.inodes.sha256_of(place, status) if stat.S_ISREG(status.st_mode) else ""

    def _place(self, path: str) -> str:
        return f"{self.venv}/{path}" if path else self.venv

    def _unreadable(self, path: str, error: OSError) -> None:
        self._find(FindingCode.UNREADABLE, path, f"could not be read: {error.strerror or error}")

    def _find(self, code: FindingCode, path: str, detail: str, content: str = "") -> None:
        self.findings.append(Finding(code=code, path=path, detail=detail, content=content))


def _look_of(status: os.stat_result) -> Look:
    return status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _children(directories: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of each directory's own directories."""
    found: dict[str, list[str]] = {}
    for directory in directories:
        if directory:
            parent, _, name = directory.rpartition("/")
            found.setdefault(parent, []).append(name)
    return found


def _kind(mode: int) -> str:
    kind = entry_type(mode)
    return "something else" if kind == "other" else f"a {kind}"
