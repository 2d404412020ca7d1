"""Finds files that were added to a published environment: a stray `.pth` or `sitecustomize.py` can be an attack."""

import hashlib
import os
import stat
from dataclasses import dataclass

from reconciler.observe.actual import Finding, FindingCode
from reconciler.observe.bytecode import CACHE, SUFFIXES, bytecode_source, header_mismatch
from reconciler.state.inode_hashes import InodeHashes


@dataclass(frozen=True, slots=True)
class AddedFiles:
    """Examines paths that are not in the inventory, and everything below them."""

    venv: str
    inodes: InodeHashes
    rehash: bool

    def find(self, path: str) -> list[Finding]:
        """Return a finding for each file at or below the relative `path`, or for an empty directory itself.

        Bytecode in `__pycache__` next to its source, and an empty `__pycache__`, do not count: Python makes them.
        """
        place = f"{self.venv}/{path}"
        try:
            status = os.lstat(place)
            if stat.S_ISDIR(status.st_mode):
                names = sorted(os.listdir(place))
                found = [each for name in names for each in self.find(f"{path}/{name}")]
                if not names and path.rpartition("/")[2] != CACHE:
                    found.append(Finding(code=FindingCode.FILE_ADDED, path=path, detail="an empty directory"))
                return found
            if path.endswith(SUFFIXES):
                source = bytecode_source(path)
                if source and os.path.lexists(f"{self.venv}/{source}"):
                    return self.check_bytecode(path) if stat.S_ISREG(status.st_mode) else [self._added(path, status)]
                detail = f"its source `{source}` is missing" if source else "bytecode outside __pycache__"
                return [self._added(path, status, FindingCode.STRAY_BYTECODE, detail)]
            return [self._added(path, status)]
        except FileNotFoundError:
            return []
        except OSError as error:
            detail = f"could not be read: {error.strerror or error}"
            return [Finding(code=FindingCode.UNREADABLE, path=path, detail=detail)]

    def check_bytecode(self, path: str) -> list[Finding]:
        """Return a finding if the header of bytecode next to its source does not match it (at depth `hashes`)."""
        if not self.rehash:
            return []
        place = f"{self.venv}/{path}"
        try:
            mismatch = header_mismatch(place, f"{self.venv}/{bytecode_source(path)}")
            status = os.lstat(place)
            return [self._added(path, status, FindingCode.BYTECODE_MISMATCH, mismatch)] if mismatch else []
        except OSError as error:
            detail = f"could not be read: {error.strerror or error}"
            return [Finding(code=FindingCode.UNREADABLE, path=path, detail=detail)]

    @staticmethod
    def symlink_sha256(target: str) -> str:
        """Return the SHA-256 of a symbolic link's target, which counts as the link's contents."""
        return hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()

    def _added(
        self,
        path: str,
        status: os.stat_result,
        code: FindingCode = FindingCode.FILE_ADDED,
        detail: str = "not part of the generation",
    ) -> Finding:
        place = f"{self.venv}/{path}"
        content = ""
        if stat.S_ISREG(status.st_mode):
            content = self.inodes.bounded_sha256(place, status)
        elif stat.S_ISLNK(status.st_mode):
            content = self.symlink_sha256(os.readlink(place))  # noqa: PTH115
        return Finding(code=code, path=path, detail=detail, content=content)
