"""Garbage collection of generations: what is neither published, retained, nor in use is deleted (retention)."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from reconciler.apply.restored_backup import recognise_restored
from reconciler.errors import ApplyError
from reconciler.fs.remove_tree import ForeignTreeError, remove_tree
from reconciler.state.generation_identity import refuse_foreign
from reconciler.state.layout import Generation, Layout
from reconciler.state.store import State

DEFAULT_KEEP = 3


class CollectError(ApplyError):
    """A generation that nothing needs could not be deleted; the environments are as they should be."""

    code = "gc-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removable:
    """A generation that neither publication nor retention keeps.

    `used` says that a live process still needs it, `foreign` why what stands there is left alone: it is not, or not
    only, what envsync made.
    """

    name: str
    generation: Generation
    used: bool = False
    foreign: str = ""

    @property
    def left(self) -> str:
        """Say, for a foreign one, what is left where; else nothing."""
        return f"{self.generation.directory} is left as it is: {self.foreign}" if self.foreign else ""


def collect_garbage(state: State, *, spare: frozenset[tuple[str, int]] = frozenset()) -> list[Removable]:
    """Delete every generation that may go, and return what was looked at; the root's lock must be held.

    Kept are the published one, the newest sealed ones up to `keep_generations` (the published one counted), those in
    `spare` and those that a live process uses. Of an environment that is no longer known, nothing is kept. Raises
    CollectError.
    """
    doomed = [each for each in removable(state) if (each.name, each.generation.number) not in spare]
    judged = []
    for each in in_use(state, doomed):
        try:
            judged.append(each if each.used else _remove(state, each))
        except OSError as error:
            raise CollectError(
                f"{each.generation.directory} could not be deleted: {error.strerror or error}",
                hint="nothing needs it; `envsync gc` tries again",
            ) from error
        with suppress(OSError):  # the last of a deleted environment: its directory goes too
            if state.applied(each.name) is None:
                each.generation.directory.parent.rmdir()
    return judged


def _remove(state: State, doomed: Removable) -> Removable:
    """Delete a generation, or say why it is left; raises OSError."""
    for attempt in range(2):
        try:
            remove_generation(state.layout, doomed.generation)
        except ForeignTreeError as error:
            if attempt or not recognise_restored(state, doomed.name, doomed.generation):
                return replace(doomed, foreign=str(error.strerror))
        else:
            break
    return doomed


def remove_generation(layout: Layout, generation: Generation) -> None:
    """Delete a generation, its seal first: what a kill leaves of it never passes for whole.

    Raises OSError, ForeignTreeError where it is not what was made there.
    """
    if not layout.real_generation(generation):
        raise ForeignTreeError(errno.ELOOP, "a symbolic link stands on the way to it")
    remove_tree(
        generation.directory.parent,
        str(generation.number),
        below=layout.root,
        first=generation.seal.name,
        last=generation.identity.name,
        look=partial(refuse_foreign, generation),
    )


def generation_names(layout: Layout) -> list[str]:
    """Return the names that have a directory of generations, sorted; a symlink to one counts."""
    try:
        with os.scandir(layout.all_generations) as found:
            return sorted(each.name for each in found if each.is_dir())
    except FileNotFoundError:
        return []


def removable(state: State) -> list[Removable]:
    """Return the generations that neither publication nor retention keeps, in use or not."""
    layout = state.layout
    doomed = []
    for name in generation_names(layout):
        published = layout.published_number(name)
        applied = state.applied(name)
        keep = {published}
        if applied is not None:
            count = applied.settings.get("keep_generations")
            limit = count if isinstance(count, int) and count > 0 else DEFAULT_KEEP
            sealed = [number for number in layout.generation_numbers(name) if state.seal(name, number) is not None]
            older = [number for number in reversed(sealed) if number != published]
            keep |= set(older[: limit - 1])
        doomed += [
            Removable(name=name, generation=layout.generation(name, number))
            for number in layout.generation_numbers(name)
            if number not in keep
        ]
    return doomed


def in_use(state: State, doomed: list[Removable]) -> list[Removable]:
    """Return `doomed` with those marked that a live process uses; /proc is only read where there are any."""
    if not doomed:
        return []
    used = _used_by_processes(state.layout.all_generations)
    return [
        replace(each, used=(each.name, each.generation.number) in used or _is_locked(each.generation))
        for each in doomed
    ]


def _is_locked(generation: Generation) -> bool:
    """Say whether a `run` holds its shared lock on the generation."""
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
    """Return (name, number) of generations that a live process names in its command line, environment or maps.

    Linux only; elsewhere `run`'s lock alone protects. A process of our own that cannot be read is rare (it ended);
    other users' environments cannot be read without being root, their command lines can.
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
