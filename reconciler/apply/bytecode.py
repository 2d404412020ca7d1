"""Bytecode that need not be compiled again: files that a new generation shares with the published one keep theirs.

Compiling takes many times as long as installing. Bytecode (PEP 3147) names its source's size and mtime, which a shared
inode keeps; the path in it is put right when it is imported. So it is hard-linked, and the rest is compiled.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.state.inodes import InodeHashes

_CACHE = "__pycache__"


def carry_bytecode(old: Path, new: Path, inodes: InodeHashes) -> list[Path]:
    """Link the bytecode of every module in `new` that is the same inode as in `old`; return the modules left without.

    Both are venvs (absolute). Of `old` only what is known to be as it was sealed is taken; see
    `InodeHashes.begin_linking`. Raises OSError.
    """
    left = []
    for directory, modules in _modules(new):
        before = f"{old}{directory[len(str(new)) :]}"
        compiled = _bytecode_by_module(f"{before}/{_CACHE}")
        cache = f"{directory}/{_CACHE}"
        os.makedirs(cache, exist_ok=True)  # noqa: PTH103  # thousands of them: no Path objects
        for module in modules:
            bytecode = compiled.get(module.removesuffix(".py"), ())
            if not (bytecode and _same_file(f"{before}/{module}", f"{directory}/{module}")):
                left.append(Path(directory, module))
                continue
            trusted = [name for name in bytecode if inodes.seen_whole(os.lstat(f"{before}/{_CACHE}/{name}"))]
            if len(trusted) != len(bytecode):
                left.append(Path(directory, module))
                continue
            for name in trusted:
                os.link(f"{before}/{_CACHE}/{name}", f"{cache}/{name}", follow_symlinks=False)
    return left


def _modules(venv: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each directory below the venv's site-packages that has modules, with their names."""
    for packages in sorted(venv.glob("lib*/*/site-packages")):
        if packages.is_symlink() or packages.parent.parent.is_symlink():
            continue
        for directory, names, files in os.walk(packages):
            if _CACHE in names:
                names.remove(_CACHE)
            modules = [name for name in files if name.endswith(".py")]
            if modules:
                yield directory, modules


def _bytecode_by_module(cache: str) -> dict[str, tuple[str, ...]]:
    """Return the names of bytecode files in a `__pycache__`, by the module's name."""
    found: dict[str, tuple[str, ...]] = {}
    try:
        names = os.listdir(cache)
    except (FileNotFoundError, NotADirectoryError):
        return found
    for name in names:
        if name.endswith(".pyc"):
            module = name.partition(".")[0]
            found[module] = (*found.get(module, ()), name)
    return found


def _same_file(one: str, other: str) -> bool:
    """Say whether two paths are names of one regular file."""
    try:
        first, second = os.lstat(one), os.lstat(other)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(first.st_mode) and (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)
