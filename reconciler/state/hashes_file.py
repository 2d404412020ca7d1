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


def load_hashes(path: str) -> Hashes:
    """Return the hashes in the file at `path`; raises OSError, or ValueError, TypeError or KeyError for damage."""
    columns = load_columns(path, "inodes")
    devices, inodes, sizes, mtimes, ctimes = (
        memoryview(columns[name]).cast(code).tolist() for name, code in CODES.items()
    )
    joined = columns["sha256"]
    hashes = [joined[start : start + _SHA256_BYTES] for start in range(0, len(joined), _SHA256_BYTES)]
    return dict(zip(zip(devices, inodes, strict=True), zip(sizes, mtimes, ctimes, hashes, strict=True), strict=True))
