"""Roll back: verify an older generation by hash, then publish it by a rename, without network or build.

Only a generation that differs from its seal is built again, from its own lock.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TypeAlias

from reconciler.apply.changed_environment import ChangedEnvironment, ChangeKind
from reconciler.apply.damage import describe_damage
from reconciler.apply.hold import record_hold
from reconciler.apply.last_applied import last_applied_to
from reconciler.apply.publish import foreign_path, mark_drifted
from reconciler.apply.rebuild_generation import NotRebuildableError
from reconciler.apply.republish import republish
from reconciler.apply.restore_adopted import restore_adopted
from reconciler.apply.verify_seal import verify_generation
from reconciler.apply.widen import widen_venv
from reconciler.errors import ApplyError, StateError, UsageError
from reconciler.state.applied import Applied
from reconciler.state.hold import Hold
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import load_inventory
from reconciler.state.seal import Seal
from reconciler.state.set_aside import set_aside_because
from reconciler.state.store import State

Rebuilder: TypeAlias = Callable[[Seal, Applied], Callable[[], int]]
"""Rebuilds the generation of a seal, records the given state for it, and returns the number of the new generation."""


def roll_back(
    state: State,
    project: str,
    name: str,
    inodes: InodeHashes,
    *,
    to: int | None,
    hold: Hold | None,
    on_skip: Callable[[str], None],
    rebuild: Rebuilder | None,
) -> ChangedEnvironment:
    """Publish generation `to` of `name`; return what was done.

    The default is the newest sound generation before the published one. For a deleted environment, the default is the
    generation that was published when it was deleted. If `to` is the directory that `--adopt` replaced, it is put back
    at the environment's path (`restore_adopted`). `on_skip` is called with a sentence about each newer generation that
    is not sound: it was replaced because it had drifted, or it differs from its seal now. If no generation is sound, or
    the generation `to` is not, `rebuild` builds it again from its lock, and the new generation is published.

    `prevent_destroy` stays as it was applied last, and so does a hold, unless `hold` replaces it. With `hold`, `to` may
    be the published generation: it is then only held. The root mutex must be held.

    Raises UsageError if the generation does not exist, or StateError if its seal or the record cannot be read or
    written. Raises ApplyError if the generation differs from its seal and cannot be rebuilt, or if something else is at
    the environment's path. Also raises the error of the rebuild.
    """
    current = last_applied_to(state, project, name)
    published = state.layout.published_number(name)
    if hold is not None and to is not None and to == published:
        return _changed(state, record_hold(state, current, hold), ChangeKind.HOLD)
    deleted = state.deleted(name) is not None
    if to is not None and to in state.layout.adopted_numbers(name):
        with _holding(state, current, None if deleted else hold):
            return _changed(state, restore_adopted(state, current, to, hold), ChangeKind.RESTORE_ADOPTED)
    if to is not None:
        state.seal(name, to)  # if it is there and cannot be read, that is the error
    seals, unreadable = _seals(state, name)
    sealed = {number: seal for number, seal in seals.items() if _is_own(seal.applied, current)}
    damages: dict[int, str] = {}
    if to is None and published > 0:
        older = _older(sealed, published, current)
        unread = {each: problem for each, problem in unreadable.items() if each < published}
        number, damages = _choose(state, name, older, unread, inodes, on_skip, rebuilds=rebuild is not None)
    else:
        number = to if to is not None else current.generation
    if number not in sealed or number == published:
        others = sorted({*sealed, *state.layout.adopted_numbers(name)} - {published})
        raise _no_such_generation(name, number, published, others, origin=current.rebuilt_from)
    seal = sealed[number]
    if not published and os.path.lexists(state.layout.environment(name)):
        raise foreign_path(state.layout.environment(name))
    # The record of an environment that is not published has newer settings than its seal.
    recorded = current if not published and (number, seal.digest) == (current.generation, current.seal) else None
    rolled_back_from = recorded.rolled_back_from if recorded else published or current.generation
    restores = deleted or recorded is not None
    if (to is not None or not published) and (damage := _damage(state, name, number, inodes, recorded)):
        damages = {number: damage}
    if damages:
        bases = {each: sealed[each].applied for each in damages}
        if recorded is not None:
            bases[number] = replace(recorded, hooks_pending=seal.applied.hooks_pending)
        seal = _rebuilt(state, {each: sealed[each] for each in damages}, bases, damages, on_skip, rebuild)
        number, recorded = seal.applied.generation, None
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
        rolled_back_from=rolled_back_from,
        hold=hold or current.hold,
    )
    with _holding(state, current, hold) if published else nullcontext():
        republish(state, applied, restores=not published)
    if published and to is not None:  # a person chose it, although it failed before
        with suppress(OSError):
            generation.failed.unlink(missing_ok=True)
            generation.trial.unlink(missing_ok=True)
    return _changed(state, applied, ChangeKind.RESTORE if restores else ChangeKind.ROLLBACK)


def _changed(state: State, applied: Applied, action: ChangeKind) -> ChangedEnvironment:
    return ChangedEnvironment(
        name=applied.name,
        action=action,
        generation=state.layout.published_number(applied.name),
        replaced=applied.rolled_back_from if action is ChangeKind.ROLLBACK else 0,
        rebuilt_from=applied.rebuilt_from if action in {ChangeKind.ROLLBACK, ChangeKind.RESTORE} else 0,
        hold=applied.hold,
    )


def _older(sealed: Mapping[int, Seal], published: int, current: Applied) -> list[int]:
    """Return the generations before the published one, newest first; a rebuilt one counts as the one it was."""
    place = {number: seal.applied.rebuilt_from or number for number, seal in sealed.items()}
    before = place.get(published) or current.rebuilt_from or published
    older = [number for number in sealed if place[number] < before and number != published]
    return sorted(older, key=lambda number: (place[number], number), reverse=True)


def _rebuilt(
    state: State,
    seals: Mapping[int, Seal],
    bases: Mapping[int, Applied],
    damages: Mapping[int, str],
    on_skip: Callable[[str], None],
    rebuild: Rebuilder | None,
) -> Seal:
    """Rebuild the first generation of `damages` (how each differs from its seal) that can be; return the new seal.

    Raises ApplyError if none can be rebuilt, or the error of the build.
    """
    reasons = []
    for number, damage in damages.items():
        name = bases[number].name
        differs = f"generation {number} of `{name}` differs from its seal: {damage}"
        hint = f"choose another generation (`envsync history {name}`), or run `envsync apply {name}`"
        if rebuild is None:
            raise ApplyError(differs, hint=f"run without `--no-rebuild` to rebuild it from its lock, or {hint}")
        try:
            build = rebuild(seals[number], bases[number])
        except NotRebuildableError as error:
            reasons.append(f"{differs}; it cannot be rebuilt: {error}")
            continue
        for each in reasons:
            on_skip(each)
        on_skip(f"{differs}; it is rebuilt from its lock")
        new = build()
        generation = state.layout.generation(name, number)
        if generation.directory.is_dir():
            mark_drifted(generation)
        found = state.seal(name, new)
        if found is None:
            raise ApplyError(f"generation {new} of `{name}` was removed during the build", hint=None)
        return found
    raise ApplyError("; ".join(reasons), hint=hint)


@contextmanager
def _holding(state: State, current: Applied, hold: Hold | None) -> Iterator[None]:
    """Hold the environment before the block publishes: a killed run then leaves it held, whatever is published.

    A block that fails and publishes nothing ends the hold again.
    """
    if hold is None:
        yield
        return
    record_hold(state, current, hold)
    published = state.layout.published_number(current.name)
    try:
        yield
    except BaseException:  # KeyboardInterrupt included: no hold stays if nothing was published
        if state.layout.published_number(current.name) == published:
            with suppress(StateError):
                state.record(current)
        raise


def _no_such_generation(name: str, number: int, published: int, others: Sequence[int], *, origin: int) -> UsageError:
    """Return why generation `number` (0: any older one) cannot be published; `others` are those that could be.

    `origin` is the generation that the published one was rebuilt from (0: none).
    """
    if number == 0:
        rebuilt = f", rebuilt from {origin}" if origin else ""
        problem = f"environment `{name}` has no generation older than the published one ({published}{rebuilt})"
    elif number == published:
        problem = f"generation {number} of `{name}` is already published"
    else:
        problem = f"environment `{name}` has no generation {number}"
    listed = ", ".join(map(str, others))
    hint = f"choose another generation with `--to`: {listed}"
    return UsageError(problem, hint=hint if others else f"change the manifest and run `envsync apply {name}`")


def _damage(state: State, name: str, number: int, inodes: InodeHashes, recorded: Applied | None = None) -> str:
    """Return in one sentence how a generation differs from its seal, empty if it does not."""
    found = verify_generation(state, name, number, inodes, applied=recorded, modes=False)
    return "" if found.intact else describe_damage(found)


def _seals(state: State, name: str) -> tuple[dict[int, Seal], dict[int, str]]:
    """Return the seals of an environment's generations by number, and why those of others cannot be read."""
    seals, unreadable = {}, {}
    published = state.layout.published_number(name)
    for number in state.layout.generation_numbers(name):
        if number != published and state.layout.generation(name, number).unpublished.exists():
            continue  # it was never published, for example because it is staged
        try:
            seal = state.seal(name, number)
        except StateError as error:
            unreadable[number] = state.layout.with_short_paths(error.message)
        else:
            if seal is not None:
                seals[number] = seal
    return seals, unreadable


