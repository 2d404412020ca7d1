"""The inventory of a generation: every entry of its venv, in columns, with files grouped by directory.

Files are grouped by directory because an unchanged directory has the same entries: then only its own status and that
of inodes not examined yet must be read.
"""

import stat
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain, repeat
from typing import Any, Literal, TypeAlias

EntryType: TypeAlias = Literal["directory", "file", "symlink", "other"]
CONTENT_BYTES = 33
"""The length of one entry in `Inventory.contents`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a venv: `path` is relative to the venv (POSIX), `mode` is st_mode, times are in nanoseconds.

    `sha256` (hexadecimal) is set for a regular file, `target` for a symbolic link; otherwise they are empty.
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
        """Return whether the entry is a file with an executable bit."""
        return self.type == "file" and bool(self.mode & 0o111)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All entries of a venv, in columns; `directories[i]` has the next `counts[i]` other entries, sorted by name.

    The venv itself is the directory with the empty path. `digest` covers only what entries contain (path, type,
    executable bit, SHA-256 or target), so that it is the same for the same environment on any machine.

    `contents` has `CONTENT_BYTES` bytes for each entry: the SHA-256 of a file or of a link's target, and a letter (`x`
    for an executable file, `-` for any other file, `l` for a symbolic link, `o` for everything else, with no hash).
    `targets` are the targets of symbolic links, by position.
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
        """Return every entry except the venv itself, sorted by path; a new tuple at each call."""
        return tuple(sorted(self._entries(), key=lambda entry: entry.path))

    def by_directory(self) -> Iterator[tuple[int, str, range]]:
        """Yield the number and path of each directory, and the positions of its entries."""
        end = 0
        for number, (directory, count) in enumerate(zip(self.directories, self.counts, strict=True)):
            yield number, directory, range(end, end + count)
            end += count

    def subset(self, directories: Sequence[int], positions: Sequence[int], counts: "array[int]") -> "Inventory":
        """Return an inventory with some directories (by number) and some entries (by position), without a digest.

        `counts` has the number of entries kept in each of `directories`.
        """
        found: dict[str, Any] = {"counts": counts, "digest": "", "targets": {}}
        for column in fields(self):
            if column.name in found:
                continue
            values = getattr(self, column.name)
            kept = directories if column.name.startswith("director") else positions
            match values:
                case array():
                    found[column.name] = array(values.typecode, [values[each] for each in kept])
                case tuple():
                    found[column.name] = tuple(values[each] for each in kept)
                case bytes():
                    found[column.name] = b"".join(self.content(each) for each in kept)
        return Inventory(**found)

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
        return self.contents[CONTENT_BYTES * position : CONTENT_BYTES * position + 32]

    def content(self, position: int) -> bytes:
        """Return the entry at `position` of the columns as in `contents` (`CONTENT_BYTES` bytes)."""
        return self.contents[CONTENT_BYTES * position : CONTENT_BYTES * position + CONTENT_BYTES]

    def target(self, position: int) -> str:
        """Return the target of the symbolic link at `position` of the columns, empty for any other entry."""
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
    """Return the type of entry that an st_mode means."""
    match stat.S_IFMT(mode):
        case stat.S_IFDIR:
            return "directory"
        case stat.S_IFREG:
            return "file"
        case stat.S_IFLNK:
            return "symlink"
        case _:
            return "other"
