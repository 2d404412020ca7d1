"""Reads the list of tracked files from git's index file (gitformat-index), versions 2 to 4, without running git.

git itself is never started, because a repository's configuration can name programs to run. The file is not trusted
either: a path outside the working tree is damage.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import LockError
from reconciler.fs.read import read_regular
from reconciler.git.tracked_below import decode_offset

_SIGNATURE = b"DIRC"
_HEADER_BYTES = 12
_LARGEST_INDEX_BYTES = 1024 * 1024 * 1024  # some ten million files
_LONGEST_LINK_BYTES = 64 * 1024  # of the `.git` file of a linked working tree
_STAT_BYTES = 40  # ten numbers of 32 bits before the object's name
_CREATE_AGAIN = "delete it and run `git reset`, which creates it again without staged changes"

SUBMODULE = 0o160000  # the mode of an entry that is a commit of a different repository


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One file of a git index: its path, mode and object name, and the stat data of the file that git compared last.

    `mtime` is in nanoseconds, `size` in bytes (modulo 2**32). `assumed` says that git does not look at the file
    (`assume-unchanged` or `skip-worktree`).
    """

    path: bytes
    mode: int
    object_name: str
    mtime: int
    size: int
    assumed: bool


def index_file_path(repository: Path) -> Path:
    """Return the path of a working tree's index; the `.git` of a linked working tree is a file with a path."""
    dot_git = repository / ".git"
    if dot_git.is_file():
        text = read_regular(dot_git, limit=_LONGEST_LINK_BYTES, follow=True).decode("utf-8", "surrogateescape")
        dot_git = repository / text.removeprefix("gitdir:").strip(" \r\n")
    return dot_git / "index"


def tracked_paths(index: Path) -> list[bytes]:
    """Return the paths in a git index, relative to the working tree, sorted, each once; see `index_entries`."""
    return sorted({each.path for each in index_entries(index)})  # a file in conflict has up to three entries


def index_entries(index: Path) -> list[IndexEntry]:
    """Return the entries of a git index in its order; the paths are relative to the working tree.

    Raises LockError if the file is not an index of a known version or is damaged, or OSError.
    """
    content = read_regular(index, limit=_LARGEST_INDEX_BYTES, follow=True)
    signature, version, count = struct.unpack_from(">4sLL", content) if len(content) > _HEADER_BYTES else (b"", 0, 0)
    if signature != _SIGNATURE:
        raise LockError(f"{index}: not a git index", hint=_CREATE_AGAIN)
    if version not in {2, 3, 4}:
        raise LockError(
            f"{index}: a git index of version {version}, but envsync reads versions 2 to 4",
            hint="run `git update-index --index-version 2` with the git that wrote it",
        )
    try:
        width = _name_width(content)
        entries, end = _entries(content, version, count, width)
        extensions = list(_extensions(content, end, width))
    except (struct.error, ValueError, IndexError) as error:
        raise LockError(f"{index}: the git index is damaged", hint=_CREATE_AGAIN) from error
    if b"link" in extensions:
        raise LockError(
            f"{index}: a split git index, which envsync does not read", hint="run `git update-index --no-split-index`"
        )
    if any(part in {b"", b".", b"..", b".git"} for each in entries for part in each.path.rstrip(b"/").split(b"/")):
        raise LockError(
            f"{index}: the git index is damaged: it has a path outside the working tree", hint=_CREATE_AGAIN
        )
    return entries


def _name_width(content: bytes) -> int:
    """Return the length of object names in bytes: 20 (SHA-1) or 32 (SHA-256), from the checksum at the end.

    If the checksum was not written (`index.skipHash`), it is all zeros.
    """
    for width, algorithm in ((20, "sha1"), (32, "sha256")):
        total = hashlib.new(algorithm, memoryview(content)[:-width], usedforsecurity=False)
        if content[-width:] == total.digest():
            return width
    if not any(content[-32:]):
        return 32
    if not any(content[-20:]):
        return 20
    raise ValueError("checksum")


def _entries(content: bytes, version: int, count: int, width: int) -> tuple[list[IndexEntry], int]:
    """Return the entries, and the position of the extensions."""
    entries: list[IndexEntry] = []
    position, previous = _HEADER_BYTES, b""
    for _ in range(count):
        start = position
        at_flags = start + _STAT_BYTES + width
        (flags,) = struct.unpack_from(">H", content, at_flags)
        position = at_flags + 2 + (2 if flags & 0x4000 else 0)  # an extended entry has 16 bits more
        (more,) = struct.unpack_from(">H", content, at_flags + 2) if flags & 0x4000 else (0,)
        seconds, nanoseconds, mode, size = struct.unpack_from(">8xLL8xL8xL", content, start)
        if version == 4:
            strip, position = decode_offset(content, position)
            if strip > len(previous):
                raise ValueError("prefix")
            end = content.index(b"\0", position)
            previous = previous[: len(previous) - strip] + content[position:end]
            position = end + 1
        else:
            end = content.index(b"\0", position)
            previous = content[position:end]
            position = start + (end - start + 8) // 8 * 8  # padded with 1 to 8 NULs
        entries.append(
            IndexEntry(
                path=previous,
                mode=mode,
                object_name=content[start + _STAT_BYTES : at_flags].hex(),
                mtime=seconds * 1_000_000_000 + nanoseconds,
                size=size,
                assumed=bool(flags & 0x8000 or more & 0x4000),
            )
        )
    return entries, position


def _extensions(content: bytes, position: int, width: int) -> Iterator[bytes]:
    """Yield the signatures of the extensions between the entries and the checksum."""
    while position < len(content) - width:
        signature, size = struct.unpack_from(">4sL", content, position)
        yield signature
        position += 8 + size
    if position != len(content) - width:
        raise ValueError("extensions")
