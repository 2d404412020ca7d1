"""The path of every file below a root (docs/design.md, "On disk"); no other module knows these names."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from reconciler.errors import StateError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.own_files import OWN_DIRECTORY
from reconciler.state.former_name import MARK, home_of, linked_home, owner_of, renamed_to
from reconciler.state.published_link import link_target, published_number
from reconciler.state.root_check import ROOT_MARK

_NUMBER = re.compile(r"[1-9][0-9]*")
JOURNAL = "renaming."  # a link with this and a new name is the journal of a rename
CURRENT = "current"  # the directory next to the generations whose `venv` points to what is published


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below `root` (absolute); creates nothing."""

    root: Path

    @property
    def envsync_directory(self) -> Path:
        """Return the directory of everything below the root except the environments' symbolic links."""
        return self.root / OWN_DIRECTORY

    @property
    def mark(self) -> Path:
        """Return the file that says who made the root, and where (`reconciler.state.root_trust`)."""
        return self.envsync_directory / ROOT_MARK

    @property
    def all_generations(self) -> Path:
        """Return the directory with one directory of generations for each environment."""
        return self.envsync_directory / "generations"

    @property
    def records(self) -> Path:
        """Return the directory of the records."""
        return self.envsync_directory / "environments"

    @property
    def cache(self) -> Path:
        """Return the directory of files that may be lost without harm."""
        return self.envsync_directory / "cache"

    @property
    def engine_cache(self) -> Path:
        """Return the engine's cache for this root, on the same file system, so that hard links always work."""
        return self.cache / "uv"

    @property
    def interpreter_facts(self) -> Path:
        """Return the file of cached interpreter facts."""
        return self.cache / "interpreters.json"

    @property
    def file_system(self) -> Path:
        """Return the file that says what the file system of the root can do."""
        return self.cache / "file-system.json"

    @property
    def inode_hashes(self) -> Path:
        """Return the file of hashes by inode."""
        return self.cache / "inodes"

    @property
    def undeletable(self) -> Path:
        """Return the file that says which generations the last collection could not delete, and why."""
        return self.cache / "undeletable.json"

    @property
    def generated_files(self) -> Path:
        """Return the file of what builds wrote into the source trees of editable projects."""
        return self.cache / "generated.json"

    @property
    def wheel_contents(self) -> Path:
        """Return the file of what each wheel contained when it was fetched."""
        return self.cache / "wheels.json"

    @property
    def agreements(self) -> Path:
        """Return the directory of the agreements (see `reconciler.fastpath`)."""
        return self.cache / "agreed"

    @property
    def history(self) -> Path:
        """Return the log of runs, one JSON object a line."""
        return self.envsync_directory / "history.jsonl"

    @property
    def masking_key(self) -> Path:
        """Return the file of the key with which values are compared that are not shown."""
        return self.envsync_directory / "masking-key"

    @property
    def mutex(self) -> Path:
        """Return the file of the root mutex."""
        return self.envsync_directory / "lock"

    @property
    def mutex_holder(self) -> Path:
        """Return the file that says which process holds the root mutex."""
        return self.envsync_directory / "lock.holder.json"

    @property
    def adopted(self) -> Path:
        """Return the directory of the environments that `--adopt` replaced."""
        return self.envsync_directory / "adopted"

    @property
    def all_deleted(self) -> Path:
        """Return the directory of the files about deleted environments that can be restored."""
        return self.envsync_directory / "deleted"

    def with_short_paths(self, text: str) -> str:
        """Return a text in which the paths below the root are relative to it, as the plan of any machine shows them."""
        return text.replace(f"{self.root}/", "")

    def environment(self, name: str) -> Path:
        """Return an environment's path: a symbolic link to the published generation."""
        return self.root / name

    def record(self, name: str) -> Path:
        """Return the file of an environment's record."""
        return self.records / f"{name}.json"

    def deleted(self, name: str) -> Path:
        """Return the file about a deleted environment: what its record was, and until when it can be restored."""
        return self.all_deleted / f"{name}.json"

    def generations(self, name: str) -> Path:
        """Return the directory of an environment's generations."""
        return self.all_generations / name

    def generation(self, name: str, number: int) -> "Generation":
        """Return the paths of one generation; after a rename they are still below the former name."""
        return Generation(self.generations(home_of(str(self.all_generations), name, number)) / str(number), number)

    def adopted_generation(self, name: str, number: int) -> "Generation":
        """Return the paths of an environment that `--adopt` replaced; see `reconciler.state.adopted`."""
        return Generation(self.adopted / name / str(number), number)

    def adopted_numbers(self, name: str) -> list[int]:
        """Return the numbers of the environments that `--adopt` replaced and that are kept, in order.

        A directory without a mark is left out: an older envsync kept it, or its adoption is not complete. Raises
        StateError.
        """
        try:
            found = [each for each in os.listdir(self.adopted / name) if _NUMBER.fullmatch(each)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StateError(f"{self.adopted / name}: {error.strerror}", hint=os_error_hint(error)) from error
        generations = [self.adopted_generation(name, int(each)) for each in found]
        return sorted(
            each.number for each in generations if each.identity.is_symlink() and not each.directory.is_symlink()
        )

    def taken_numbers(self, name: str) -> list[int]:
        """Return every number that a directory or a link has, of whatever kind, in no order; raises StateError."""
        adopted = []
        with suppress(FileNotFoundError, NotADirectoryError):
            adopted = [int(each) for each in os.listdir(self.adopted / name) if _NUMBER.fullmatch(each)]
        links = (*self.collected_numbers(name), *self.former_numbers(name))
        return [*self.generation_numbers(name), *links, self.published_number(name), *adopted]

    def generation_numbers(self, name: str) -> list[int]:
        """Return the numbers of the generations that have a directory, sealed or not, in order; raises StateError.

        Those of collected generations, whose path is our symbolic link, are left out, and so are those that belong to a
        different name since a rename. Any other symbolic link counts: it is not followed, and whatever needs the
        generation reports it.
        """
        return [number for number, entry in self._numbers(name) if entry is Entry.OWN]

    def collected_numbers(self, name: str) -> list[int]:
        """Return the numbers of the collected generations whose path is still our symbolic link, in order.

        Raises StateError.
        """
        return [number for number, entry in self._numbers(name) if entry is Entry.COLLECTED]

    def former_numbers(self, name: str) -> list[int]:
        """Return the numbers that belong to a different name since a rename, in order; raises StateError."""
        return [number for number, entry in self._numbers(name) if entry is Entry.FORMER]

    def _numbers(self, name: str) -> list[tuple[int, "Entry"]]:
        """Return each number that has an entry, in order, and what the entry is."""
        try:
            with os.scandir(self.generations(name)) as entries:
                return sorted(
                    (int(each.name), self._entry(name, each)) for each in entries if _NUMBER.fullmatch(each.name)
                )
        except FileNotFoundError:
            return []
        except OSError as error:
            what = f"{self.generations(name)}: {error.strerror}"
            raise StateError(what, hint=os_error_hint(error)) from error

    def _entry(self, name: str, entry: "os.DirEntry[str]") -> "Entry":
        generations, number = str(self.all_generations), int(entry.name)
        if not entry.is_symlink():
            return Entry.OWN if owner_of(generations, name, number) in {name, ""} else Entry.FORMER
        if is_collected_path(entry):
            return Entry.COLLECTED
        try:
            text = os.readlink(entry.path)  # noqa: PTH115  # the text itself
        except OSError:  # it was replaced meanwhile
            return Entry.OWN
        if not linked_home(text, entry.name):
            return Entry.OWN
        return Entry.FORMER if home_of(generations, name, number) == name else Entry.OWN

    def renamed_to(self, name: str) -> str:
        """Return the present name of the environment whose former path this is; see `former_name.renamed_to`."""
        return renamed_to(str(self.root), name)

    def rename_journal(self, name: str) -> Path:
        """Return the link that exists while an environment is renamed to `name`; its text is the former name."""
        return self.envsync_directory / f"{JOURNAL}{name}"

    def link_target(self, name: str, number: int) -> str:
        """Return the text of the symbolic link that publishes a generation; see `published_link.link_target`."""
        return link_target(name, number)

    def has_real_path(self, generation: "Generation") -> bool:
        """Return whether no directory between the root and a generation, nor the generation, is a symbolic link."""
        own = generation.directory
        directories = (self.envsync_directory, own.parent.parent, own.parent, own)
        return not any(os.path.islink(each) for each in directories)  # noqa: PTH114  # no error if it is unreadable

    def published_number(self, name: str) -> int:
        """Return the generation that an environment's path points to; see `published_link.published_number`."""
        return published_number(str(self.root), name)


def is_collected_path(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry is the symbolic link that a collected generation leaves (`collected_link`)."""
    try:
        text = os.readlink(entry.path) if entry.is_symlink() else ""  # noqa: PTH115  # the text itself
    except OSError:  # it was replaced meanwhile
        return False
    return text == CURRENT or bool(linked_home(text, CURRENT))


def collected_link(home: str, owner: str) -> str:
    """Return the text of the link that a collected generation of `owner` leaves in the directory of `home`."""
    return CURRENT if home == owner else f"../{owner}/{CURRENT}"


class Entry(Enum):
    """What an entry with a number in the directory of an environment's generations is."""

    OWN = "own"  # a generation of this environment, or something that envsync did not make
    COLLECTED = "collected"  # our link in the place of a collected generation
    FORMER = "former"  # a generation that belongs to a different name since a rename, or our link to it


@dataclass(frozen=True, slots=True)
class Generation:
    """The paths of one generation; the venv is built at its final path, because its scripts contain that path."""

    directory: Path
    number: int

    @property
    def venv(self) -> Path:
        """Return the virtual environment."""
        return self.directory / "venv"

    @property
    def identity(self) -> Path:
        """Return the identity mark; see `reconciler.state.generation_identity`."""
        return self.directory / "made"

    @property
    def new_identity(self) -> Path:
        """Return the new identity mark before it replaces the old one; a killed run may leave it."""
        return self.directory / "made.new"

    @property
    def seal(self) -> Path:
        """Return the file of the seal."""
        return self.directory / "seal.json"

    @property
    def unpublished(self) -> Path:
        """Return the file that exists before the generation is sealed, and until it is published."""
        return self.directory / "unpublished"

    @property
    def staged(self) -> Path:
        """Return the file that exists while the generation is staged (`reconciler.state.staged`)."""
        return self.directory / "staged.json"

    @property
    def home(self) -> str:
        """Return the name that the environment had when this generation was built."""
        return self.directory.parent.name

    @property
    def renamed(self) -> Path:
        """Return the mark of a generation that belongs to a different name since a rename."""
        return self.directory / MARK

    @property
    def drifted(self) -> Path:
        """Return the file that exists if the generation was replaced because it had drifted."""
        return self.directory / "drifted"

    @property
    def failed(self) -> Path:
        """Return the file that exists, with the reason in it, if the generation failed after it was published."""
        return self.directory / "failed"

    @property
    def trial(self) -> Path:
        """Return the file that exists while the generation is on trial (`reconciler.state.trial`)."""
        return self.directory / "trial.json"

    @property
    def inventory(self) -> Path:
        """Return the file of the inventory."""
        return self.directory / "inventory"

    @property
    def pylock(self) -> Path:
        """Return the PEP 751 file of the packages that were installed."""
        return self.directory / "pylock.toml"

    @property
    def adoption(self) -> Path:
        """Return the file about an adopted environment, `adopted.json`; a generation that was built has none."""
        return self.directory / "adopted.json"

    @property
    def in_use(self) -> Path:
        """Return the file on which `run` holds a shared lock while a process uses this generation."""
        return self.directory / "in-use"
