"""Reads and writes what outlives a run: who owns an environment, what was last applied to it, what is published.

There are three kinds of small files, and each answers one question: the symbolic link says what is published, the seal
says what that is, the record says who owns it and which settings are in force.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.canonical_json import canonical_text
from reconciler.errors import StateError
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.sync import sync_directory
from reconciler.manifest.hints import did_you_mean
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json
from reconciler.state.generation_identity import write_identity_mark
from reconciler.state.layout import Generation, Layout
from reconciler.state.published_generation import PublishedGeneration
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS, acquire_root_mutex
from reconciler.state.seal import Seal, read_seal

FORMAT = 1


@dataclass(frozen=True, slots=True)
class State:
    """The state of one root; reading needs no mutex and never sees a partly written file."""

    layout: Layout

    @classmethod
    def at(cls, root: Path) -> "State":
        """Return the state below `root` (absolute); creates nothing."""
        return cls(Layout(root))

    def acquire_mutex(self, *, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> AbstractContextManager[int]:
        """Hold the root mutex while the block runs; see `acquire_root_mutex`."""
        return acquire_root_mutex(self.layout, timeout=timeout)

    def last_applied(self) -> Mapping[str, Applied]:
        """Return by name what was last applied to every environment of this root, of all projects."""
        found = {}
        for name in self._names():
            applied = self.applied(name)
            if applied is not None:
                found[name] = applied
        return found

    def applied(self, name: str) -> Applied | None:
        """Return what was last applied to `name`, None if envsync does not know the environment.

        The symbolic link decides what is published. If a run was killed between publish and record, the seal of the
        published generation counts.
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
        """Return a generation's seal, None if the generation was never finished or a symbolic link is in its place."""
        generation = self.layout.generation(name, number)
        if not number or generation.directory.is_symlink() or generation.directory.parent.is_symlink():
            return None
        seal = read_seal(generation.seal)
        if seal is None or (seal.applied.name, seal.applied.generation) != (name, number):  # copied
            return None
        return seal

    def published(self, name: str) -> PublishedGeneration | None:
        """Return the generation that `name`'s path points to, None unless it is our link to a sealed generation."""
        return self.sealed_generation(name, self.layout.published_number(name))

    def sealed_generation(self, name: str, number: int) -> PublishedGeneration | None:
        """Return a generation as if it were published, None if it was never finished."""
        seal = self.seal(name, number)
        if seal is None:
            return None
        generation = self.layout.generation(name, number)
        return PublishedGeneration(
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
            what = f"`{self.layout.record(applied.name)}` could not be written: {error.strerror}"
            raise StateError(what, hint=os_error_hint(error)) from error

    def forget(self, name: str) -> None:
        """Remove an environment's record and agreement, so that no project owns it; raises StateError."""
        try:
            self.layout.record(name).unlink(missing_ok=True)
            if self.layout.records.is_dir():
                sync_directory(self.layout.records)
        except OSError as error:
            what = f"`{self.layout.record(name)}` could not be removed: {error.strerror}"
            raise StateError(what, hint=os_error_hint(error)) from error
        with suppress(OSError):  # a cache, whose files may stay
            for each in (name, f"{name}.own"):
                (self.layout.agreements / each).unlink(missing_ok=True)

    def new_generation(self, name: str) -> Generation:
        """Create the next generation's directory, its empty venv and its identity mark; raises StateError.

        A number is never used again while its directory exists.
        """
        numbers = [*self.layout.generation_numbers(name), self.layout.published_number(name)]
        record = self._record(name)
        number = max([*numbers, record.generation if record else 0]) + 1
        generation = self.layout.generation(name, number)
        if not self.layout.has_real_path(generation):
            raise StateError(
                f"`{generation.directory}` could not be created: its path contains a symbolic link",
                hint="replace the symbolic link with a real directory",
            )
        try:
            generation.venv.mkdir(parents=True)
            write_identity_mark(generation)
        except OSError as error:
            what = f"`{generation.directory}` could not be created: {error.strerror}"
            raise StateError(what, hint=os_error_hint(error)) from error
        return generation

    def _names(self) -> list[str]:
        """Return the names with a record or a generation (a record may be lost), sorted."""
        names: set[str] = set()
        for directory, suffix in ((self.layout.records, ".json"), (self.layout.all_generations, "")):
            try:
                entries = os.listdir(directory)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise StateError(f"{directory}: {error.strerror}", hint=os_error_hint(error)) from error
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
        except OSError as error:
            raise StateError(f"`{path}` could not be read: {error.strerror}", hint=os_error_hint(error)) from error
        except (ValueError, RecursionError) as error:
            raise StateError(
                f"`{path}` could not be read: {error}",
                hint="restore the file from a backup, or delete it: envsync then reads the seal instead",
            ) from error


def never_applied(names: Iterable[str]) -> str:
    """Return the message that these environments, at least one, were never applied in this root."""
    unknown = list(names)
    subject, verb = ("environment", "was") if len(unknown) == 1 else ("environments", "were")
    return f"{subject} {list_in_backticks(unknown)} {verb} never applied in this root"


def applied_names_hint(names: Iterable[str], applied: Iterable[str]) -> str | None:
    """Return a hint for environments that were never applied: the closest match, or all applied ones; None if none."""
    known = sorted(applied)
    suggestions = (did_you_mean(name, known) for name in names)
    listed = f"choose from the applied environments: {list_in_backticks(known)}" if known else None
    return next((each for each in suggestions if each), listed)


def _applied_in(stored: object, name: str) -> Applied:
    """Return the contents of a record; raises ValueError if they are not the record of `name`."""
    if not isinstance(stored, dict) or not stored.keys() >= {"format", "applied"}:
        raise ValueError("not a record of an applied environment")
    if stored["format"] != FORMAT:
        raise ValueError(
            f"its format is {in_backticks(json.dumps(stored['format']))}, "
            f"but this version of envsync reads format {FORMAT}"
        )
    applied = applied_from_json(stored["applied"])
    if applied.name != name:
        raise ValueError(f"it is the record of the environment {in_backticks(applied.name)}")
    return applied
