"""The key of a root with which plans compare values that they do not show (`reconciler.diff.masking`).

It belongs to the root: it is the same for all environments and users, and kept as long as the root. A user who can read
it can also read the records next to it, which have the values in clear. No document contains it.
"""

import secrets
from contextlib import suppress

from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.own_files import read_own
from reconciler.state.layout import Layout

_BYTES = 32


def read_masking_key(layout: Layout) -> bytes:
    """Return the key, empty if there is none or if it cannot be read: changes are then shown without a digest."""
    try:
        key = bytes.fromhex(read_own(str(layout.masking_key), limit=1024).decode("ascii").strip())
    except (OSError, ValueError):
        return b""
    return key if len(key) == _BYTES else b""


def make_masking_key(layout: Layout) -> None:
    """Make the key if there is none; the root mutex must be held. An error is ignored: no value is shown without it."""
    if not read_masking_key(layout):
        with suppress(OSError):
            write_atomic(layout.masking_key, secrets.token_hex(_BYTES).encode("ascii") + b"\n")
