"""Collect garbage: delete the generations that are neither published, nor retained, nor in use (retention)."""

import datetime as dt
import errno
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from reconciler.apply.collected_path import begin_collection, keep_paths, remove_paths
from reconciler.apply.in_use import generations_in_use
from reconciler.apply.publish import remove_former_path
from reconciler.apply.restored_backup import is_restored
from reconciler.canonical_json import Json
from reconciler.errors import DamagedStateError, StateError
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.authentic_json import authentic_json, read_authentic_json
from reconciler.fs.own_files import unlink_own
from reconciler.fs.remove_tree import ForeignTreeError, remove_tree
from reconciler.state.adopted import read_adopted
from reconciler.state.applied import Applied
from reconciler.state.generation_identity import check_identity_mark, write_identity_mark
from reconciler.state.layout import Generation, Layout, collected_link
from reconciler.state.set_aside import set_aside_because
from reconciler.state.staged import is_staged
from reconciler.state.store import State
from reconciler.state.trial import read_trial

DEFAULT_KEEP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Removable:
    """A generation that is neither published nor retained.

    `used` is whether a live process runs from it. `foreign` is why it is not deleted although nothing needs it: its
    directory is not, or not only, what envsync made, or whether it is still kept is not known. `failure` is why it
    could not be deleted, or could not be judged; `reported` is whether an earlier run reported the same failure. Both
    texts are empty otherwise.
    """

    name: str
    generation: Generation
    used: bool = False
    foreign: str = ""
    failure: str = ""
    reported: bool = False

    @property
    def kept(self) -> bool:
        """Return whether the generation was not deleted."""
        return bool(self.used or self.foreign or self.failure)

    @property
    def notice(self) -> str:
        """Return why a generation is not deleted although nothing uses it, as a sentence; empty for any other."""
        if self.foreign:
            return f"`{self.generation.directory}` was not deleted: {self.foreign}"
        return f"`{self.generation.directory}` could not be deleted: {self.failure}" if self.failure else ""


def collect_garbage(state: State, *, spare: frozenset[tuple[str, int]], discard: frozenset[str]) -> list[Removable]:
    """Delete every generation that nothing keeps; return all that were considered. The root mutex must be held.

    These generations are kept: the published one, the newest sealed ones up to `keep_generations` (the published one
    included), a staged one, those in `spare` and those that a live process uses. The same generations of a deleted
    environment are kept until it expires, unless `discard` has its name. The path of a deleted generation stays as a
    link to what is published (`collected_path`). If a generation cannot be deleted, the reason is in `failure`, and the
    others are deleted.
    """
    removable = removable_generations(state, discard=discard)
    candidates = [each for each in removable if (each.name, each.generation.number) not in spare]
    considered = []
    undiscarded = _discard_deleted(state, discard)
    candidates = [replace(each, failure=undiscarded.get(each.name, each.failure)) for each in candidates]
    deleted: dict[str, dict[int, str]] = {}
    for each in mark_in_use(candidates):
        sealed = not each.kept and _was_completed(state, each)
        if sealed:
            begin_collection(state.layout, each.name, each.generation)
        considered.append(each if each.kept else _remove(state, each))
        if sealed and not considered[-1].kept:
            home = each.generation.home
            deleted.setdefault(home, {})[each.generation.number] = collected_link(home, each.name)
    for name in adopted_names(state.layout):
        with suppress(OSError):  # others are left
            (state.layout.adopted / name).rmdir()
    considered = mark_reported(state.layout, considered)
    remember_failures(state.layout, considered)
    names = generation_names(state.layout)
    gone = [name for name in names if _is_gone(state, name)]
    for name in names:
        with suppress(OSError, StateError):  # the next run makes the links that are missing
            keep_paths(state.layout, name, deleted.get(name, {}), gone)
    for name in [*gone, *gone]:  # a second time for links to what the first removed
        with suppress(OSError, StateError):
            remove_paths(state.layout, name)
    for name in names:
        with suppress(OSError, StateError):
            remove_former_path(state.layout, name)
    return considered


def _is_gone(state: State, name: str) -> bool:
    """Return whether nothing below the root belongs to `name`, except perhaps former paths."""
    with suppress(OSError, StateError):
        return state.applied(name) is None and not state.layout.generation_numbers(name)
    return False


