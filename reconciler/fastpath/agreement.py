"""Reads the fast path's cache files and checks whether they still hold.

A full run that found nothing to do writes three kinds of files below `.envsync/cache`. All of them may be lost without
harm.

- `manifest-<digits>`: which files a manifest was read from, and which environments it declares (the manifest reading).
- `agreed/<name>`: that the desired state of one environment equals its last applied state (the agreement), with the
  signatures of everything this depends on: record, seal, inventory, lock and interpreter.
- `agreed/<name>.own`: columns of the environment's inventory without the files that it shares with other environments.

`record` writes them. This module is imported at every start, so it imports built-in modules only.
"""

from __future__ import annotations

import os

from reconciler import __version__
from reconciler.fs.authentication import blake2b
from reconciler.fs.read import read_regular
from reconciler.interpreters.host_identity import host_identity
from reconciler.state.columns_file import load_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Signature = list[int]
    Agreement = Mapping[str, Any]


# Keys of `agreed/<name>.own` besides the columns: the signature of the inventory file that the columns were taken from,
# the paths of its directories relative to base directories (see `relative_paths`), and the digest of its shared files.
_NAME_BYTES = 4  # of the digest of a manifest's path
_LARGEST_INPUT = 16 * 1024 * 1024  # bytes, as `reconciler.manifest.input_files.LARGEST_LOCK`
INVENTORY_SIGNATURE, RELATIVE_PATHS, SHARED_DIGEST = "inventory", "near", "shared"


def manifest_reading_path(root: str, file: str) -> str:
    """Return the path of the manifest reading of `file` (absolute)."""
    digits = blake2b(os.fsencode(file), digest_size=_NAME_BYTES).hexdigest()
    return f"{root}/.envsync/cache/manifest-{digits}"


def agreement_path(root: str, name: str) -> str:
    """Return the path of an environment's agreement."""
    return f"{root}/.envsync/cache/agreed/{name}"


def own_columns_path(root: str, name: str) -> str:
    """Return the path of an environment's own columns (environment names have no dot)."""
    return f"{root}/.envsync/cache/agreed/{name}.own"


def stat_signature(status: os.stat_result) -> Signature:
    """Return device, inode, size, mtime and ctime (nanoseconds): at least one changes when a file is written."""
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def machine_identity() -> list[str]:
    """Return our version and the kernel, processor and C library, which the facts about interpreters depend on."""
    return [__version__, *host_identity()]


def read_cache_file(path: str) -> Agreement | None:
    """Return the contents of one of these cache files, None if it is missing or unusable."""
    try:
        return load_columns(path, "agreed")
    except (OSError, ValueError):
        return None


def manifest_inputs_unchanged(reading: Agreement) -> bool:
    """Return whether every file that a manifest was read from has the same contents; a missing one is still missing."""
    inputs: list[tuple[str, str, Signature | None]] = reading["inputs"]
    for path, sha256, signature in inputs:
        try:
            status = os.stat(path)  # noqa: PTH116
        except FileNotFoundError:
            if sha256:
                return False
            continue
        except OSError:
            return False
        if not sha256 or (stat_signature(status) != signature and not _has_sha256(path, sha256)):
            return False
    return True


def _has_sha256(path: str, sha256: str) -> bool:
    """Return whether a file that was written since, for example by a checkout, has the same contents."""
    import hashlib  # slow to import, and rarely needed

    try:
        return hashlib.sha256(read_regular(path, limit=_LARGEST_INPUT, follow=True)).hexdigest() == sha256
    except OSError:
        return False


def record_unchanged(agreement: Agreement) -> bool:
    """Return whether the environment's record, the first file of its agreement, is unchanged."""
    path, signature = agreement["files"][0]
    try:
        return bool(stat_signature(os.lstat(path)) == signature)
    except OSError:
        return False


def evidence_unchanged(agreement: Agreement) -> bool:
    """Return whether the files that an agreement depends on are unchanged.

    These are record, seal, inventory and lock, and the interpreter that symbolic links point to.
    """
    files: list[tuple[str, Signature]] = agreement["files"]
    followed: list[tuple[str, Signature]] = agreement["followed"]
    try:
        return all(stat_signature(os.lstat(path)) == signature for path, signature in files) and all(
            stat_signature(os.stat(path)) == signature  # noqa: PTH116
            for path, signature in followed
        )
    except OSError:
        return False
