"""What is remembered of a run that found nothing to do: that desired equals last applied, and what that rested on.

Three kinds of file in the root's cache, all of which may be lost without harm. `manifest-<digits>` says which files a
manifest was read from and which environments it names; `agreed/<name>` that one environment's target is what was
last applied to it, for the manifest, record, seal, lock and interpreter as they were then; `agreed/<name>.own` what
of it no other environment shares. Written by `remember`.
"""

from __future__ import annotations

import os
import zlib

from reconciler import __version__
from reconciler.state.marshal_file import load_marshalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Signature = tuple[int, int, int, int, int]
    Agreement = Mapping[str, Any]


# What is kept beside an environment's own columns: the signature of the inventory that they are a part of; from where
# its directories are near; and a digest of what it shares: which inodes, and what they are said to hold.
INVENTORY, NEAR, SHARED = "inventory", "near", "shared"


def manifest_file(root: str, file: str) -> str:
    """Return where the reading of the manifest at `file` (absolute) is kept."""
    return f"{root}/.envsync/cache/manifest-{zlib.crc32(os.fsencode(file)):08x}"


def agreement_file(root: str, name: str) -> str:
    """Return where an environment's agreement is kept."""
    return f"{root}/.envsync/cache/agreed/{name}"


def own_file(root: str, name: str) -> str:
    """Return where that is kept which an environment shares with no other (no name has a dot)."""
    return f"{root}/.envsync/cache/agreed/{name}.own"


def signature_of(status: os.stat_result) -> Signature:
    """Return what must move when a file is written: device, inode, size, mtime and ctime (nanoseconds)."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def machine() -> tuple[str, ...]:
    """Return what an interpreter's facts hold of the machine (kernel, processor, C library), and our own version."""
    uname = os.uname()
    libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    return (__version__, uname.release, uname.version, uname.machine, libc or "")


def read_agreed(path: str) -> Agreement | None:
    """Return what such a file holds, None where there is none that can be used."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # no pathlib here
            found = load_marshalled("agreed", file.read())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def still_read_from(manifest: Agreement) -> bool:
    """Say whether every file that a manifest was read from holds what it held; an absent one is still absent."""
    inputs: list[tuple[str, str, Signature | None]] = manifest["inputs"]
    for path, sha256, signature in inputs:
        try:
            status = os.stat(path)  # noqa: PTH116
        except FileNotFoundError:
            if sha256:
                return False
            continue
        except OSError:
            return False
        if not sha256 or (signature_of(status) != signature and not _holds(path, sha256)):
            return False
    return True


def _holds(path: str, sha256: str) -> bool:
    """Say whether a file that was written since (a checkout, say) has the same content all the same."""
    import hashlib  # slow, and seldom needed

    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return hashlib.sha256(file.read()).hexdigest() == sha256
    except OSError:
        return False


def still_recorded(agreement: Agreement) -> bool:
    """Say whether the environment's record, the first of its files, is the one that was agreed on."""
    path, signature = agreement["files"][0]
    try:
        return bool(signature_of(os.lstat(path)) == signature)
    except OSError:
        return False


def still_rests_on(agreement: Agreement) -> bool:
    """Say whether an agreement's own files are as they were: record, seal, lock, the interpreter that is led to."""
    files: list[tuple[str, Signature]] = agreement["files"]
    followed: list[tuple[str, Signature]] = agreement["followed"]
    try:
        return all(signature_of(os.lstat(path)) == signature for path, signature in files) and all(
            signature_of(os.stat(path)) == signature  # noqa: PTH116
            for path, signature in followed
        )
    except OSError:
        return False