def _discard_deleted(state: State, discard: frozenset[str]) -> dict[str, str]:
    """Remove the files about deleted environments that expired or that `discard` names.

    Return by name why one could not be removed: its generations then stay. The file goes first, so that an environment
    whose generations are deleted in part is never offered for a restore.
    """
    now = dt.datetime.now(dt.UTC)
    failures = {}
    for name in state.deleted_names():
        with suppress(StateError):  # its generations are returned with the reason why they are kept
            deleted = state.deleted(name)
            if deleted is not None and (name in discard or deleted.is_expired(now)):
                try:
                    state.discard_deleted(name)
                except OSError as error:
                    failures[name] = f"{state.layout.deleted(name)}: {error.strerror or error}"
    return failures


def _remove(state: State, candidate: Removable) -> Removable:
    """Delete a generation, or return it with the reason why it was not deleted."""
    try:
        try:
            remove_generation(state.layout, candidate.generation)
        except ForeignTreeError:
            if not _is_restored(state, candidate):
                raise
            write_identity_mark(candidate.generation)
            remove_generation(state.layout, candidate.generation)
    except ForeignTreeError as error:
        return replace(candidate, foreign=str(error.strerror))
    except OSError as error:
        reason = error.strerror or str(error)
        return replace(candidate, failure=f"{error.filename}: {reason}" if error.filename else reason)
    return candidate


def _is_restored(state: State, candidate: Removable) -> bool:
    """Return whether a generation was restored from a backup; its identity must then be recorded again."""
    with suppress(OSError):  # then nothing is known about it
        return is_restored(state, candidate.name, candidate.generation)
    return False


def remove_generation(layout: Layout, generation: Generation) -> None:
    """Delete a generation, its seal first, so that a generation that was deleted in part never counts as sealed.

    Raises OSError, or ForeignTreeError if the directory is not the one that envsync made.
    """
    if not layout.has_real_path(generation):
        raise ForeignTreeError(errno.ELOOP, "its path goes through a symbolic link")
    remove_tree(
        generation.directory.parent,
        str(generation.number),
        below=layout.root,
        first=(generation.adoption if generation.adoption.exists() else generation.seal).name,
        last=generation.identity.name,
        check=partial(check_identity_mark, generation),
    )


def generation_names(layout: Layout) -> list[str]:
    """Return the names that have a directory of generations, sorted; a symbolic link to a directory counts."""
    try:
        with os.scandir(layout.all_generations) as found:
            return sorted(each.name for each in found if each.is_dir())
    except FileNotFoundError:
        return []


def adopted_names(layout: Layout) -> list[str]:
    """Return the names that have a directory of adopted environments, sorted."""
    try:
        return sorted(os.listdir(layout.adopted))
    except (FileNotFoundError, NotADirectoryError):
        return []


def removable_generations(state: State, *, discard: frozenset[str]) -> list[Removable]:
    """Return the generations that are neither published nor retained, whether or not they are in use.

    Deleted environments that `discard` names count as expired. If it cannot be read which ones are retained, all are
    kept, and so is one with a seal that a newer envsync made or that we may not read. One with a damaged seal is
    retained like any other, for inspection.
    """
    layout = state.layout
    now = dt.datetime.now(dt.UTC)
    found = []
    for name in sorted({*generation_names(layout), *adopted_names(layout)}):
        published = layout.published_number(name)
        numbers = layout.generation_numbers(name)
        foreign = ""
        keep = {published, *(each for each in numbers if is_staged(state, name, each))}
        try:
            applied = state.applied(name)
        except StateError:  # the plan reports it
            continue
        try:
            deleted = state.deleted(name) if applied is None else None
        except StateError as error:  # it is not known how long they are kept
            foreign = error.message
        else:
            if deleted is not None and not (name in discard or deleted.is_expired(now)):
                applied = deleted.applied
            keep |= _retained(state, name, applied, published)
        found += [
            Removable(
                name=name,
                generation=layout.generation(name, number),
                foreign=foreign,
            )
            for number in numbers
            if number not in keep
        ]
        found += [
            Removable(name=name, generation=layout.adopted_generation(name, number), foreign=foreign)
            for number in layout.adopted_numbers(name)
            if number not in keep and not _is_kept_longer(layout.adopted_generation(name, number), now)
        ]
    return found


