"""Reads the file of hashes by inode. Imports only modules that load fast; `inode_hashes` writes the file."""

from __future__ import annotations

from reconciler.state.columns_file import load_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    # SHA-256 (32 bytes) with the size, mtime and ctime (nanoseconds) at which it was read, by device and inode
    Hashes = dict[tuple[int, int], tuple[int, int, int, bytes]]

CODES: dict[str, Literal["Q", "q"]] = {"devices": "Q", "inodes": "Q", "sizes": "Q", "mtimes": "q", "ctimes": "q"}
_SHA256_BYTES = 32


class HashColumns:
    """The hashes in a file, if only a few are needed: no object is made for the others."""

    def __init__(self, path: str) -> None:
        """Read the file at `path`; raises OSError, or ValueError, TypeError or KeyError for damage."""
        columns = load_columns(path, "inodes")
        self._devices, self._inodes, *self._signature = (
            memoryview(columns[name]).cast(code) for name, code in CODES.items()
        )
        self._sha256: bytes = columns["sha256"]
        count = len(self._sha256) // _SHA256_BYTES
        if any(len(each) != count for each in (self._devices, self._inodes, *self._signature)):
            raise ValueError("the columns have different lengths")
        self._positions = dict(zip(self._inodes.tolist(), range(count), strict=True))

    def sha256(self, device: int, inode: int, signature: tuple[int, int, int]) -> bytes | None:
        """Return the SHA-256 (32 bytes) of an inode, None unless it is known for this size, mtime and ctime.

        If two devices have the same inode number, only one of the two is found.
        """
        at = self._positions.get(inode)
        if at is None or self._devices[at] != device or signature != tuple(each[at] for each in self._signature):
            return None
        return self._sha256[_SHA256_BYTES * at : _SHA256_BYTES * (at + 1)]

    def as_hashes(self) -> Hashes:
        """Return all hashes."""
        sizes, mtimes, ctimes = (each.tolist() for each in self._signature)
        ends = range(_SHA256_BYTES, len(self._sha256) + 1, _SHA256_BYTES)
        hashes = (self._sha256[end - _SHA256_BYTES : end] for end in ends)
        keys = zip(self._devices.tolist(), self._inodes.tolist(), strict=True)
        return dict(zip(keys, zip(sizes, mtimes, ctimes, hashes, strict=True), strict=True))


def load_hashes(path: str) -> Hashes:
    """Return the hashes in the file at `path`; raises as `HashColumns` does."""
    return HashColumns(path).as_hashes()
