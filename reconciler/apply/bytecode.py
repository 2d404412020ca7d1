"""Reuse compiled bytecode: modules that a new generation shares with the published one need not be compiled again.

Compiling takes many times as long as installing. Bytecode (PEP 3147) is valid for its source's size and mtime, and a
source with the same inode has both. The path inside the bytecode is corrected when it is imported. So this bytecode is
hard-linked, and only the other modules are compiled.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.state.inode_hashes import InodeHashes

_CACHE = "__pycache__"


def shared_bytecode(old: Path, new: Path, inodes: InodeHashes) -> tuple[dict[str, dict[str, str]], list[Path]]:
    """Return the bytecode that `new` can share with `old`, and the modules of `new` that must be compiled.

    Both are absolute paths of venvs. A module shares its bytecode if it is the same inode in both. The first value maps
    each `__pycache__` directory to make in `new` to its files: name there, and path of the file in `old` to link. Only
    bytecode that is known to be unchanged since it was sealed is used, see `InodeHashes.begin_linking`. Raises OSError.
    """
    shared: dict[str, dict[str, str]] = {}
    uncompiled = []
    for directory, modules in _modules(new):
        old_directory = f"{old}{directory[len(str(new)) :]}"
        compiled = _bytecode_by_module(f"{old_directory}/{_CACHE}")
        links: dict[str, str] = {}
        for module in modules:
            bytecode = compiled.get(module.removesuffix(".py"), ())
            found = {name: f"{old_directory}/{_CACHE}/{name}" for name in bytecode}
            valid = bool(found) and _same_file(f"{old_directory}/{module}", f"{directory}/{module}")
            if valid and all(inodes.content_was_seen(os.lstat(file)) for file in found.values()):
                links |= found
            else:
                uncompiled.append(Path(directory, module))
        if links:
            shared[f"{directory}/{_CACHE}"] = links
    return shared, uncompiled


def link_bytecode(shared: Mapping[str, Mapping[str, str]]) -> None:
    """Make the hard links that `shared_bytecode` returned. Raises OSError."""
    for cache, links in shared.items():
        with suppress(FileExistsError):  # the compiler makes it at the same time
            os.mkdir(cache)  # noqa: PTH102  # thousands of them: no Path objects
        for name, bytecode in links.items():
            try:
                os.link(bytecode, f"{cache}/{name}", follow_symlinks=False)
            except FileExistsError:  # the wheel contains bytecode, which compiling would replace too
                os.unlink(f"{cache}/{name}")  # noqa: PTH108
                os.link(bytecode, f"{cache}/{name}", follow_symlinks=False)


def _modules(venv: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each directory below the venv's site-packages that has modules, and the modules' file names."""
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
    """Return the names of the bytecode files in a `__pycache__` directory, by module name."""
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
    """Return whether two paths name the same regular file."""
    try:
        first, second = os.lstat(one), os.lstat(other)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(first.st_mode) and (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)