def _retained(state: State, name: str, applied: Applied | None, published: int) -> set[int]:
    """Return the generations that are kept besides the published one.

    These are the generation that was applied and the newest other sealed or adopted ones, together up to
    `keep_generations`, and each one whose seal may not be read or is of a newer envsync. While the environment is held,
    the generation that it was rolled back from is kept as well. Of those that were replaced because they had drifted
    or failed, which do not count, only the newest is kept, for inspection. What precedes a generation on trial is kept.
    """
    sealed, unreadable = _sealed(state, name)
    if applied is None:
        return unreadable
    count = applied.settings.get("keep_generations")
    limit = count if isinstance(count, int) and count > 0 else DEFAULT_KEEP
    completed = [each for each in sealed if not state.layout.generation(name, each).unpublished.exists()]
    numbers = sorted({*completed, *state.layout.adopted_numbers(name)}, reverse=True)
    older = [number for number in numbers if number not in {applied.generation, published}]
    marked = [number for number in older if set_aside_because(state.layout.generation(name, number))]
    sound = [number for number in older if number not in marked]
    came_from = {applied.rolled_back_from} & set(sealed) if applied.hold else set()
    live = state.layout.generation(name, published)
    trial = read_trial(live.trial) if published and state.layout.has_real_path(live) else None
    needed = {trial.previous.generation} if trial is not None and trial.previous is not None else set()
    return {applied.generation, *sound[: limit - 1], *marked[:1]} | came_from | needed | unreadable


def _is_kept_longer(generation: Generation, now: dt.datetime) -> bool:
    """Return whether an adopted environment is kept although newer generations push it out.

    The directory was the user's own, so it is kept for a time (`keep_deleted`), and if that cannot be read.
    """
    try:
        adopted = read_adopted(generation)
    except StateError:
        return True
    return adopted is not None and now < adopted.keep_until  # without the file, its deletion has begun


def _sealed(state: State, name: str) -> tuple[list[int], set[int]]:
    """Return the generations that have a seal, in order, and those whose seal cannot be read although it is there."""
    sealed: list[int] = []
    unreadable: set[int] = set()
    for number in state.layout.generation_numbers(name):
        try:
            if state.seal(name, number) is not None:
                sealed.append(number)
        except DamagedStateError:
            sealed.append(number)
        except StateError:
            unreadable.add(number)
    return sealed, unreadable


def _was_completed(state: State, candidate: Removable) -> bool:
    """Return whether a generation has a seal, also a damaged one."""
    try:
        return state.seal(candidate.name, candidate.generation.number) is not None
    except StateError:
        return True


def mark_reported(layout: Layout, found: list[Removable]) -> list[Removable]:
    """Return `found`, with `reported` set for each failure that the last collection has reported as well."""
    if not any(each.failure for each in found):
        return found
    try:
        stored = read_authentic_json(str(layout.undeletable))
    except (OSError, ValueError):
        return found
    known = stored.get("failures")
    if not isinstance(known, dict):
        return found
    return [replace(each, reported=bool(each.failure) and known.get(_key(each)) == each.failure) for each in found]


def remember_failures(layout: Layout, considered: list[Removable]) -> None:
    """Write why generations could not be deleted, for `mark_reported`; without a failure the file is removed.

    If it cannot be written, the next run reports the failures again.
    """
    failures: Json = {_key(each): each.failure for each in considered if each.failure}
    with suppress(OSError):
        if failures:
            content = authentic_json(str(layout.undeletable), {"failures": failures})
            write_atomic(layout.undeletable, content, flush=False)
        else:
            unlink_own(str(layout.undeletable))


def _key(each: Removable) -> str:
    return f"{each.name}/{each.generation.number}"


def mark_in_use(candidates: list[Removable]) -> list[Removable]:
    """Return `candidates`, with `used` set for those that a live process uses."""
    used = generations_in_use(each.generation for each in candidates)
    return [replace(each, used=each.generation in used) for each in candidates]
