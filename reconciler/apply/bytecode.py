"""Bytecode that need not be compiled again: files that a new generation shares with the published one keep theirs.

Compiling takes many times as long as installing. Bytecode (PEP 3147) names its source's size and mtime, which a shared
inode keeps; the path in it is put right when it is imported. So it is hard-linked, and the rest is compiled.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.state.inode_hashes import InodeHashes

_CACHE = "__pycache__"


def shared_bytecode(old: Path, new: Path, inodes: InodeHashes) -> tuple[dict[str, dict[str, str]], list[Path]]:
    """Find the bytecode of every module in `new` that is the same inode as in `old`; and the modules left without.

    Both are venvs (absolute). Bytecode is by directory (`__pycache__`, to be made in `new`): the name that a file gets
    there, and the path of the one to link. Of `old` only what is known to be as it was sealed is taken; see
    `InodeHashes.begin_linking`. Raises OSError.
    """
    shared: dict[str, dict[str, str]] = {}
    left = []
    for directory, modules in _modules(new):
        before = f"{old}{directory[len(str(new)) :]}"
        compiled = _bytecode_by_module(f"{before}/{_CACHE}")
        links: dict[str, str] = {}
        for module in modules:
            bytecode = compiled.get(module.removesuffix(".py"), ())
            good = bytecode and _same_file(f"{before}/{module}", f"{directory}/{module}")
            if good and all(inodes.seen_whole(os.lstat(f"{before}/{_CACHE}/{name}")) for name in bytecode):
                links.update((name, f"{before}/{_CACHE}/{name}") for name in bytecode)
            else:
                left.append(Path(directory, module))
        if links:
            shared[f"{directory}/{_CACHE}"] = links
    return shared, left


def link_bytecode(shared: Mapping[str, Mapping[str, str]]) -> None:
    """Link what `shared_bytecode` found. Raises OSError."""
    for cache, links in shared.items():
        with suppress(FileExistsError):  # the rest is being compiled beside this
            os.mkdir(cache)  # noqa: PTH102  # thousands of them: no Path objects
        for name, bytecode in links.items():
            try:
                os.link(bytecode, f"{cache}/{name}", follow_symlinks=False)
            except FileExistsError:  # its wheel brings some along, which compiling would have replaced
                os.unlink(f"{cache}/{name}")  # noqa: PTH108
                os.link(bytecode, f"{cache}/{name}", follow_symlinks=False)


def _modules(venv: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each directory below the venv's site-packages that has modules, with their names."""
    for packages in sorted(venv.glob("lib*/*/site-packages")):
        if packages.is_symlink() or packages.parent.parent.is_symlink():
            continue
        pending = [str(packages)]
        while pending:
            directory = pending.pop()
            modules = []
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.name.endswith(".py") and not entry.is_dir(follow_symlinks=False):
                        modules.append(entry.name)
                    elif entry.name != _CACHE and entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
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