def _choose(
    state: State,
    name: str,
    older: Sequence[int],
    unreadable: Mapping[int, str],
    inodes: InodeHashes,
    on_skip: Callable[[str], None],
    *,
    rebuilds: bool,
) -> tuple[int, dict[int, str]]:
    """Return the first of the generations `older` (newest first) that is sound, 0 if there are none.

    If none is sound and `rebuilds` is set, return the first one that did not drift while it was published, and how each
    such generation differs from its seal. `unreadable` are those whose seal cannot be read. Raises ApplyError if there
    is none to return.
    """
    skipped: dict[int, str] = {}
    damages: dict[int, str] = {}
    for number in older:
        if why := set_aside_because(state.layout.generation(name, number)):
            skipped[number] = f"generation {number} {why}"
        elif damage := _damage(state, name, number, inodes):
            skipped[number] = f"generation {number} differs from its seal: {damage}"
            damages[number] = damage
        else:
            unread = {each: problem for each, problem in unreadable.items() if each > number}
            for each in (*skipped.values(), *unread.values()):
                on_skip(f"`{name}`: {each}, and was skipped")
            return number, {}
    if damages and rebuilds:
        for number, problem in skipped.items():
            if number not in damages:
                on_skip(f"`{name}`: {problem}, and was skipped")
        return next(iter(damages)), damages
    if not skipped and not unreadable:
        return 0, {}
    problems = "; ".join((*skipped.values(), *unreadable.values()))
    instead = f"change the manifest and run `envsync apply {name}`"
    hint = instead
    if damages:
        hint = f"run `envsync rollback {name}` without `--no-rebuild` to rebuild one from its lock, or {instead}"
    elif older:
        newest = older[0]
        hint = f"run `envsync rollback {name} --to {newest}` to rebuild it from its lock, or {instead}"
    raise ApplyError(
        f"environment `{name}` has no sound generation older than the published one: {problems}", hint=hint
    )


def _is_own(applied: Applied, current: Applied) -> bool:
    """Return whether a generation was made for the environment's present owner.

    Its name may have belonged to another project, whose generations are still kept.
    """
    return applied.project == current.project or bool(applied.manifest and applied.manifest == current.manifest)
