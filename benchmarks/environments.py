"""Build the roots that are measured; `envsync lock` and `envsync apply` make their environments."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.package_sets import PackageSets
from benchmarks.timing import Command, Starter
from benchmarks.tools import Tools

Pins = tuple[str, ...]

_READY = "ready"  # marks a fleet that was built completely


@dataclass(frozen=True, slots=True)
class Fleet:
    """A directory with an `envs.yaml`, and the environments below `.envs` that it declares."""

    directory: Path
    names: tuple[str, ...]

    @property
    def manifest(self) -> Path:
        """Return the path of the manifest."""
        return self.directory / "envs.yaml"

    @property
    def cache(self) -> Path:
        """Return envsync's cache directory, which contains uv's cache."""
        return self.directory / ".envs/.envsync/cache"

    def python(self, name: str) -> Path:
        """Return the path of an environment's interpreter."""
        return self.directory / ".envs" / name / "bin/python"

    def pylock(self, name: str) -> Path:
        """Return the PEP 751 file of the published generation of an environment."""
        return self.directory / ".envs" / (self.directory / ".envs" / name).readlink().parent / "pylock.toml"

    def files(self) -> int:
        """Return the number of files in the first environment."""
        venv = self.directory / ".envs" / self.names[0]
        return sum(len(files) for _, _, files in os.walk(venv.resolve()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What every operation needs: tools, package sets, a directory on a real disk, and the starter of commands.

    Files of a round are created below `rounds` and stay until the end of the run. For minutes after a deletion ext4 is
    slow to create files and directories nearby, because it skips inodes that were freed recently.
    """

    work: Path
    rounds: Path
    tools: Tools
    sets: PackageSets
    starter: Starter
    index: str = ""

    def envsync(self, *arguments: str | Path, contains: str = "", code: int = 0) -> Command:
        """Return an envsync command line."""
        return Command(argv=(str(self.tools.envsync), *map(str, arguments)), contains=contains, code=code)

    def do(self, *commands: Command) -> None:
        """Run commands that are not measured."""
        for each in commands:
            self.starter.run([each])

    def members(self, kind: str, count: int, distinct: int = 1) -> dict[str, Pins]:
        """Return the pins of `count` environments: of one set, or of `distinct` variants of the medium set."""
        pins = [self.sets.sets[kind]] if distinct == 1 else [self.sets.distinct(number) for number in range(distinct)]
        return {f"e{number:04}": pins[number % distinct] for number in range(count)}

    def write_manifest(
        self,
        path: Path,
        members: Mapping[str, Pins],
        settings: Mapping[str, str] | None = None,
        *,
        locks: str = "locks",
    ) -> None:
        """Write a manifest with pinned environments; equal environments share a template."""
        shared = {pins: f"set{number}" for number, pins in enumerate(dict.fromkeys(members.values()))}
        lines = ["version: 1", "project: benchmark", f"locks: {locks}"]
        if self.index:
            lines += ["indexes:", f"  - {{name: local, url: {self.index!r}}}"]
        lines.append("templates:")
        for pins, name in shared.items():
            lines += [f"  {name}:", f"    python: {str(self.tools.base)!r}", "    keep_generations: 1000"]
            lines += [f"    {key}: {value}" for key, value in (settings or {}).items()]
            lines += ["    packages:", *(f"      - {pin}" for pin in pins)]
        lines.append("environments:")
        lines += [f"  {name}: {{extends: {shared[pins]}}}" for name, pins in members.items()]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def warm_cache(self, kind: str) -> Path:
        """Return a uv cache for offline work: it has every file of a set, its change, and (medium) its variants.

        `envsync apply` fills it once, online. No measured environment is linked from it.
        """
        members = {"base": self.sets.sets[kind], "changed": self.sets.changed(kind)}
        if kind == "medium":
            members |= self.members(kind, 20, 20)
        seed = self._built(self.work / "seeds" / kind, members, {}, offline=False)
        return seed.cache / "uv"

    def fleet(
        self, kind: str, count: int, distinct: int = 1, settings: Mapping[str, str] | None = None, use: str = ""
    ) -> Fleet:
        """Return `count` applied environments of a set. They are built on first use, one fleet for each `use`."""
        extra = "".join(f"-{key}-{value}" for key, value in (settings or {}).items())
        place = self.work / "fleets" / f"{kind}-{count}-{distinct}{extra}{use}"
        return self._built(place, self.members(kind, count, distinct), settings or {}, offline=True, cache_of=kind)

    def fresh(
        self, place: Path, kind: str, members: Mapping[str, Pins], settings: Mapping[str, str] | None = None
    ) -> Fleet:
        """Return a new root in `place`: locked, with a warm package cache, nothing applied, flushed to disk."""
        fleet = Fleet(place, tuple(members))
        self.write_manifest(fleet.manifest, members, settings)
        fleet.cache.mkdir(parents=True)
        self.do(self.envsync("trust", "-f", fleet.manifest, "--yes"))  # marks the root, and deletes its caches
        fleet.cache.mkdir(exist_ok=True)
        copy(self.warm_cache(kind), fleet.cache / "uv")
        self.do(self.envsync("lock", "-f", fleet.manifest, "--offline"))
        os.sync()
        return fleet

    def _built(
        self,
        place: Path,
        members: Mapping[str, Pins],
        settings: Mapping[str, str],
        *,
        offline: bool,
        cache_of: str = "",
    ) -> Fleet:
        fleet = Fleet(place, tuple(members))
        if (place / _READY).exists():
            return fleet
        remove(place)  # a run that was stopped may have left an incomplete fleet
        if offline:
            self.fresh(place, cache_of, members, settings)
        else:
            self.write_manifest(fleet.manifest, members, settings)
            self.do(self.envsync("lock", "-f", fleet.manifest))
        options = ["--offline"] if offline else []
        self.do(self.envsync("apply", "-f", fleet.manifest, "--yes", "-q", *options))
        keep_caches(fleet)
        (place / _READY).touch()
        return fleet


def keep_caches(fleet: Fleet) -> None:
    """Copy the contents of envsync's cache right after an apply, except uv's cache."""
    aside = fleet.directory / "cache-after-apply"
    remove(aside)
    aside.mkdir()
    for name in _caches(fleet):
        copy(fleet.cache / name, aside / name)


def drop_caches(fleet: Fleet) -> None:
    """Remove the contents of envsync's cache, except uv's cache."""
    for name in _caches(fleet):
        remove(fleet.cache / name)


def restore_caches(fleet: Fleet) -> None:
    """Restore envsync's cache to its state right after the apply, as if no plan had run since."""
    drop_caches(fleet)
    for each in (fleet.directory / "cache-after-apply").iterdir():
        copy(each, fleet.cache / each.name)


def copy(source: Path, target: Path) -> None:
    """Copy a file or a tree with its timestamps; the copy shares no inode with the source."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def remove(path: Path) -> None:
    """Remove a file or a tree, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sample(names: Sequence[str], most: int) -> tuple[Sequence[str], int]:
    """Return about `most` names, evenly spread, and how many environments each of them represents."""
    step = max(1, len(names) // most)
    return names[::step][: len(names) // step], step


def _caches(fleet: Fleet) -> list[str]:
    return [name for name in os.listdir(fleet.cache) if name != "uv"]
