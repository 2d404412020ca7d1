"""Keep the path of a collected generation working: it becomes a symbolic link to what is published.

Programs store the path of the interpreter that ran them (Jupyter kernels, git hooks, crontabs). So a generation that
was published leaves `3 -> current` next to the other generations, and `current/venv` points to the environment's path.
If the environment was renamed since, the link points to the directory of its new name: `3 -> ../site/current`.
"""

import errno
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress

from reconciler.fs.remove_tree import open_below, open_directory
from reconciler.state.former_name import linked_home, owner_of
from reconciler.state.layout import CURRENT, Generation, Layout, collected_link

MOST_LINKS = 100  # for each environment, the newest
_JOURNAL = ".collected"


def begin_collection(layout: Layout, name: str, generation: Generation) -> None:
    """Note, before a published generation of `name` is deleted, that its path must keep working.

    The note is the link itself with the temporary name `3.collected`, so that a killed run loses nothing.
    """
    with suppress(OSError), _opened(layout, generation.home) as directory:
        _symlink(collected_link(generation.home, name), f"{generation.number}{_JOURNAL}", directory)


def keep_paths(layout: Layout, name: str, deleted: Mapping[int, str], gone: Collection[str]) -> None:
    """Make the links of the generations that are deleted: those noted, and `deleted`; then delete the oldest links.

    `name` is that of the directory. `deleted` has the texts of the links whose note could not be written, for example
    because the disk was full. Those of environments in `gone` get none. Nothing that envsync did not make is replaced.
    Raises OSError.
    """
    with _opened(layout, name) as directory:
        noted = {
            int(each.removesuffix(_JOURNAL)): _text(each, directory)
            for each in os.listdir(directory)
            if each.endswith(_JOURNAL) and each.removesuffix(_JOURNAL).isdecimal()
        }
        wanted = {**deleted, **noted}
        missing = sorted(number for number in wanted if not _exists(str(number), directory))
        for number in missing:
            owner = _owner(wanted[number], name)
            if owner and owner not in gone and make_current(layout, owner):
                _symlink(collected_link(name, owner), str(number), directory)
        for number in noted.keys() - {*layout.generation_numbers(name), *layout.former_numbers(name)}:
            os.unlink(f"{number}{_JOURNAL}", dir_fd=directory)
        for number in layout.collected_numbers(name)[:-MOST_LINKS]:
            os.unlink(str(number), dir_fd=directory)
        _remove_dead_links(layout, name, directory)


def remove_paths(layout: Layout, name: str) -> None:
    """Delete the links of an environment that was deleted, and the directory of its generations if nothing is left.

    Only what envsync made is deleted. What belongs to a different name since a rename stays. Raises OSError if anything
    else is in the directory.
    """
    with _opened(layout, name) as directory:
        for number in layout.collected_numbers(name):
            _unlink_link(str(number), CURRENT, directory)
        remove_current(name, directory)
        for each in os.listdir(directory):
            if each.endswith(_JOURNAL):
                _unlink_link(each, CURRENT, directory)
        _remove_dead_links(layout, name, directory)
        left = os.listdir(directory)
    if not (left and layout.former_numbers(name)):
        layout.generations(name).rmdir()


def redirect_paths(layout: Layout, old: str, new: str) -> None:
    """Let the links of collected generations point to `new` instead of `old`, which was renamed; raises OSError."""
    for home in sorted(
        each.name for each in layout.all_generations.iterdir() if each.is_dir() and not each.is_symlink()
    ):
        before = collected_link(home, old)
        with _opened(layout, home) as directory:
            numbers = [each for each in layout.collected_numbers(home) if _text(str(each), directory) == before]
            if numbers and make_current(layout, new):
                for number in numbers:
                    note = f"{number}{_JOURNAL}"
                    with suppress(FileNotFoundError):
                        os.unlink(note, dir_fd=directory)
                    os.symlink(collected_link(home, new), note, dir_fd=directory)
                    os.rename(note, str(number), src_dir_fd=directory, dst_dir_fd=directory)
            if home == old:
                remove_current(old, directory)


def _remove_dead_links(layout: Layout, name: str, directory: int) -> None:
    """Delete our links into directories of other names whose targets are gone."""
    for number in (*layout.collected_numbers(name), *layout.former_numbers(name)):
        text = _text(str(number), directory)
        real = linked_home(text, str(number))
        if (real and not owner_of(str(layout.all_generations), real, number)) or (
            linked_home(text, CURRENT) and not _exists(str(number), directory, follow=True)
        ):
            os.unlink(str(number), dir_fd=directory)


def remove_current(name: str, directory: int) -> None:
    """Delete the directory `current` with its link, if they exist; raises OSError if anything else is in it."""
    with suppress(FileNotFoundError):
        current = open_directory(CURRENT, directory)
        try:
            _unlink_link("venv", _to_environment(name), current)
        finally:
            os.close(current)
        os.rmdir(CURRENT, dir_fd=directory)


def _owner(text: str, home: str) -> str:
    """Return the environment to which the link of a collected generation leads, empty if it is not such a link."""
    return home if text == CURRENT else linked_home(text, CURRENT)


@contextmanager
def _opened(layout: Layout, name: str) -> Iterator[int]:
    """Yield a descriptor of the directory of an environment's generations; no symbolic link is followed."""
    inside = layout.generations(name).relative_to(layout.root).parts
    directory = open_below(layout.root, *inside)
    try:
        yield directory
    finally:
        os.close(directory)


def make_current(layout: Layout, name: str) -> bool:
    """Make the directory `current` with its link; return whether its link points to the environment's path."""
    with suppress(FileNotFoundError), _opened(layout, name) as directory:
        return _make_current(name, directory)
    return False


def _make_current(name: str, directory: int) -> bool:
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


def _exists(name: str, directory: int, *, follow: bool = False) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=follow)
    except FileNotFoundError:
        return False
    return True
