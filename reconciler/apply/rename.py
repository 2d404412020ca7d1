"""Rename an environment: the new name gets its generations and its path, and nothing is built or deleted.

The generations stay where they are, because scripts, kernels and running processes name their directories
(`reconciler.state.former_name`). The journal, a link `.envsync/renaming.site` with the text `web`, is the point of no
return: a run that is killed before it has changed nothing, and the next run finishes what comes after it. Both paths
work all the time.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from reconciler.apply.collected_path import redirect_paths
from reconciler.apply.publish import foreign_path, leave_former_path, publish
from reconciler.errors import ApplyError
from reconciler.fs.make_symlink import make_symlink
from reconciler.fs.sync import sync_directory, sync_filesystem
from reconciler.state.applied import Applied
from reconciler.state.former_name import generation_link, is_name
from reconciler.state.layout import JOURNAL, Generation, Layout
from reconciler.state.rename_conflict import conflicting_numbers
from reconciler.state.store import State


def rename_environment(state: State, old: str, applied: Applied) -> None:
    """Give the generations, the path and the record of `old` to `applied.name`; the root mutex must be held.

    `applied` becomes the record. Raises ApplyError if something else is at the new path or has the same numbers,
    StateError, or OSError. `finish_renames` finishes it if it was interrupted.
    """
    layout, new = state.layout, applied.name
    path = layout.environment(new)
    if os.path.lexists(path) and not layout.published_number(new) and not layout.renamed_to(new):
        raise foreign_path(path)
    numbers = conflicting_numbers(layout, old, new)
    if numbers:
        raise ApplyError(f"`{new}` already has generation {numbers[0]}", hint="choose a different name")
    _link_generations(layout, old, new)
    journal = layout.rename_journal(new)
    with suppress(FileExistsError):
        make_symlink(old, journal)
    sync_directory(journal.parent)
    _finish(state, old, new, applied)


def finish_renames(state: State) -> None:
    """Finish the renames that were interrupted; raises ApplyError, StateError or OSError if one cannot be finished."""
    layout = state.layout
    for journal in sorted(layout.envsync_directory.glob(f"{JOURNAL}*")):
        new = journal.name.removeprefix(JOURNAL)
        try:
            old = os.readlink(journal)  # noqa: PTH115  # a name, not a path
        except OSError:  # it is not a link
            continue
        if is_name(old) and is_name(new):
            _finish(state, old, new, None)


def _link_generations(layout: Layout, old: str, new: str) -> None:
    """Make the links to the generations of `old` in the directory of `new`; they mean nothing without the marks."""
    directory = layout.generations(new)
    directory.mkdir(parents=True, exist_ok=True)
    for number in layout.generation_numbers(old):
        home, link = layout.generation(old, number).home, directory / str(number)
        if home != new:  # else the generation itself is there
            with suppress(FileExistsError):  # a link: `conflicting_numbers` found nothing else
                make_symlink(generation_link(home, number), link)
    sync_directory(directory)
    sync_directory(layout.all_generations)


def _finish(state: State, old: str, new: str, applied: Applied | None) -> None:
    """Do everything that follows the journal, whatever of it was done before; `applied` as the record of `new`."""
    layout = state.layout
    last = state.applied(old)
    if last is not None:
        state.record(applied or replace(last, name=new, built_as=""))
    _give_away(state, [layout.generation(old, each) for each in layout.generation_numbers(old)], new)
    number = layout.published_number(old)
    if number:
        publish(layout, new, number)
    leave_former_path(layout, old, new)
    redirect_paths(layout, old, new)
    state.forget(old)
    sync_filesystem(layout.root)
    layout.rename_journal(new).unlink(missing_ok=True)
    sync_directory(layout.envsync_directory)


def _give_away(state: State, generations: Sequence[Generation], new: str) -> None:
    """Mark the generations as those of `new`; one that comes back to the name that it was built under has no mark."""
    for each in generations:
        if not state.layout.has_real_path(each):
            continue
        prepared = each.directory / f"{each.renamed.name}.new"
        prepared.unlink(missing_ok=True)
        if each.home == new:
            each.renamed.unlink(missing_ok=True)
        else:
            make_symlink(new, prepared)
            prepared.replace(each.renamed)
