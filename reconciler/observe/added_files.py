"""What was added to a published environment: a stray `.pth` or `sitecustomize.py` is how environments are attacked."""

import hashlib
import os
import stat
from dataclasses import dataclass

from reconciler.observe.actual import Finding, FindingCode
from reconciler.observe.bytecode import CACHE, SUFFIXES, header_mismatch, source_of
from reconciler.state.inode_hashes import InodeHashes


@dataclass(frozen=True, slots=True)
class AddedFiles:
    """Finds what is at paths that the inventory does not have; directories are gone through to the last file."""

    venv: str
    inodes: InodeHashes
    rehash: bool

    def find(self, path: str) -> list[Finding]:
        """Return a finding for each file at or below the relative `path`; a directory without any has one itself.

        Bytecode in `__pycache__` beside its source, and an empty `__pycache__`, are nobody's.
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
                source = source_of(path)
                if source and os.path.lexists(f"{self.venv}/{source}"):
                    return self.own_bytecode(path) if stat.S_ISREG(status.st_mode) else [self._added(path, status)]
                detail = f"its source {source} is not there" if source else "bytecode outside __pycache__"
                return [self._added(path, status, FindingCode.STRAY_BYTECODE, detail)]
            return [self._added(path, status)]
        except FileNotFoundError:
            return []
        except OSError as error:
            detail = f"could not be read: {error.strerror or error}"
            return [Finding(code=FindingCode.UNREADABLE, path=path, detail=detail)]

    def own_bytecode(self, path: str) -> list[Finding]:
        """Return what is wrong with bytecode beside its source: at depth `hashes`, that its header does not fit."""
        if not self.rehash:
            return []
        place = f"{self.venv}/{path}"
        try:
            wrong = header_mismatch(place, f"{self.venv}/{source_of(path)}")
            status = os.lstat(place)
            return [self._added(path, status, FindingCode.BYTECODE_MISMATCH, wrong)] if wrong else []
        except OSError as error:
            detail = f"could not be read: {error.strerror or error}"
            return [Finding(code=FindingCode.UNREADABLE, path=path, detail=detail)]

    @staticmethod
    def link_content(target: str) -> str:
        """Return what stands for a symlink's content: the SHA-256 of its text."""
        return hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()

    def _added(
        self,
        path: str,
        status: os.stat_result,
        code: FindingCode = FindingCode.FILE_ADDED,
        detail: str = "not installed with the environment",
    ) -> Finding:
        place = f"{self.venv}/{path}"
        content = ""
        if stat.S_ISREG(status.st_mode):
            content = self.inodes.sha256_of(place, status)
        elif stat.S_ISLNK(status.st_mode):
            content = self.link_content(os.readlink(place))  # noqa: PTH115
        return Finding(code=code, path=path, detail=detail, content=content)
