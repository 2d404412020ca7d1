"""Keep the path of a collected generation working: it becomes a symbolic link to what is published.

Programs store the path of the interpreter that ran them (Jupyter kernels, git hooks, crontabs). So a generation that
was published leaves `3 -> current` next to the other generations, and `current/venv` points to the environment's path.
"""

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from reconciler.fs.remove_tree import open_below, open_directory
from reconciler.state.layout import CURRENT, Generation, Layout

MOST_LINKS = 100  # for each environment, the newest
_JOURNAL = ".collected"


def begin_collection(layout: Layout, generation: Generation) -> None:
    """Note, before a generation that was published is deleted, that its path must keep working.

    The note is the link itself with the temporary name `3.collected`, so that a killed run loses nothing.
    """
    with suppress(OSError), _opened(layout, generation.directory.parent.name) as directory:
        _symlink(CURRENT, f"{generation.number}{_JOURNAL}", directory)


def keep_paths(layout: Layout, name: str, deleted: Collection[int]) -> None:
    """Make the links of the generations that are deleted: those noted, and `deleted`; then delete the oldest links.

    `deleted` are those whose note could not be written, for example because the disk was full. Nothing that envsync
    did not make is replaced. Raises OSError.
    """
    with _opened(layout, name) as directory:
        noted = {
            int(each.removesuffix(_JOURNAL))
            for each in os.listdir(directory)
            if each.endswith(_JOURNAL) and each.removesuffix(_JOURNAL).isdecimal()
        }
        missing = sorted(number for number in noted.union(deleted) if not _exists(str(number), directory))
        if missing and _make_current(name, directory):
            for number in missing:
                _symlink(CURRENT, str(number), directory)
        for number in noted.difference(layout.generation_numbers(name)):
            os.unlink(f"{number}{_JOURNAL}", dir_fd=directory)
        for number in layout.collected_numbers(name)[:-MOST_LINKS]:
            _unlink_link(str(number), CURRENT, directory)


def remove_paths(layout: Layout, name: str) -> None:
    """Delete the links of an environment that was deleted, and the directory of its generations if nothing is left.

    Only what envsync made is deleted. Raises OSError if anything else is in the directory.
    """
    with _opened(layout, name) as directory:
        for number in layout.collected_numbers(name):
            _unlink_link(str(number), CURRENT, directory)
        with suppress(FileNotFoundError):
            current = open_directory(CURRENT, directory)
            try:
                _unlink_link("venv", _to_environment(name), current)
            finally:
                os.close(current)
            os.rmdir(CURRENT, dir_fd=directory)
        for each in os.listdir(directory):
            if each.endswith(_JOURNAL):
                _unlink_link(each, CURRENT, directory)
    layout.generations(name).rmdir()


@contextmanager
def _opened(layout: Layout, name: str) -> Iterator[int]:
    """Yield a descriptor of the directory of an environment's generations; no symbolic link is followed."""
    inside = layout.generations(name).relative_to(layout.root).parts
    directory = open_below(layout.root, *inside)
    try:
        yield directory
    finally:
        os.close(directory)


def _make_current(name: str, directory: int) -> bool:
    """Make the directory `current` with its link; return whether its link points to the environment's path."""
    with suppress(FileExistsError):
        os.mkdir(CURRENT, dir_fd=directory)
    try:
        current = open_directory(CURRENT, directory)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:  # not ours
            return False
        raise
    try:
        _symlink(_to_environment(name), "venv", current)
        return _text("venv", current) == _to_environment(name)
    finally:
        os.close(current)


def _to_environment(name: str) -> str:
    """Return the text of the link `current/venv`: the environment's path, which is four directories further up."""
    return f"../../../../{name}"


def _symlink(text: str, name: str, directory: int) -> None:
    with suppress(FileExistsError):
        os.symlink(text, name, dir_fd=directory)


def _unlink_link(name: str, text: str, directory: int) -> None:
    """Delete a symbolic link if its text is `text`."""
    if _text(name, directory) == text:
        os.unlink(name, dir_fd=directory)


def _text(name: str, directory: int) -> str:
    """Return the text of a symbolic link, empty if it is none."""
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return ""


def _exists(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
