"""Authenticates files below a root with the key of the user who owns it, so that no commit or copy can forge one.

The code of a file is keyed BLAKE2b of its root, its place below the root, and its contents. A file that was copied from
a different root, or from a different place, does not have the right one. The user who owns the root checks the codes.
Any other user has no key for them, and relies on the owner instead: only the owner may write there, which
`reconciler.state.root_trust` checks. Imports only modules that load fast.
"""

from __future__ import annotations

import os

from reconciler.fs.user_key import make_user_key, read_user_key

try:
    from _blake2 import blake2b as blake2b  # re-exported for the fast path
except ImportError:  # not CPython
    from hashlib import blake2b as blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Contents: TypeAlias = bytes | memoryview

_DIGEST_BYTES = 32
_OWN = "/.envsync/"
_roots: dict[str, _Root] = {}
_accepts_everything = False


class _Root:
    """A root: its real path, and whether this process has to check codes in it; `key` is that of the user, if any."""

    def __init__(self, path: str) -> None:
        self.real = os.path.realpath(path)
        self.key = read_user_key()
        try:
            self.is_own = os.lstat(f"{path}{_OWN[:-1]}").st_uid == os.geteuid()
        except OSError:  # it does not exist yet
            self.is_own = True


def authentication_code(path: str, content: Contents) -> str:
    """Return the code (hexadecimal) of a file below a root; the key is made if there is none. Raises OSError."""
    root, place = _split(path)
    found = _known(root)
    if found.key is None:
        found.key = make_user_key()
    return _code(found.key, found.real, place, content)


def is_authentic(path: str, content: Contents, code: str) -> bool:
    """Return whether a file below a root was written by envsync as this user, or the root is that of another user."""
    root, place = _split(path)
    found = _known(root)
    if not found.is_own or _accepts_everything:
        return True
    return found.key is not None and _is_same(found.key, _code(found.key, found.real, place, content), code)


def accept_everything(accept: bool) -> bool:
    """Let every file count as authentic, or end that; return what was in force before. Only `envsync trust` does so."""
    global _accepts_everything  # one user, one process
    before, _accepts_everything = _accepts_everything, accept
    return before


def accepts_everything() -> bool:
    """Return whether every file counts as authentic."""
    return _accepts_everything


def forget_roots() -> None:
    """Read owner and key again, because the root was made or got a different owner."""
    _roots.clear()


def _split(path: str) -> tuple[str, str]:
    """Return the root of a file, and its place below the directory `.envsync` of the root."""
    root, own, place = path.rpartition(_OWN)
    return (root, place) if own else os.path.split(path)


def _known(root: str) -> _Root:
    found = _roots.get(root)
    if found is None:
        found = _roots[root] = _Root(root)
    return found


def _is_same(key: bytes, expected: str, code: str) -> bool:
    """Return whether two codes are equal, in a time that does not depend on where they differ.

    `hmac.compare_digest` needs a module that takes longer to import than two more digests.
    """
    first, second = (blake2b(each.encode("utf-8", "replace"), key=key).digest() for each in (expected, code))
    return first == second


def _code(key: bytes, root: str, place: str, content: Contents) -> str:
    digest = blake2b(os.fsencode(f"{root}\0{place}\0"), digest_size=_DIGEST_BYTES, key=key)
    digest.update(content)
    return digest.hexdigest()
