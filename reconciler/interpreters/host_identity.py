"""What identifies this host for facts about interpreters: an upgrade of the system can change them. Loads fast."""

from __future__ import annotations

import os


def host_identity() -> tuple[str, str, str, str]:
    """Return release and version of the kernel, the machine, and the version of the C library (empty if unknown)."""
    uname = os.uname()
    try:
        library = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):  # macOS and musl have no such name
        library = None
    return (uname.release, uname.version, uname.machine, library or "")
