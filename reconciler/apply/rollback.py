"""Roll back: verify an older generation by hash, then publish it by a rename, without network or build."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from reconciler.apply.damage import describe_damage
from reconciler.apply.publish import foreign_path, publish
from reconciler.apply.verify_seal import verify_generation
from reconciler.apply.widen import widen_venv
from reconciler.diff.integrity import Integrity
from reconciler.errors import ApplyError, StateError, UsageError
from reconciler.state.applied import Applied
from reconciler.state.applied_names import applied_names_hint, never_applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import load_inventory
from reconciler.state.set_aside import set_aside_because
from reconciler.state.store import State


def roll_back(
    state: State,
    project: str,
    name: str,
    inodes: InodeHashes,
    *,
    to: int | None = None,
    on_skip: Callable[[str], None] = lambda _sentence: None,
) -> Applied:
    """Publish generation `to` of `name`; return what is applied now.

    The default is the newest sound one before the published; for an environment that was deleted, the one that was
    published then. `on_skip` is called with a sentence about each newer one that is not sound: it was replaced because
    it had drifted, or differs from its seal now. The root mutex must be held. `prevent_destroy` stays as it was applied
    last. Raises UsageError if the generation does not exist, StateError if its seal or the record cannot be read or
    written, or ApplyError if it differs from its seal or something else is at the environment's path.
    """
    current = _last(state, project, name)
    published = state.layout.published_number(name)
    if to is not None:
        state.seal(name, to)  # if it is there and cannot be read, that is the error
    seals = {number: state.seal(name, number) for number in state.sealed_numbers(name)}
    for number in [
        each for each in seals if each != published and state.layout.generation(name, each).unpublished.exists()
    ]:
        del seals[number]  # it was never published, for example because it is staged
    sealed = {number: seal for number, seal in seals.items() if seal is not None and _is_own(seal.applied, current)}
    chooses = to is None and published > 0
    if chooses:
        older = [each for each in sorted(sealed, reverse=True) if each < published]
        number = _newest_sound(state, name, older, inodes, on_skip)
    else:
        number = to if to is not None else current.generation
    if number not in sealed or number == published:
        raise _no_such_generation(name, number, published, [each for each in sealed if each != published])
    seal = sealed[number]
    if not published and os.path.lexists(state.layout.environment(name)):
        raise foreign_path(state.layout.environment(name))
    # The record of an environment that is not published has newer settings than its seal.
    recorded = current if not published and (number, seal.digest) == (current.generation, current.seal) else None
    if not chooses:
        _refuse_unsound(verify_generation(state, name, number, inodes, applied=recorded, modes=False))
    generation = state.layout.generation(name, number)
    inventory = load_inventory(generation.inventory, digest=seal.inventory)
    widen_venv(generation.venv, inventory, state.layout.root)
    applied = replace(
        recorded or seal.applied,
        project=current.project,
        manifest=current.manifest,
        repository=current.repository,
        seal=seal.digest,
        prevent_destroy=current.prevent_destroy,
        hooks_pending=seal.applied.hooks_pending,
        rolled_back_from=recorded.rolled_back_from if recorded else published or current.generation,
    )
    if published:
        try:
            with state.recording(applied):
                publish(state.layout, name, number)
        except StateError as error:
            if state.layout.published_number(name) != number:
                raise
            what = f"generation {number} of `{name}` is published again, but {error.message}"
            raise StateError(what, hint="the rollback is done: do not repeat it") from error
        if to is not None:  # a person chose it, although it failed before
            with suppress(OSError):
                generation.failed.unlink(missing_ok=True)
                generation.trial.unlink(missing_ok=True)
    else:  # the steps of a delete, backwards: the environment is always owned, or can be restored
        state.record(applied)
        publish(state.layout, name, number)
    return applied


def _no_such_generation(name: str, number: int, published: int, others: Sequence[int]) -> UsageError:
    """Return why generation `number` (0: any older one) cannot be published; `others` are those that could be."""
    if number == 0:
        problem = f"environment `{name}` has no generation older than the published one ({published})"
    elif number == published:
        problem = f"generation {number} of `{name}` is already published"
    else:
        problem = f"environment `{name}` has no generation {number}"
    listed = ", ".join(map(str, others))
    hint = f"choose another generation with `--to`: {listed}"
    return UsageError(problem, hint=hint if others else f"change the manifest and run `envsync apply {name}`")


def _refuse_unsound(found: Integrity) -> None:
    """Raise ApplyError if a generation differs from its seal."""
    if not found.intact:
        raise ApplyError(
            f"generation {found.generation} of `{found.name}` differs from its seal: {describe_damage(found)}",
            hint=f"choose another generation (`envsync history {found.name} --generations`), "
            f"or run `envsync apply {found.name}`",
        )


def _newest_sound(
    state: State, name: str, older: Sequence[int], inodes: InodeHashes, on_skip: Callable[[str], None]
) -> int:
    """Return the first of the generations `older` (newest first) that is sound, 0 if there are none.

    Raises ApplyError if none of them is sound.
    """
    skipped: list[str] = []
    for number in older:
        problem = set_aside_because(state.layout.generation(name, number))
        if not problem:
            found = verify_generation(state, name, number, inodes, modes=False)
            if found.intact:
                for each in skipped:
                    on_skip(f"`{name}`: {each}, and was skipped")
                return number
            problem = f"differs from its seal: {describe_damage(found)}"
        skipped.append(f"generation {number} {problem}")
    if skipped:
        raise ApplyError(
            f"environment `{name}` has no sound generation older than the published one: {'; '.join(skipped)}",
            hint=f"change the manifest and run `envsync apply {name}`",
        )
    return 0


def _last(state: State, project: str, name: str) -> Applied:
    """Return what was last applied to `name`, also if it was deleted since; raises UsageError."""
    deleted = state.deleted(name)
    last = deleted.applied if deleted else state.applied(name)
    if last is None:
        owned = [each.name for each in state.last_applied().values() if each.project == project]
        raise UsageError(never_applied([name]), hint=applied_names_hint([name], owned) or "run `envsync apply`")
    if last.project != project:
        raise UsageError(
            f"project `{last.project}` owns `{name}` in the same root",
            hint="run the command with the manifest of that project",
        )
    return last


def _is_own(applied: Applied, current: Applied) -> bool:
    """Return whether a generation was made for the environment's present owner.

    Its name may have belonged to another project, whose generations are still kept.
    """
    return applied.project == current.project or bool(applied.manifest and applied.manifest == current.manifest)
