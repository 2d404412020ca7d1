"""What an inventory holds: every entry of a venv, as columns, files grouped by directory (design, section 10).

A directory that did not move still has the same entries, so that only its own status and that of inodes not yet
looked at need reading.
"""

import stat
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Literal, TypeAlias

EntryType: TypeAlias = Literal["directory", "file", "symlink", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: `path` is relative to the venv (POSIX), `mode` is st_mode, times are nanoseconds.

    `sha256` (hexadecimal) is a regular file's, `target` a symlink's text; both empty otherwise.
    """

    path: str
    type: EntryType
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    device: int
    inode: int
    sha256: str = ""
    target: str = ""

    @property
    def executable(self) -> bool:
        """Return whether it is a file that anybody may execute."""
        return self.type == "file" and bool(self.mode & 0o111)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All entries of a venv, by column; `directories[i]` has `counts[i]` other entries, in order, sorted by name.

    The top is the directory with the empty path. `digest` is of the content alone (path, type, executable bit,
    SHA-256 or target), so that it is the same for the same environment on any machine. `contents` is what each entry
    holds, 33 bytes an entry: the SHA-256 of a file or of a link's target, and a letter (`x` for a file that may be
    executed, `-` for another, `l` for a link, `o`, with no hash, for all else). `targets` are the texts of symlinks,
    by position.
    """

    digest: str
    directories: tuple[str, ...] = field(repr=False)
    counts: "array[int]" = field(repr=False)
    directory_modes: "array[int]" = field(repr=False)
    directory_devices: "array[int]" = field(repr=False)
    directory_inodes: "array[int]" = field(repr=False)
    directory_mtimes: "array[int]" = field(repr=False)
    directory_ctimes: "array[int]" = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    modes: "array[int]" = field(repr=False)
    devices: "array[int]" = field(repr=False)
    inodes: "array[int]" = field(repr=False)
    sizes: "array[int]" = field(repr=False)
    mtimes: "array[int]" = field(repr=False)
    ctimes: "array[int]" = field(repr=False)
    contents: bytes = field(repr=False)
    targets: dict[int, str] = field(repr=False)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return every entry, the top left out, sorted by path; made anew at each call."""
        return tuple(sorted(self._entries(), key=lambda entry: entry.path))

    def hashes(self) -> dict[str, bytes]:
        """Return the path of every regular file and its SHA-256 (32 bytes)."""
        within = chain.from_iterable(
            repeat(f"{directory}/" if directory else "", count)
            for directory, count in zip(self.directories, self.counts, strict=True)
        )
        rows = zip(within, self.names, self.modes, range(len(self.names)), strict=True)
        return {parent + name: self.sha256(position) for parent, name, mode, position in rows if stat.S_ISREG(mode)}

    def sha256(self, position: int) -> bytes:
        """Return the SHA-256 (32 bytes) of the file at `position` of the columns."""
        return self.contents[33 * position : 33 * position + 32]

    def content(self, position: int) -> bytes:
        """Return what the entry at `position` of the columns holds, as `contents` has it (33 bytes)."""
        return self.contents[33 * position : 33 * position + 33]

    def target(self, position: int) -> str:
        """Return the text of the symlink at `position` of the columns, empty for anything else."""
        return self.targets.get(position, "")

    def _entries(self) -> Iterator[Entry]:
        position = 0
        for number, directory in enumerate(self.directories):
            if directory:
                yield Entry(
                    path=directory,
                    type="directory",
                    mode=self.directory_modes[number],
                    size=0,
                    mtime_ns=self.directory_mtimes[number],
                    ctime_ns=self.directory_ctimes[number],
                    device=self.directory_devices[number],
                    inode=self.directory_inodes[number],
                )
            for _ in range(self.counts[number]):
                mode = self.modes[position]
                yield Entry(
                    path=f"{directory}/{self.names[position]}" if directory else self.names[position],
                    type=entry_type(mode),
                    mode=mode,
                    size=self.sizes[position],
                    mtime_ns=self.mtimes[position],
                    ctime_ns=self.ctimes[position],
                    device=self.devices[position],
                    inode=self.inodes[position],
                    sha256=self.sha256(position).hex() if stat.S_ISREG(mode) else "",
                    target=self.target(position),
                )
                position += 1


def entry_type(mode: int) -> EntryType:
    """Return what kind of entry an st_mode is."""
    match stat.S_IFMT(mode):
        case stat.S_IFDIR:
            return "directory"
        case stat.S_IFREG:
            return "file"
        case stat.S_IFLNK:
            return "symlink"
        case _:
            return "other"
