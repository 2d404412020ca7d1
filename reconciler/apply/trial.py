"""The trial of a new generation: it begins before the publish, and ends when the generation passes or is rolled back.

See docs/design.md, "Trials".
"""

import datetime as dt
from contextlib import suppress
from dataclasses import replace

from reconciler.apply.damage import describe_damage
from reconciler.apply.publish import publish
from reconciler.apply.verify_seal import verify_generation
from reconciler.apply.widen import widen_venv
from reconciler.diff.settings import has_hooks
from reconciler.errors import EnvsyncError, StateError
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.sync import sync_directory
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import load_inventory
from reconciler.state.layout import Generation
from reconciler.state.set_aside import set_aside_because
from reconciler.state.store import State
from reconciler.state.trial import MOST_RUNS, Trial, read_trial, write_trial


def begin_trial(state: State, name: str, number: int) -> None:
    """Record, before generation `number` is published, what to return to if it fails; raises StateError or OSError.

    What is published now may be on trial itself. In that case, the generation that preceded it is recorded.
    """
    published = state.layout.published_number(name)
    previous = state.applied(name) if published else None
    unfinished = read_trial(state.layout.generation(name, published).trial) if published else None
    if unfinished is not None:
        previous = unfinished.previous
    since = dt.datetime.now(dt.UTC).replace(microsecond=0)
    trial = Trial(since=since, runs=1, previous=None if previous is None else replace(previous, trial_since=""))
    write_trial(state.layout.generation(name, number).trial, trial)


def resume_trial(state: State, name: str, number: int) -> str:
    """Count this run among those that begin to check generation `number`, durably.

    Return why it has failed without another check: too many runs began one, or it failed before; empty otherwise.
    Raises StateError or OSError.
    """
    generation = state.layout.generation(name, number)
    trial = read_trial(generation.trial)
    if trial is None:
        return ""
    if generation.failed.exists():
        return set_aside_because(generation).removeprefix("was rolled back: ")
    if trial.runs >= MOST_RUNS:
        return f"{trial.runs} runs began its trial, and none of them finished it"
    write_trial(generation.trial, replace(trial, runs=trial.runs + 1))
    return ""


def end_trial(generation: Generation) -> None:
    """End a trial as passed, durably; raises OSError."""
    if generation.trial.exists():
        generation.trial.unlink(missing_ok=True)
        sync_directory(generation.directory)


def return_to_previous(state: State, current: Applied, reason: str) -> tuple[Applied | None, str]:
    """Publish the generation that preceded the published one, `current`, which failed because of `reason`.

    Return what is applied then and an empty string, or None and why nothing was published: no earlier generation has
    passed, or it is not sound. Its record is as it was, except that its hooks are due again. Raises StateError or
    OSError.
    """
    name, layout = current.name, state.layout
    failed = layout.generation(name, current.generation)
    trial = read_trial(failed.trial)
    previous = trial.previous if trial is not None else None
    if previous is None or not previous.generation:
        return None, "no earlier generation has passed"
    number = previous.generation
    generation = layout.generation(name, number)
    problem = set_aside_because(generation) or _damage(state, previous)
    if problem:
        return None, f"the previous generation {number} {problem}"
    seal = state.seal(name, number)
    widen_venv(
        generation.venv, load_inventory(generation.inventory, digest=seal.inventory if seal else ""), layout.root
    )
    applied = replace(
        previous,
        name=name,  # the environment may have been renamed during the trial
        hooks_pending=has_hooks(previous.settings, "after_publish"),
        rolled_back_from=current.generation,
        rolled_back_because=reason,
    )
    # The mark comes first: if the run is killed after it, the next one does not check again, but returns at once.
    write_atomic(failed.failed, (reason + "\n").encode("utf-8", "backslashreplace"))
    with state.recording(applied):
        publish(layout, name, number)
    with suppress(OSError):  # a trial counts only while its generation is published
        end_trial(failed)
    return applied, ""


def _damage(state: State, previous: Applied) -> str:
    """Return how a generation differs from its seal, an empty string if it does not."""
    inodes = InodeHashes.load(state.layout.inode_hashes)
    try:
        found = verify_generation(state, previous.name, previous.generation, inodes, applied=previous, modes=False)
    except StateError as error:
        return f"cannot be read: {error.message}"
    except EnvsyncError:  # it was deleted
        return "no longer exists"
    return "" if found.intact else f"differs from its seal: {describe_damage(found)}"
