"""What outlives a run, read and written: who owns what, what was last applied, what is published.

Three kinds of small file, each with one truth: the symlink says what is published, the seal what that is, the record
whose it is and which settings are in force.
"""

import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.canonical_json import canonical_text
from reconciler.errors import StateError
from reconciler.fs.atomic_write import sync_directory, write_atomic
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json
from reconciler.state.generation_identity import mark_identity
from reconciler.state.layout import Generation, Layout
from reconciler.state.published import Published
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS, hold_root
from reconciler.state.seal import Seal, read_seal

FORMAT = 1


@dataclass(frozen=True, slots=True)
class State:
    """The state of one root; reading takes no lock and never sees half a file."""

    layout: Layout

    @classmethod
    def at(cls, root: Path) -> "State":
        """Return the state below `root` (absolute); nothing is created."""
        return cls(Layout(root))

    def hold(self, *, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> AbstractContextManager[int]:
        """Hold the root's lock while the block runs, its descriptor in hand; see `hold_root`."""
        return hold_root(self.layout, timeout=timeout)

    def last_applied(self) -> Mapping[str, Applied]:
        """Return what was last applied to every environment of this root, whoever owns it, by name."""
        found = {}
        for name in self._names():
            applied = self.applied(name)
            if applied is not None:
                found[name] = applied
        return found

    def applied(self, name: str) -> Applied | None:
        """Return what was last applied to `name`, or None if envsync does not know it.

        The symlink is the truth of what is published: where a run was killed between publish and record, the
        published generation's seal speaks.
        """
        record = self._record(name)
        number = self.layout.published_number(name)
        if record is not None and record.generation == number:
            return record
        seal = self.seal(name, number)
        if seal is None:
            return record
        return replace(seal.applied, seal=seal.digest)

    def seal(self, name: str, number: int) -> Seal | None:
        """Return a generation's seal, None where it was never finished, or a symlink stands in its place."""
        generation = self.layout.generation(name, number)
        if not number or generation.directory.is_symlink() or generation.directory.parent.is_symlink():
            return None
        seal = read_seal(generation.seal)
        if seal is None or (seal.applied.name, seal.applied.generation) != (name, number):  # a copy of another one
            return None
        return seal

    def published(self, name: str) -> Published | None:
        """Return the generation that `name`'s path points to, None where it is not our symlink to a sealed one."""
        return self.as_published(name, self.layout.published_number(name))

    def as_published(self, name: str, number: int) -> Published | None:
        """Return a generation as it is when it is published, None where it was never finished."""
        seal = self.seal(name, number)
        if seal is None:
            return None
        generation = self.layout.generation(name, number)
        return Published(
            generation=number,
            venv=generation.venv,
            inventory=generation.inventory,
            seal=seal.digest,
            home=seal.home,
            system_site_packages=seal.system_site_packages,
            inventory_digest=seal.inventory,
        )

    def record(self, applied: Applied) -> None:
        """Write an environment's record; raises StateError."""
        content = canonical_text({"format": FORMAT, "applied": applied_to_json(applied)}) + "\n"
        try:
            self.layout.records.mkdir(parents=True, exist_ok=True)
            write_atomic(self.layout.record(applied.name), content.encode("ascii"))
        except OSError as error:
            raise StateError(f"{self.layout.record(applied.name)} could not be written: {error.strerror}") from error

    def forget(self, name: str) -> None:
        """Remove an environment's record, and what was remembered of it; it is nobody's from then on.

        Raises StateError.
        """
        try:
            self.layout.record(name).unlink(missing_ok=True)
            if self.layout.records.is_dir():
                sync_directory(self.layout.records)
        except OSError as error:
            raise StateError(f"{self.layout.record(name)} could not be removed: {error.strerror}") from error
        with suppress(OSError):  # a cache: what is left of it harms nobody
            for each in (name, f"{name}.own"):
                (self.layout.agreed / each).unlink(missing_ok=True)

    def new_generation(self, name: str) -> Generation:
        """Make the next generation's directory and its empty venv, and record which they are.

        A number is never given twice while its directory stands. Raises StateError.
        """
        numbers = [*self.layout.generation_numbers(name), self.layout.published_number(name)]
        record = self._record(name)
        number = max([*numbers, record.generation if record else 0]) + 1
        generation = self.layout.generation(name, number)
        if not self.layout.real_generation(generation):
            raise StateError(
                f"{generation.directory} could not be made: a symbolic link stands on the way to it",
                hint="envsync's own directories are real ones; take the link away",
            )
        try:
            generation.venv.mkdir(parents=True)
            mark_identity(generation)
        except OSError as error:
            raise StateError(f"{generation.directory} could not be made: {error.strerror}") from error
        return generation

    def _names(self) -> list[str]:
        """Return the names that have a record, or a generation (a record may be lost), sorted."""
        names: set[str] = set()
        for directory, suffix in ((self.layout.records, ".json"), (self.layout.all_generations, "")):
            try:
                entries = os.listdir(directory)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise StateError(f"{directory}: {error.strerror}") from error
            names |= {
                each.removesuffix(suffix) for each in entries if each.endswith(suffix) and not each.startswith(".")
            }
        return sorted(names)

    def _record(self, name: str) -> Applied | None:
        path = self.layout.record(name)
        try:
            return _applied_in(json.loads(path.read_bytes()), name)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise StateError(
                f"{path} is unreadable: {getattr(error, 'strerror', None) or error}",
                hint="restore it, or move it away: the published seal then speaks",
            ) from error


def _applied_in(stored: object, name: str) -> Applied:
    """Return what a record holds; raises ValueError where it is none, or not that of `name`."""
    if not isinstance(stored, dict) or not stored.keys() >= {"format", "applied"}:
        raise ValueError("not a record of an applied environment")
    if stored["format"] != FORMAT:
        raise ValueError(f"its format is {stored['format']!r}, and this envsync knows {FORMAT}")
    applied = applied_from_json(stored["applied"])
    if applied.name != name:
        raise ValueError(f"it is the record of {applied.name!r}")
    return applied
