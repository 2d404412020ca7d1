"""Where everything lives below a root (design, section 8); the one place that knows the directory names."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import StateError
from reconciler.state.published_link import link_target, published_number

_NUMBER = re.compile(r"[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below `root`, absolute; nothing is created by asking."""

    root: Path

    @property
    def own(self) -> Path:
        """Return the directory that is envsync's own: everything but the environments' symlinks."""
        return self.root / ".envsync"

    @property
    def all_generations(self) -> Path:
        """Return the directory that has a directory of generations for each environment."""
        return self.own / "generations"

    @property
    def records(self) -> Path:
        """Return the directory of the ownership records."""
        return self.own / "environments"

    @property
    def cache(self) -> Path:
        """Return the directory of what may be lost without harm."""
        return self.own / "cache"

    @property
    def engine_cache(self) -> Path:
        """Return the package tool's cache for this root: on its file system, so that hard links always work."""
        return self.cache / "uv"

    @property
    def interpreter_facts(self) -> Path:
        """Return the file of cached interpreter facts."""
        return self.cache / "interpreters.json"

    @property
    def inode_hashes(self) -> Path:
        """Return the file of hashes remembered by inode."""
        return self.cache / "inodes"

    @property
    def agreed(self) -> Path:
        """Return the directory of what is remembered of environments that need nothing; see `reconciler.fastpath`."""
        return self.cache / "agreed"

    @property
    def history(self) -> Path:
        """Return the log of runs, one JSON object a line."""
        return self.own / "history.jsonl"

    @property
    def lock(self) -> Path:
        """Return the OS lock's file."""
        return self.own / "lock"

    @property
    def holder(self) -> Path:
        """Return the file that says who holds the lock."""
        return self.own / "lock.holder.json"

    @property
    def adopted(self) -> Path:
        """Return where environments that `--adopt` took over are kept."""
        return self.own / "adopted"

    def environment(self, name: str) -> Path:
        """Return an environment's path: a symlink that says what is published."""
        return self.root / name

    def record(self, name: str) -> Path:
        """Return an environment's ownership record."""
        return self.records / f"{name}.json"

    def generations(self, name: str) -> Path:
        """Return the directory of an environment's generations."""
        return self.all_generations / name

    def generation(self, name: str, number: int) -> "Generation":
        """Return one generation's paths."""
        return Generation(self.generations(name) / str(number), number)

    def generation_numbers(self, name: str) -> list[int]:
        """Return the numbers of the generations that have a directory, sealed or not, ascending; raises StateError."""
        try:
            names = os.listdir(self.generations(name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StateError(f"{self.generations(name)}: {error.strerror}") from error
        return sorted(int(each) for each in names if _NUMBER.fullmatch(each))

    def link_target(self, name: str, number: int) -> str:
        """Return the text of the symlink that publishes a generation: relative, so that it says what it means."""
        return link_target(name, number)

    def real_generation(self, generation: "Generation") -> bool:
        """Say whether no symlink stands on the way to a generation's directory, below the root."""
        way = (self.own, self.all_generations, generation.directory.parent, generation.directory)
        return not any(each.is_symlink() for each in way)

    def published_number(self, name: str) -> int:
        """Return the generation that an environment's path points to, 0 if it is not our symlink."""
        return published_number(str(self.root), name)


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation's paths; the venv is built where it stays, because its scripts name that place."""

    directory: Path
    number: int

    @property
    def venv(self) -> Path:
        """Return the environment itself."""
        return self.directory / "venv"

    @property
    def identity(self) -> Path:
        """Return the mark that says which directories were made; see `reconciler.state.generation_identity`."""
        return self.directory / "made"

    @property
    def new_identity(self) -> Path:
        """Return the mark that is about to replace that one; a killed run may leave it."""
        return self.directory / "made.new"

    @property
    def seal(self) -> Path:
        """Return the file that makes the generation complete."""
        return self.directory / "seal.json"

    @property
    def unpublished(self) -> Path:
        """Return the mark of a generation that was never published: made before its seal, gone once it was."""
        return self.directory / "unpublished"

    @property
    def inventory(self) -> Path:
        """Return the list of every file as it was sealed."""
        return self.directory / "inventory"

    @property
    def pylock(self) -> Path:
        """Return the PEP 751 file of exactly what was installed."""
        return self.directory / "pylock.toml"

    @property
    def in_use(self) -> Path:
        """Return the file that `run` holds a shared lock on while a process lives in this generation."""
        return self.directory / "in-use"
