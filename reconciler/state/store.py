"""Reads and writes what outlives a run: who owns an environment, what was last applied to it, what is published.

There are three kinds of small files, and each answers one question: the symbolic link says what is published, the seal
says what that is, the record says who owns it and which settings are in force.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.canonical_json import canonical_text
from reconciler.errors import DamagedStateError, StateError
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.sync import sync_directory
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json
from reconciler.state.generation_identity import write_identity_mark
from reconciler.state.layout import Generation, Layout
from reconciler.state.published_generation import PublishedGeneration
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS, acquire_root_mutex
from reconciler.state.seal import HINT, Seal, read_seal
from reconciler.state.state_file import read_state_file

FORMAT = 1
_RECORD_HINT = "restore the file from a backup, or delete it: envsync then reads the seal instead"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableState:
    """An environment whose record, or the seal of its published generation, cannot be read.

    `error` is why. `applied` is what the other of the two files says was last applied; None if nothing does.
    """

    error: StateError
    applied: Applied | None


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
        """Return by name what was last applied to every environment of this root, of all projects.

        An environment whose state cannot be read is left out; see `read`.
        """
        return self.read()[0]

    def read(self) -> tuple[Mapping[str, Applied], Mapping[str, UnreadableState]]:
        """Return by name what was last applied to every environment, and the environments whose state is unreadable.

        A damaged seal is not among these if the record can be read: it is drift, which an apply repairs. Raises
        StateError only if a directory of the state cannot be listed.
        """
        found, unreadable = {}, {}
        for name in self._names():
            try:
                applied = self.applied(name)
                with suppress(DamagedStateError):
                    self.seal(name, self.layout.published_number(name))
            except StateError as error:
                unreadable[name] = UnreadableState(error=error, applied=self._known(name))
            else:
                if applied is not None:
                    found[name] = applied
        return found, unreadable

    def applied(self, name: str) -> Applied | None:
        """Return what was last applied to `name`, None if envsync does not know the environment.

        The symbolic link decides what is published. If a run was killed between publish and record, the seal of the
        published generation counts. Raises StateError if the file that counts cannot be read.
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
        """Return a generation's seal, None if the generation was never finished or a symbolic link is in its place.

        Raises NewerFormatError, DamagedStateError (also if it is the seal of a different generation), or StateError.
        """
        generation = self.layout.generation(name, number)
        if not number or generation.directory.is_symlink() or generation.directory.parent.is_symlink():
            return None
        seal = read_seal(generation.seal)
        if seal is not None and (seal.applied.name, seal.applied.generation) != (name, number):  # copied
            what = f"it is the seal of generation {seal.applied.generation} of {seal.applied.name!r}"
            raise DamagedStateError(f"{generation.seal} is damaged: {what}", hint=HINT)
        return seal

    def sealed_numbers(self, name: str) -> list[int]:
        """Return the numbers of the generations whose seal can be read, in order; raises StateError."""
        found = []
        for number in self.layout.generation_numbers(name):
            with suppress(StateError):
                if self.seal(name, number) is not None:
                    found.append(number)
        return found

    def published(self, name: str) -> PublishedGeneration | None:
        """Return the generation that `name`'s path points to, None unless it is our link to a sealed generation.

        If its seal cannot be read, or the seal of a generation that the record names is missing, `unreadable` says so.
        """
        number = self.layout.published_number(name)
        try:
            found = self.sealed_generation(name, number)
        except StateError as error:
            return self._without_seal(name, number, error.message, damaged=isinstance(error, DamagedStateError))
        if found is None and number and self._is_recorded(name, number):
            path = self.layout.generation(name, number).seal
            return self._without_seal(name, number, f"{path} is missing", damaged=True)
        return found

    def sealed_generation(self, name: str, number: int) -> PublishedGeneration | None:
        """Return a generation as if it were published, None if it was never finished; raises StateError."""
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

    def _without_seal(self, name: str, number: int, message: str, *, damaged: bool) -> PublishedGeneration:
        generation = self.layout.generation(name, number)
        return PublishedGeneration(
            generation=number,
            venv=generation.venv,
            inventory=generation.inventory,
            seal="",
            home="",
            system_site_packages=False,
            unreadable=message.removeprefix(f"{self.layout.root}/"),
            damaged=damaged,
        )

    def _is_recorded(self, name: str, number: int) -> bool:
        """Return whether the record names this generation as published, and its virtual environment exists."""
        with suppress(StateError):
            record = self._record(name)
            generation = self.layout.generation(name, number)
            named = record is not None and record.generation == number
            return named and self.layout.has_real_path(generation) and generation.venv.is_dir()
        return False

    def _known(self, name: str) -> Applied | None:
        """Return what the record or the seal of the published generation says about it, None if neither can be read."""
        number = self.layout.published_number(name)
        with suppress(StateError):
            if (record := self._record(name)) is not None:
                return record if record.generation == number else None
        with suppress(StateError):
            if (seal := self.seal(name, number)) is not None:
                return replace(seal.applied, seal=seal.digest)
        return None

    def record(self, applied: Applied) -> None:
        """Write an environment's record; raises StateError."""
        content = canonical_text({"format": FORMAT, "applied": applied_to_json(applied)}) + "\n"
        try:
            self.layout.records.mkdir(parents=True, exist_ok=True)
            write_atomic(self.layout.record(applied.name), content.encode("ascii"))
        except OSError as error:
            what = f"{self.layout.record(applied.name)} could not be written: {error.strerror}"
            raise StateError(what, hint=os_error_hint(error)) from error

    def forget(self, name: str) -> None:
        """Remove an environment's record and agreement, so that no project owns it; raises StateError."""
        try:
            self.layout.record(name).unlink(missing_ok=True)
            if self.layout.records.is_dir():
                sync_directory(self.layout.records)
        except OSError as error:
            what = f"{self.layout.record(name)} could not be removed: {error.strerror}"
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
                f"{generation.directory} could not be created: its path contains a symbolic link",
                hint="replace the symbolic link with a real directory",
            )
        try:
            generation.venv.mkdir(parents=True)
            write_identity_mark(generation)
        except OSError as error:
            what = f"{generation.directory} could not be created: {error.strerror}"
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
        """Return the contents of the record, None if there is none; raises StateError."""
        path = self.layout.record(name)
        found = read_state_file(path, FORMAT, hint=_RECORD_HINT)
        if found is None:
            return None
        try:
            applied = applied_from_json(found[1].get("applied") or {})
        except ValueError as error:
            raise DamagedStateError(f"{path} is damaged: {error}", hint=_RECORD_HINT) from error
        if applied.name != name:
            what = f"it is the record of the environment {applied.name!r}"
            raise DamagedStateError(f"{path} is damaged: {what}", hint=_RECORD_HINT)
        return applied


def never_applied(names: Iterable[str]) -> str:
    """Return the message that these environments, at least one, were never applied below this root."""
    quoted = [f"`{name}`" for name in names]
    subject, verb = ("environment", "was") if len(quoted) == 1 else ("environments", "were")
    return f"{subject} {', '.join(quoted)} {verb} never applied below this root"
