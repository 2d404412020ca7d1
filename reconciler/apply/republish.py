"""Publish an older generation again, or a deleted environment, so that an error says whether it was done."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.apply.publish import publish
from reconciler.errors import StateError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.state.applied import Applied
from reconciler.state.store import State


def republish(state: State, applied: Applied, *, restores: bool) -> None:
    """Record and publish `applied`, which exists; `restores` if its environment was deleted.

    Raises StateError with whether it was done, so that no person repeats a rollback, or ApplyError if something else is
    at the environment's path.
    """
    with _saying_what_was_done(state, applied.name, applied.generation, restores=restores):
        if restores:
            _restore(state, applied)
        else:
            _exchange(state, applied)


def _exchange(state: State, applied: Applied) -> None:
    """Publish an older generation in the place of the published one. Raises StateError or OSError.

    What takes space on the disk is done before the rename, so that a full disk changes nothing.
    """
    flush_error = None
    with state.recording(applied):
        try:
            publish(state.layout, applied.name, applied.generation)
        except OSError as error:
            if state.layout.published_number(applied.name) != applied.generation:
                raise
            flush_error = error  # after the rename: what is published must also be recorded
    if flush_error is not None:
        raise flush_error


def _restore(state: State, applied: Applied) -> None:
    """Publish a deleted environment again, with the steps of a delete backwards.

    So it is always owned, or can be restored. If it cannot be published, it is deleted as before. Raises StateError,
    ApplyError or OSError.
    """
    name = applied.name
    state.record(applied, end_deleted=False)
    try:
        publish(state.layout, name, applied.generation)
    except BaseException:  # KeyboardInterrupt included: what was not restored is deleted as before
        if not state.layout.published_number(name) and state.layout.deleted(name).exists():
            with suppress(StateError):  # the record then counts: a rollback or an apply publishes it
                state.forget(name)
        raise
    with suppress(OSError):  # the record counts for more, and the next run removes the file
        state.discard_deleted(name)


@contextmanager
def _saying_what_was_done(state: State, name: str, number: int, *, restores: bool) -> Iterator[None]:
    """Raise StateError for an error of the system that ends the block, with whether `number` is published."""
    try:
        yield
    except (StateError, OSError) as error:
        if isinstance(error, StateError):
            message = error.message
            hint = error.hint
        else:
            where = f"`{error.filename}`: " if error.filename else ""
            message = f"{where}{error.strerror or error}"
            hint = os_error_hint(error)
        if state.layout.published_number(name) == number:
            what = "restored" if restores else f"published again as generation {number}"
            done = f"`{name}` is {what}, but {message}"
            raise StateError(done, hint="the rollback is done: do not repeat it") from error
        raise StateError(f"`{name}` was not changed: {message}", hint=hint) from error
