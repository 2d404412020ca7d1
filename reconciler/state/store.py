"""Reads and writes what outlives a run: who owns an environment, what was last applied to it, what is published.

There are three kinds of small files, and each answers one question: the symbolic link says what is published, the seal
says what that is, the record says who owns it and which settings are in force. A fourth is what remains of the record
after a delete, for as long as the environment can be restored.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.canonical_json import Json
from reconciler.errors import DamagedStateError, StateError
from reconciler.fs.access_bits import access_to
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.own_files import unlink_own
from reconciler.fs.sync import sync_directory
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json
from reconciler.state.deleted import Deleted, read_deleted, write_deleted
from reconciler.state.generation_identity import write_identity_mark
from reconciler.state.layout import JOURNAL, Generation, Layout
from reconciler.state.open_state import closed_state
from reconciler.state.published_generation import PublishedGeneration
from reconciler.state.root_mutex import acquire_root_mutex
from reconciler.state.root_trust import make_own_directory, refuse_untrusted
from reconciler.state.seal import HINT, Seal, read_seal
from reconciler.state.state_file import read_state_file, replacing_state_file
from reconciler.state.trial import read_trial

FORMAT = 2
_FORMAT_WITHOUT_HOLD = 1  # an envsync that knows no holds reads it; it refuses a record with a hold
_RECORD_HINT = "restore the file from a backup, or delete it: envsync then reads the seal instead"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableState:
    """An environment whose record, or the seal of its published generation, cannot be read.

    `error` is why. `applied` is what the other of the two files says was last applied; None if nothing does. `deleted`
    means that the environment was deleted, and the file about it is the one that cannot be read.
    """

    error: StateError
    applied: Applied | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class State:
    """The state of one root; reading needs no mutex and never sees a partly written file."""

    layout: Layout

    @classmethod
    def at(cls, root: Path) -> "State":
        """Return the state below `root` (absolute); creates nothing.

        Raises StateError if the files of the root cannot be trusted (`reconciler.state.root_trust`).
        """
        layout = Layout(root)
        refuse_untrusted(layout)
        return cls(layout)

    @property
    def exists(self) -> bool:
        """Return whether anything was ever applied in this root: to hold the mutex of a root makes its state."""
        return os.path.lexists(self.layout.envsync_directory)

    def acquire_mutex(self, *, timeout: float) -> AbstractContextManager[int]:
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
        hidden = self._names_of_unfinished_renames()
        for name in self._names():
            if name in hidden:
                continue
            try:
                applied = self.applied(name)
                with suppress(DamagedStateError):
                    self.seal(name, self.layout.published_number(name))
            except StateError as error:
                unreadable[name] = UnreadableState(error=error, applied=self._known(name), deleted=False)
            else:
                if applied is not None:
                    found[name] = applied
        for name in self.deleted_names():
            try:
                self.deleted(name)
            except StateError as error:
                unreadable.setdefault(name, UnreadableState(error=error, applied=None, deleted=True))
        return found, unreadable

    def applied(self, name: str) -> Applied | None:
        """Return what was last applied to `name`, None if envsync does not know the environment.

        The symbolic link decides what is published. If a run was killed between publish and record, the seal of the
        published generation counts. A hold belongs to the environment and stays. Raises StateError if the file that
        counts cannot be read.
        """
        record = self._record(name)
        number = self.layout.published_number(name)
        found = record
        if record is None or record.generation != number:
            seal = self._seal_in_place_of_record(name, number)
            hold = record.hold if record else None
            found = record if seal is None else replace(seal.applied, seal=seal.digest, hold=hold)
        return found if found is None or not found.generation else self._with_generation(name, found)

    def _with_generation(self, name: str, applied: Applied) -> Applied:
        """Return what was applied with what only its generation says: since when it is on trial, its former name."""
        generation = self.layout.generation(name, applied.generation)
        # Behind a symbolic link, nothing is read: what needs the generation reports the link.
        trial = read_trial(generation.trial) if self.layout.has_real_path(generation) else None
        since = f"{trial.since:%Y-%m-%d %H:%M} UTC" if trial is not None else ""
        built_as = "" if generation.home == name else generation.home
        if (applied.trial_since, applied.built_as) == (since, built_as):
            return applied
        return replace(applied, trial_since=since, built_as=built_as)

    def seal(self, name: str, number: int) -> Seal | None:
        """Return a generation's seal, None if the generation was never finished or a symbolic link is in its place.

        Raises NewerFormatError, DamagedStateError (also if it is the seal of a different generation), or StateError.
        """
        generation = self.layout.generation(name, number)
        # Not `Path.is_symlink`, which raises an error if the directory may not be searched: reading the seal says so.
        if not number or any(os.path.islink(each) for each in (generation.directory, generation.directory.parent)):  # noqa: PTH114
            return None
        seal = read_seal(generation.seal)
        own = generation.home, number
        if seal is not None and (seal.applied.name, seal.applied.generation) != own:  # copied
            what = f"it is the seal of generation {seal.applied.generation} of {in_backticks(seal.applied.name)}"
            raise DamagedStateError(f"`{generation.seal}` is damaged: {what}", hint=HINT)
        if seal is not None and generation.home != name:  # it was renamed since
            return replace(seal, applied=replace(seal.applied, name=name))
        return seal

    def _seal_in_place_of_record(self, name: str, number: int) -> Seal | None:
        """Return a generation's seal as `seal` does. The hint for a damaged one is different.

        Without a record, `envsync apply` alone does not repair it.
        """
        try:
            return self.seal(name, number)
        except DamagedStateError as error:
            link = self.layout.root / name
            hint = f"restore the file from a backup, or delete the symbolic link `{link}`, then run `envsync apply`"
            raise DamagedStateError(error.message, hint=hint) from error

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
            return self._without_seal(name, number, f"`{path}` is missing", damaged=True)
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
            access=access_to(self.layout.root),
            closed=closed_state(self.layout, name, number),
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
            unreadable=self.layout.with_short_paths(message),
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

    def record(self, applied: Applied, *, end_deleted: bool = True) -> None:
        """Write an environment's record, which ends what remains of a deleted one; raises StateError.

        Without `end_deleted` the file about a deleted one stays, and the record counts for more.
        """
        with self.recording(applied, end_deleted=end_deleted):
            pass

    @contextmanager
    def recording(self, applied: Applied, *, end_deleted: bool = True) -> Iterator[None]:
        """Write a record that takes effect when the block ends, so that a full disk is found before the block.

        Raises StateError; errors of the block pass through, and the old record then stays as it was.
        """
        path = self.layout.record(applied.name)
        form = FORMAT if applied.hold else _FORMAT_WITHOUT_HOLD
        stored: dict[str, Json] = {"format": form, "applied": applied_to_json(applied)}
        with ExitStack() as stack:
            with _writing(path):
                self.layout.root.mkdir(parents=True, exist_ok=True)
                make_own_directory(self.layout)
                self.layout.records.mkdir(exist_ok=True)
                written = stack.enter_context(ExitStack())
                written.enter_context(replacing_state_file(path, stored))
            yield
            with _writing(path):
                written.close()
        if end_deleted:
            with suppress(OSError):  # a record counts for more, and the next run removes the file
                self.layout.deleted(applied.name).unlink(missing_ok=True)

    def deleted(self, name: str) -> Deleted | None:
        """Return what remains of a deleted environment, None if nothing does or if it exists again.

        Raises NewerFormatError, DamagedStateError or StateError if the file cannot be read.
        """
        found = read_deleted(self.layout.deleted(name), name)
        return found if found is not None and self.applied(name) is None else None

    def deleted_names(self) -> list[str]:
        """Return the names that have a file about a deleted environment, sorted; raises StateError."""
        return sorted(_entries(self.layout.all_deleted, ".json"))

    def keep_deleted(self, name: str, remains: Deleted) -> None:
        """Write what remains of an environment that is about to be deleted; raises StateError.

        It counts when the record is gone. So the environment is always either owned or can be restored.
        """
        path = self.layout.deleted(name)
        with _writing(path):
            if not self.layout.all_deleted.is_dir():
                self.layout.all_deleted.mkdir(parents=True, exist_ok=True)
                sync_directory(self.layout.envsync_directory)
            write_deleted(path, remains)

    def forget(self, name: str) -> None:
        """Remove an environment's record and agreement, so that no project owns it; raises StateError.

        Its generations are not kept, unless `keep_deleted` was called before.
        """
        try:
            self.layout.record(name).unlink(missing_ok=True)
            if self.layout.records.is_dir():
                sync_directory(self.layout.records)
        except OSError as error:
            what = f"`{self.layout.record(name)}` could not be removed: {error.strerror}"
            raise StateError(what, hint=os_error_hint(error)) from error
        with suppress(OSError):  # a cache, whose files may stay
            for each in (name, f"{name}.own"):
                unlink_own(str(self.layout.agreements / each))

    def discard_deleted(self, name: str) -> None:
        """Remove the file about a deleted environment, so that its generations are not kept; raises OSError."""
        self.layout.deleted(name).unlink(missing_ok=True)
        if self.layout.all_deleted.is_dir():
            sync_directory(self.layout.all_deleted)

    def new_generation(self, name: str, *, above: int, adopting: bool) -> Generation:
        """Create the next generation's directory, its empty venv and its identity mark; raises StateError.

        A number is never used again while its directory, or the link that it left, exists. It is greater than `above`.
        `adopting` leaves the number before it free, for the directory that it will replace.
        """
        numbers = [*self.layout.taken_numbers(name), above]
        record = self._record(name)
        with suppress(StateError):  # its generations exist, so their numbers are not used again
            deleted = None if record else self.deleted(name)
            record = deleted.applied if deleted else record
        number = max([*numbers, record.generation if record else 0]) + (2 if adopting else 1)
        generation = self.layout.generation(name, number)
        if not self.layout.has_real_path(generation):
            raise StateError(
                f"`{generation.directory}` could not be created: its path contains a symbolic link",
                hint="replace the symbolic link with a real directory",
            )
        try:
            self.layout.root.mkdir(parents=True, exist_ok=True)
            make_own_directory(self.layout)
            generation.venv.mkdir(parents=True)
            write_identity_mark(generation)
        except OSError as error:
            what = f"`{generation.directory}` could not be created: {error.strerror}"
            raise StateError(what, hint=os_error_hint(error)) from error
        return generation

    def _names_of_unfinished_renames(self) -> set[str]:
        """Return the names that do not count, because a rename was interrupted; raises StateError.

        That is the new name until its path is published, and then the former one. The next run finishes the rename.
        """
        hidden = set()
        for journal in _entries(self.layout.envsync_directory, ""):
            new = journal.removeprefix(JOURNAL)
            if new != journal:
                with suppress(OSError):  # it was finished meanwhile, or is not a link
                    old = os.readlink(self.layout.rename_journal(new))  # noqa: PTH115  # a name, not a path
                    hidden.add(old if self.layout.published_number(new) else new)
        return hidden

    def _names(self) -> list[str]:
        """Return the names with a record or a generation (a record may be lost), sorted."""
        return sorted(_entries(self.layout.records, ".json") | _entries(self.layout.all_generations, ""))

    def _record(self, name: str) -> Applied | None:
        """Return the contents of the record, None if there is none; raises StateError."""
        path = self.layout.record(name)
        found = read_state_file(path, FORMAT, hint=_RECORD_HINT)
        if found is None:
            return None
        try:
            applied = applied_from_json(found.get("applied") or {})
        except ValueError as error:
            raise DamagedStateError(f"`{path}` is damaged: {error}", hint=_RECORD_HINT) from error
        if applied.name != name:
            what = f"it is the record of the environment {in_backticks(applied.name)}"
            raise DamagedStateError(f"`{path}` is damaged: {what}", hint=_RECORD_HINT)
        return applied


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Raise StateError if the file at `path` cannot be written in the block."""
    try:
        yield
    except OSError as error:
        what = f"`{path}` could not be written: {error.strerror}"
        raise StateError(what, hint=os_error_hint(error)) from error


def _entries(directory: Path, suffix: str) -> set[str]:
    """Return the names in a directory that end with `suffix`, without it; raises StateError."""
    try:
        entries = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise StateError(f"{directory}: {error.strerror}", hint=os_error_hint(error)) from error
    return {each.removesuffix(suffix) for each in entries if each.endswith(suffix) and not each.startswith(".")}
