"""The state below a root is readable for those who may enter the root (`reconciler.fs.access_bits`).

An apply under a narrow umask may have made directories, records and seals that only its user can read.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.fs.access import group_to_give, widen
from reconciler.fs.access_bits import access_to, lacks_access
from reconciler.state.layout import Generation, Layout


def open_state(layout: Layout) -> None:
    """Give envsync's own directories and small files the access of the root; venvs and caches stay as they are.

    What may not be changed is skipped, and the command goes on.
    """
    access, group = access_to(layout.root), group_to_give(layout.root)
    if not access:
        return
    for directory in (layout.envsync_directory, layout.all_generations, layout.records, layout.all_deleted):
        _widen(directory, access, group)
        for entry in _entries(directory):
            if directory == layout.all_generations:
                _open_generations(layout, entry.name, access, group)
            # A user who may open the mutex could keep it. The mode of a link is not changed, nor that of its target.
            elif entry.is_file() and entry.path != str(layout.mutex):
                _widen(entry.path, access, group)


def closed_state(layout: Layout, name: str, number: int) -> tuple[str, ...]:
    """Return the directories and files of one generation's state that lack the access of the root, relative to it.

    `reconciler.fastpath.unchanged` examines the same ones.
    """
    access = access_to(layout.root)
    generation = layout.generation(name, number)
    above = (layout.envsync_directory, layout.all_generations, layout.records, layout.generations(name))
    examined = (*above, generation.directory, layout.record(name), *_files(generation))
    return tuple(str(each.relative_to(layout.root)) for each in examined if lacks_access(each, access))


def _open_generations(layout: Layout, name: str, access: int, group: int) -> None:
    """Give the directory of each generation of an environment, and the small files in it, the access of the root."""
    directory = layout.generations(name)
    if directory.is_symlink():
        return
    _widen(directory, access, group)
    for entry in _entries(directory):
        if entry.is_dir(follow_symlinks=False) and entry.name.isdecimal():
            generation = layout.generation(name, int(entry.name))
            for each in (generation.directory, *_files(generation)):
                _widen(each, access, group)


def _files(generation: Generation) -> tuple[Path, ...]:
    return (generation.seal, generation.inventory, generation.pylock, generation.in_use)


def _entries(directory: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the entries of a directory, nothing if it cannot be listed."""
    with suppress(OSError), os.scandir(directory) as listing:
        yield from listing


def _widen(path: Path | str, access: int, group: int) -> None:
    with suppress(OSError):
        widen(path, access, group)
