"""Whether git tracks something below a directory: then a commit brought it, and no run of envsync made it.

git is never started, and only names are read. Imports only modules that load fast. `index_file` reads the rest of an
index.
"""

from __future__ import annotations

import os

from reconciler.fs.repository_top import repository_top

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from reconciler.git.split_index import Link

_MOST_BYTES = 1 << 30
_HEADER = 12  # bytes: signature, version, number of entries
_STAT = 40  # bytes before the name of an object
_PREFIX_COMPRESSED = 4  # the version of such an index
_EXTENDED, _LENGTH = 0x4000, 0x0FFF  # of an entry's flags: it has 16 bits more; the length of its path
_TYPE, _REGULAR = 0o170000, 0o100000  # S_IFMT, S_IFREG
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_GIT_LINK = "gitdir:"


def tracked_below(directory: str, counts: Callable[[str], bool] = bool) -> str:
    """Return a path that git tracks at or below a directory, relative to its repository; empty if there is none.

    `directory` is absolute, and need not exist. `counts` gets each such path relative to the directory (`.` for the
    directory itself), and returns False for one that may be tracked. An index that cannot be read tracks nothing.
    """
    for path in dict.fromkeys((directory, os.path.realpath(directory))):
        top = repository_top(path)  # also one whose top is this very directory
        if top is not None:
            wanted = os.fsencode(path[len(top.rstrip("/")) + 1 :])
            for index, deleted in _indexes(top):
                found = _find(index, wanted, counts, deleted)
                if found:
                    return os.fsdecode(found)
    return ""


def _indexes(top: str) -> Iterator[tuple[bytes, frozenset[int]]]:
    """Yield the contents of the index of a working tree, and of the one that it shares entries with (a split index).

    With each come the positions of its entries that are deleted. If the split index cannot be read, nothing is: then
    every shared index counts.
    """
    git = f"{top.rstrip('/')}/.git"
    if not os.path.isdir(git):  # noqa: PTH112  # a linked working tree or a submodule: a file with a path
        text = _content(git).decode("utf-8", "surrogateescape")
        git = os.path.join(top, text.removeprefix(_GIT_LINK).strip(" \r\n"))  # noqa: PTH118
    index = _content(f"{git}/index")
    yield index, frozenset()
    if b"link\0" not in index:
        return
    links = [each for each in _links(index) if os.path.lexists(f"{git}/sharedindex.{each.base}")]
    try:
        [link] = links
        shared = _content(f"{git}/sharedindex.{link.base}")
        yield shared, link.deleted(_count(shared))
    except ValueError:
        for name in _shared_indexes(git):
            yield _content(f"{git}/{name}"), frozenset()


def _links(index: bytes) -> list[Link]:
    """Return the `link` extensions of an index, for each width of object names that it can be read with."""
    from reconciler.git.split_index import find_link  # only for a split index, to start quickly

    found = []
    for width in (20, 32):
        try:
            found.append(find_link(index, _end_of_entries(index, width), width))
        except (IndexError, ValueError):
            continue
    return [each for each in found if each is not None]


def _end_of_entries(index: bytes, width: int) -> int:
    """Return the position after the entries of an index. Raises IndexError or ValueError as `_paths` does."""
    paths = _paths(index, width)
    while True:
        try:
            next(paths)
        except StopIteration as end:
            return int(end.value)


def _shared_indexes(git: str) -> list[str]:
    try:
        return [name for name in os.listdir(git) if name.startswith("sharedindex.")]
    except OSError:
        return []


def _content(path: str) -> bytes:
    """Return the contents of a file, nothing if it cannot be read."""
    try:
        descriptor = os.open(path, _READ)
    except (OSError, ValueError):
        return b""
    try:
        status = os.fstat(descriptor)
        left = status.st_size if status.st_mode & _TYPE == _REGULAR and status.st_size <= _MOST_BYTES else 0
        chunks = []
        while left and (chunk := os.read(descriptor, left)):
            chunks.append(chunk)
            left -= len(chunk)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return b"".join(chunks)


def _find(index: bytes, wanted: bytes, counts: Callable[[str], bool], deleted: frozenset[int]) -> bytes:
    """Return the first path in an index that is `wanted` or below it and that counts, empty if there is none.

    The entries at the positions `deleted` do not count.
    """
    if not _is_compressed(index) and wanted not in index:  # most indexes need not be parsed
        return b""
    below = wanted and wanted + b"/"
    is_damaged = True
    for width in (20, 32):  # SHA-1, SHA-256: an index does not say which, and names of objects can be chosen to mislead
        try:
            for position, path in enumerate(_paths(index, width)):
                is_below = path and position not in deleted and (path == wanted or path.startswith(below))
                if is_below and counts(os.fsdecode(path[len(below) :]) or "."):
                    return path
        except (IndexError, ValueError):
            continue
        is_damaged = False
    return wanted if is_damaged and wanted in index else b""  # rather too many than too few


def _is_compressed(index: bytes) -> bool:
    return index[4:8] == _PREFIX_COMPRESSED.to_bytes(4, "big")


def _count(index: bytes) -> int:
    """Return the number of entries of an index."""
    return int.from_bytes(index[8:_HEADER], "big")


def _paths(index: bytes, width: int) -> Generator[bytes, None, int]:
    """Yield the paths of an index, and return the position after the entries.

    Raises IndexError or ValueError if names of objects do not have `width` bytes.
    """
    compressed = _is_compressed(index)
    position, path = _HEADER, b""
    for _ in range(_count(index)):
        start = position
        position += _STAT + width
        flags = index[position] << 8 | index[position + 1]
        position += 4 if flags & _EXTENDED else 2
        kept = b""
        if compressed:
            strip, position = decode_offset(index, position)
            kept = path[: len(path) - strip]
        end = index.index(b"\0", position)
        path = kept + index[position:end]
        if flags & _LENGTH not in {len(path), _LENGTH}:
            raise ValueError("length")
        yield path
        position = end + 1 if compressed else start + (end - start + 8) // 8 * 8
    if position > len(index) - width:  # no place for the checksum
        raise ValueError("end")
    return position


def decode_offset(content: bytes, position: int) -> tuple[int, int]:
    """Decode git's variable-width offset; return it and the position after it."""
    byte = content[position]
    value = byte & 0x7F
    while byte & 0x80:
        position += 1
        byte = content[position]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, position + 1
