"""Access control lists of POSIX for tests."""

import os
from pathlib import Path

import pytest

USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20  # linux/posix_acl.h
NOBODY = -1


def set_access_list(path: Path, entries: list[tuple[int, int, int]]) -> None:
    """Give a file an access control list of tags, permissions and numbers; skips if the file system has none."""
    content = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + bits.to_bytes(2, "little") + (number & 0xFFFFFFFF).to_bytes(4, "little")
        for tag, bits, number in sorted(entries)
    )
    try:
        os.setxattr(path, "system.posix_acl_access", content)
    except (OSError, AttributeError):
        pytest.skip("this file system has no access control lists")
