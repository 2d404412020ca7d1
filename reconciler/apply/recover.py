"""Recover: finish or undo what an interrupted run left incomplete, before a command changes anything."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.apply.collect import adopted_names, generation_names, remove_generation
from reconciler.apply.publish import finish_adoptions, remove_leftover_links
from reconciler.apply.rename import finish_renames
from reconciler.apply.restore_adopted import finish_restores
from reconciler.errors import StateError
from reconciler.fs.atomic_write import clear_temporaries
from reconciler.processes.scratch import clear_scratch
from reconciler.state.staged import is_staged
from reconciler.state.store import State


@contextmanager
def hold_and_recover(state: State, *, timeout: float, locks: Path | None = None) -> Iterator[int]:
    """Hold the root mutex, recover, and yield the mutex's file descriptor; wait at most `timeout` seconds.

    `locks` is the directory of the lock files. Raises LockTimeoutError or StateError.
    """
    with state.acquire_mutex(timeout=timeout) as descriptor:
        recover(state, locks=locks)
        yield descriptor


def recover(state: State, *, locks: Path | None) -> None:
    """Finish adoptions and renames, and delete temporary files, links and scratch directories.

    `locks` is the directory of the lock files.
    A generation without a seal is not deleted here: it may be kept for inspection, and the next apply collects it.
    Raises OSError, ApplyError or StateError if an adoption or a rename cannot be finished. A leftover that cannot be
    deleted does no harm.
    """
    layout = state.layout
    finish_adoptions(layout)
    finish_renames(state)
    remove_leftover_links(layout)
    names = generation_names(layout)
    own = (
        layout.root,
        layout.envsync_directory,
        layout.records,
        layout.all_deleted,
        layout.cache,
        layout.agreements,
    )
    for directory in (*own, *([locks] if locks else [])):
        clear_temporaries(directory)
    clear_scratch()
    for name in adopted_names(layout):
        finish_restores(layout, name)
        with suppress(OSError):  # not empty
            (layout.adopted / name).rmdir()
    for name in names:
        _delete_never_published(state, name)
    _undo_deletes(state)


def _undo_deletes(state: State) -> None:
    """Remove what was written about the delete of an environment that still exists, or that exists again.

    The delete or the restore was interrupted: the plan shows again what is to be done about the environment. A file
    that cannot be removed does no harm, because the record counts.
    """
    for name in state.deleted_names():
        with suppress(OSError, StateError):
            if state.applied(name) is not None:
                state.discard_deleted(name)


def _delete_never_published(state: State, name: str) -> None:
    """Delete each generation that was sealed but never published, so that no rollback can choose it.

    One that is staged is kept.
    """
    published = state.layout.published_number(name)
    for number in state.layout.generation_numbers(name):
        generation = state.layout.generation(name, number)
        if not state.layout.has_real_path(generation):
            continue
        clear_temporaries(generation.directory)
        with suppress(OSError, StateError):  # if its seal cannot be read, it is kept
            if not generation.unpublished.exists():
                continue
            if number == published:  # interrupted after the rename, before its marks were removed
                generation.staged.unlink(missing_ok=True)
                generation.unpublished.unlink()
            elif state.seal(name, number) is not None and not is_staged(state, name, number):
                remove_generation(state.layout, generation)
