"""Collect garbage: delete the generations that are neither published, nor retained, nor in use (retention)."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from reconciler.apply.restored_backup import accept_restored
from reconciler.errors import CollectError, DamagedStateError, StateError
from reconciler.fs.remove_tree import ForeignTreeError, remove_tree
from reconciler.state.generation_identity import check_identity_mark
from reconciler.state.layout import Generation, Layout
from reconciler.state.store import State

DEFAULT_KEEP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Removable:
    """A generation that is neither published nor retained.

    `used` is whether a live process runs from it. `foreign` is why it is not deleted although nothing needs it: its
    directory is not, or not only, what envsync made. It is empty otherwise.
    """

    name: str
    generation: Generation
    used: bool = False
    foreign: str = ""

    @property
    def notice(self) -> str:
        """Return the sentence that says why a foreign generation is not deleted; empty for any other."""
        return f"{self.generation.directory} was not deleted: {self.foreign}" if self.foreign else ""


def collect_garbage(state: State, *, spare: frozenset[tuple[str, int]] = frozenset()) -> list[Removable]:
    """Delete every generation that nothing keeps; return all that were considered. The root mutex must be held.

    Kept are the published generation, the newest sealed ones up to `keep_generations` (the published one included),
    those in `spare` and those that a live process uses. No generation is kept for an environment without a record.
    Raises CollectError.
    """
    candidates = [each for each in removable_generations(state) if (each.name, each.generation.number) not in spare]
    considered = []
    for each in mark_in_use(state, candidates):
        try:
            considered.append(each if each.used else _remove(state, each))
        except OSError as error:
            raise CollectError(
                f"{each.generation.directory} could not be deleted: {error.strerror or error}",
                hint="fix the cause, then run `envsync gc`; no environment needs this generation",
            ) from error
        # After the last generation of a deleted environment, delete their directory too.
        with suppress(OSError, StateError):
            if state.applied(each.name) is None:
                each.generation.directory.parent.rmdir()
    return considered


def _remove(state: State, candidate: Removable) -> Removable:
    """Delete a generation, or return it with the reason why it was not deleted; raises OSError."""
    for attempt in range(2):
        try:
            remove_generation(state.layout, candidate.generation)
        except ForeignTreeError as error:
            if attempt or not accept_restored(state, candidate.name, candidate.generation):
                return replace(candidate, foreign=str(error.strerror))
        else:
            break
    return candidate


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
        first=generation.seal.name,
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


def removable_generations(state: State) -> list[Removable]:
    """Return the generations that are neither published nor retained, whether or not they are in use.

    If it cannot be read which ones are retained, all are kept, and so is one with a seal that a newer envsync made or
    that we may not read. One with a damaged seal is retained like any other, for inspection.
    """
    layout = state.layout
    found = []
    for name in generation_names(layout):
        published = layout.published_number(name)
        try:
            applied = state.applied(name)
        except StateError:
            continue
        sealed, unreadable = _sealed(state, name)
        keep = {published} | unreadable
        if applied is not None:
            count = applied.settings.get("keep_generations")
            limit = count if isinstance(count, int) and count > 0 else DEFAULT_KEEP
            older = [number for number in reversed(sealed) if number != published]
            keep |= set(older[: limit - 1])
        found += [
            Removable(name=name, generation=layout.generation(name, number))
            for number in layout.generation_numbers(name)
            if number not in keep
        ]
    return found


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


def mark_in_use(state: State, candidates: list[Removable]) -> list[Removable]:
    """Return `candidates`, with `used` set for those that a live process uses; reads /proc only if there are any."""
    if not candidates:
        return []
    used = _used_by_processes(state.layout.all_generations)
    return [
        replace(each, used=(each.name, each.generation.number) in used or _is_locked(each.generation))
        for each in candidates
    ]


def _is_locked(generation: Generation) -> bool:
    """Return whether a command that `envsync run` started holds its shared lock on the generation."""
    try:
        descriptor = os.open(generation.in_use, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _used_by_processes(generations: Path) -> set[tuple[str, int]]:
    """Return (name, number) of the generations whose path is in a live process's command line, environment or maps.

    This works on Linux only; elsewhere only the lock of `envsync run` protects a generation. The command lines of other
    users' processes can be read, their environments only by the superuser.
    """
    needle = os.fsencode(generations) + b"/"
    used: set[tuple[str, int]] = set()
    for content in _process_texts():
        start = content.find(needle)
        while start >= 0:
            rest = content[start + len(needle) : start + len(needle) + 300].split(b"/", 2)
            if len(rest) > 1 and rest[1][:12].isdigit():
                used.add((os.fsdecode(rest[0]), int(rest[1])))
            start = content.find(needle, start + 1)
    return used


def _process_texts() -> Iterator[bytes]:
    proc = Path("/proc")
    own = str(os.getpid())
    try:
        pids = [name for name in os.listdir(proc) if name.isdigit() and name != own]
    except OSError:
        return
    for pid in pids:
        for part in ("cmdline", "environ", "maps"):
            with suppress(OSError):
                yield (proc / pid / part).read_bytes()
        with suppress(OSError):
            yield os.fsencode((proc / pid / "cwd").readlink()) + b"/"
