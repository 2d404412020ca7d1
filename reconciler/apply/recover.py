"""Puts right what a killed run left half-done: with the root's lock held, before anything else is done."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.apply.collect import generation_names, remove_generation
from reconciler.apply.publish import clear_half_made_links, finish_adoptions
from reconciler.fs.atomic_write import clear_temporaries
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS
from reconciler.state.store import State


@contextmanager
def hold_whole(state: State, *, timeout: float = DEFAULT_TIMEOUT_SECONDS, locks: Path | None = None) -> Iterator[int]:
    """Hold the root's lock, nothing half-done below it; yield the lock's descriptor.

    Raises LockTimeoutError or StateError.
    """
    with state.hold(timeout=timeout) as descriptor:
        recover(state, locks)
        yield descriptor


def recover(state: State, locks: Path | None = None) -> None:
    """Finish adoptions, and clear away what is of no use; `locks` is the directory of the lock files.

    A generation without a seal is not touched here: it may be there to be looked at, and is collected at the end.
    Raises OSError where an adoption cannot be finished; what cannot be cleared away stays, and harms nothing.
    """
    layout = state.layout
    finish_adoptions(layout)
    clear_half_made_links(layout)
    names = generation_names(layout)
    own = (layout.root, layout.own, layout.records, layout.cache, layout.agreed)
    for directory in (*own, *([locks] if locks else [])):
        clear_temporaries(directory)
    for name in names:
        _settle_generations(state, name)


def _settle_generations(state: State, name: str) -> None:
    """Take away each generation that was sealed and never published: nobody ever had it, so nobody goes back to it."""
    published = state.layout.published_number(name)
    for number in state.layout.generation_numbers(name):
        generation = state.layout.generation(name, number)
        if not state.layout.real_generation(generation):
            continue
        clear_temporaries(generation.directory)
        with suppress(OSError):
            if not generation.unpublished.exists():
                continue
            if number == published:  # killed between the rename and this
                generation.unpublished.unlink()
            elif state.seal(name, number) is not None:
                remove_generation(state.layout, generation)
