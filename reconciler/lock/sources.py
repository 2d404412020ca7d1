"""Local directories as sources: which files belong to one, and the digest of what would be installed.

The files are git's own list, read from its index file (gitformat-index); git itself is never started, because a
repository's configuration can name programs to run. Outside a repository every file counts but build leftovers.
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import LockError

_METADATA_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_LEFTOVERS = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "build", "dist", ".tox", ".nox", ".venv", "venv", ".envs", ".eggs",
     ".mypy_cache", ".pytest_cache", ".ruff_cache", "node_modules"}
)  # fmt: skip


def metadata_digest(directory: Path) -> str:
    """Return the digest of a project's metadata files: what an editable install depends on."""
    return _digest(directory, [name for name in _METADATA_FILES if (directory / name).is_file()])


def content_digest(directory: Path) -> str:
    """Return the digest of every source file below `directory`: what a non-editable install depends on."""
    return _digest(directory, source_files(directory))


def source_files(directory: Path) -> list[str]:
    """Return the POSIX paths of the source files below `directory`, sorted: tracked ones, or all but leftovers."""
    repository = _repository_of(directory)
    if repository is not None:
        index = _git_directory(repository) / "index"
        if index.is_file():
            prefix = "" if directory == repository else directory.relative_to(repository).as_posix() + "/"
            tracked = (path[len(prefix) :] for path in _tracked(index) if path.startswith(prefix))
            return sorted(path for path in tracked if (directory / path).is_file() or (directory / path).is_symlink())
    return sorted(_walk(directory))


def _digest(directory: Path, files: list[str]) -> str:
    """Digest names, executable bits and contents."""
    total = hashlib.sha256()
    for name in files:
        path = directory / name
        try:
            if path.is_symlink():
                kind, content = b"l", os.fsencode(path.readlink())
            else:
                kind, content = (b"x" if os.access(path, os.X_OK) else b"f"), path.read_bytes()
        except OSError as error:
            raise LockError(f"{path}: {error.strerror}") from error
        total.update(b"%s %s\0%s" % (kind, os.fsencode(name), hashlib.sha256(content).digest()))
    return "sha256:" + total.hexdigest()


def _repository_of(directory: Path) -> Path | None:
    """Return the nearest directory upwards that has a `.git`."""
    return next((each for each in (directory, *directory.parents) if (each / ".git").exists()), None)


def _git_directory(repository: Path) -> Path:
    """Return the git directory of a work tree; a linked work tree's `.git` is a file that names it."""
    dot_git = repository / ".git"
    if dot_git.is_dir():
        return dot_git
    text = dot_git.read_text(encoding="utf-8", errors="surrogateescape")
    return (repository / text.removeprefix("gitdir:").strip()).resolve()


def _tracked(index: Path) -> Iterator[str]:
    """Yield the paths in a git index, versions 2 to 4; raises LockError for anything else."""
    content = index.read_bytes()
    signature, version, count = struct.unpack_from(">4sLL", content) if len(content) >= 12 else (b"", 0, 0)
    if signature != b"DIRC" or version not in {2, 3, 4}:
        raise LockError(f"{index}: not a git index of version 2 to 4")
    position, previous = 12, b""
    try:
        for _ in range(count):
            start = position
            (flags,) = struct.unpack_from(">H", content, start + 60)
            position = start + 62 + (2 if flags & 0x4000 else 0)  # an extended entry has 16 bits more
            if version == 4:
                strip, position = _offset(content, position)
                end = content.index(b"\0", position)
                previous = previous[: len(previous) - strip] + content[position:end]
                position = end + 1
            else:
                end = content.index(b"\0", position)
                previous = content[position:end]
                position = start + (end - start + 8) // 8 * 8  # padded with 1 to 8 NULs
            yield os.fsdecode(previous)
    except (struct.error, ValueError, IndexError) as error:
        raise LockError(f"{index}: the git index is damaged") from error


def _offset(content: bytes, position: int) -> tuple[int, int]:
    """Decode git's variable-width offset; return it and the position after it."""
    byte = content[position]
    value = byte & 0x7F
    while byte & 0x80:
        position += 1
        byte = content[position]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, position + 1


def _walk(directory: Path) -> Iterator[str]:
    """Yield every file below `directory` that is no build leftover; links are not followed."""
    for folder, names, files in os.walk(directory):
        names[:] = sorted(name for name in names if name not in _LEFTOVERS and not name.endswith(".egg-info"))
        for name in files:
            if not name.endswith((".pyc", ".pyo")):
                yield (Path(folder) / name).relative_to(directory).as_posix()
