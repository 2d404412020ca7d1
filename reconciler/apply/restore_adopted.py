"""Put the directory that `--adopt` replaced back at the environment's path, by one atomic exchange.

Its scripts contain that path and work only there, so it cannot be published by a link. Afterwards envsync does not
manage it: the environment is as it was before `--adopt`, and its generations are kept.
"""

import errno
import os
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from reconciler.apply.copy_directory import clear_unfinished_copy, copy_directory
from reconciler.apply.publish import foreign_path
from reconciler.errors import ApplyError, UsageError
from reconciler.fs.exchange import exchange
from reconciler.fs.remove_tree import remove_tree
from reconciler.fs.sync import sync_directory
from reconciler.state.applied import Applied
from reconciler.state.generation_identity import check_identity_mark
from reconciler.state.hold import Hold
from reconciler.state.layout import Generation, Layout
from reconciler.state.store import State

_LINK = "link"  # the environment's link between two renames, if the system cannot exchange


def restore_adopted(state: State, current: Applied, number: int, hold: Hold | None) -> Applied:
    """Put the adopted directory `number` back; return the new record of the environment, which remains owned.

    The root mutex must be held. Raises ApplyError if something else is at the path or in the directory's place,
    StateError, or OSError. A killed run leaves the link or the directory at the path, and loses neither.
    """
    layout, name = state.layout, current.name
    generation, path = layout.adopted_generation(name, number), layout.environment(name)
    published = layout.published_number(name)
    if not published and os.path.lexists(path):
        raise foreign_path(path)
    _refuse_other_directory(generation)
    deleted = state.deleted(name) is not None
    if deleted and hold is not None:
        raise UsageError(
            f"environment `{name}` is deleted, so what `--adopt` replaced cannot be held: envsync does not manage it",
            hint="roll back without `--hold`",
        )
    restored = replace(current, rolled_back_from=current.generation, hold=hold or current.hold)
    with nullcontext() if deleted else state.recording(restored):  # a deleted one has no record
        if published and not exchange(path, generation.venv):
            path.rename(generation.directory / _LINK)
        if not os.path.lexists(path):
            _move_or_copy(generation, path)
        sync_directory(layout.root)
    finish_restores(layout, name)
    return restored


def finish_restores(layout: Layout, name: str) -> None:
    """Finish or undo restores of adopted directories that were interrupted; raises OSError if that fails."""
    for number in layout.adopted_numbers(name):
        generation = layout.adopted_generation(name, number)
        link = generation.directory / _LINK
        clear_unfinished_copy(generation.directory)
        if link.is_symlink() and not os.path.lexists(layout.environment(name)):  # between the two renames
            link.rename(layout.environment(name))
        if generation.venv.is_dir() and not generation.venv.is_symlink():
            continue
        for each in (generation.venv, link):
            if each.is_symlink():
                each.unlink()
        if not os.path.lexists(generation.venv):
            forget_adopted(generation)


def _move_or_copy(generation: Generation, path: Path) -> None:
    """Put an adopted directory at a path where nothing is; one of a lower layer of an image can only be copied."""
    try:
        generation.venv.rename(path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_directory(generation.venv, path, generation.directory)
        remove_tree(generation.directory, generation.venv.name)


def forget_adopted(generation: Generation) -> None:
    """Remove what envsync wrote about an adopted directory that no longer exists; raises OSError."""
    for each in (generation.adoption, generation.identity):
        each.unlink(missing_ok=True)
    with suppress(OSError):  # something else is in it
        generation.directory.rmdir()
        generation.directory.parent.rmdir()


def _refuse_other_directory(generation: Generation) -> None:
    """Raise ApplyError unless the directory is the one that was adopted."""
    try:
        directory = os.open(generation.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            check_identity_mark(generation, directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise ApplyError(
            f"`{generation.venv}` cannot be restored: {error.strerror}",
            hint="if it is a copy from a backup, remove the link at the environment's path, then move the copy there",
        ) from error
