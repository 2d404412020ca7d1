"""The model of a host: the state that every environment must have, much simpler than the real one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.observe.actual import Depth
from tests.faults.damages import CLOSED, PYTHON, Damage

_VERSIONS = {
    "alpha==1.0": ("alpha==1.0", "beta==2.0"),
    "alpha<1.1": ("alpha==1.0", "beta==2.0"),  # a different text with the same packages changes only the lock
    "alpha==1.1": ("alpha==1.1", "beta==2.0"),
    "beta": ("beta==2.0",),
    "gamma": ("gamma==0.1",),
}
REQUIREMENTS = tuple(_VERSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of an environment that do not need a build."""

    description: str = ""
    team: str = "one"
    debug: str = "no"
    ignore_files: tuple[str, ...] = ()
    keep_generations: int = 3
    prevent_destroy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the manifests that share the root: its file, its `project` and its directory of locks."""

    file: str
    project: str = "acme"
    locks: str = "locks"


MAIN = Side(file="envs.yaml")
COPY = Side(file="copy.yaml", locks="copied-locks")  # the same project in a different file
OTHER = Side(file="other.yaml", project="other", locks="other-locks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One environment's entry in the manifest."""

    packages: tuple[str, ...] = ()
    settings: Settings = Settings()
    link_mode: str = "hardlink"

    @property
    def content(self) -> tuple[str, ...]:
        """Return what `freeze` prints for an environment that is built from it."""
        return tuple(sorted({line for each in self.packages for line in _VERSIONS[each]}))

    def yaml(self, name: str) -> str:
        """Return its lines below `environments:` in the manifest."""
        own = self.settings
        return (
            f"{name}:\n  python: '{PYTHON}'\n  packages: {list(self.packages)}\n  description: '{own.description}'\n"
            f"  labels: {{team: {own.team}}}\n  env: {{DEBUG: '{own.debug}'}}\n  link_mode: {self.link_mode}\n"
            f"  ignore_files: {list(own.ignore_files)}\n  keep_generations: {own.keep_generations}\n"
            f"  prevent_destroy: {str(own.prevent_destroy).lower()}\n"
        )


class AtPath(StrEnum):
    """What is at an environment's path."""

    NOTHING = "nothing"
    LINK = "a link that envsync made"
    FILE = "a file"
    DIRECTORY = "a directory"
    VENV = "a foreign venv"
    ELSEWHERE = "a foreign link"


FOREIGN = frozenset({AtPath.FILE, AtPath.DIRECTORY, AtPath.VENV, AtPath.ELSEWHERE})


@dataclass(slots=True, kw_only=True)
class Generation:
    """One generation; `seal` counts the edits of its seal (None: no seal), `open` are its damages by slot.

    `cut` is whether it has a seal that cannot be read. `drifted` is whether it was replaced because it had drifted.
    """

    content: tuple[str, ...]
    settings: Settings
    owner: Side = MAIN
    drifted: bool = False
    cut: bool = False
    seal: int | None = 0
    venv: bool = True
    inventory: bool = True
    open: dict[str, Damage] = field(default_factory=dict)

    def drifts(self, depth: Depth, ignored: tuple[str, ...]) -> list[Damage]:
        """Return the damages that are drift at `depth`, except those in ignored files."""
        listed = self.inventory or depth is Depth.METADATA
        return [
            each
            for each in self.open.values()
            if each.seen_at(depth) and (listed or each.seen_at(Depth.METADATA)) and each.shown not in ignored
        ]

    def is_intact(self, depth: Depth, ignored: tuple[str, ...]) -> bool:
        """Return whether it is as it was sealed, as far as `depth` shows."""
        return self.venv and (self.inventory or depth is Depth.METADATA) and not self.drifts(depth, ignored)

    def is_sound(self, settings: Settings) -> bool:
        """Return whether a rollback must accept it: it is intact, except that others may not read all of it."""
        drifts = {each.name for each in self.drifts(Depth.HASHES, settings.ignore_files)}
        return self.venv and self.inventory and not drifts - {CLOSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The contents of the ownership record."""

    generation: int
    content: tuple[str, ...]
    settings: Settings
    seal: int
    protected: bool
    owner: Side = MAIN
    rolled_back_from: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the plan must show for one environment; `drift` is None if a plan does not look for it (a delete)."""

    action: str
    builds: bool = False
    blocked: frozenset[str] = frozenset()
    drift: bool | None = None
    reasons: frozenset[str] = frozenset()
    damages: tuple[Damage, ...] = ()


@dataclass(slots=True, kw_only=True)
class Environment:
    """One environment: its generations, its record, what is at its path, and the requirements of each lock.

    `left` are the numbers of generations that a killed run may have left; the next garbage collection deletes them.
    `remains` is the record of an environment that was deleted and can be restored.
    """

    name: str
    generations: dict[int, Generation] = field(default_factory=dict)
    record: Record | None = None
    remains: Record | None = None
    at_path: AtPath = AtPath.NOTHING
    number: int = 0
    locks: dict[Side, tuple[str, ...]] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)

    @property
    def sealed(self) -> list[int]:
        return sorted(number for number, each in self.generations.items() if each.seal is not None)

    @property
    def newest(self) -> int:
        """Return the highest number in use. Leftovers of a killed run are deleted, so their numbers are used again."""
        records = [each.generation for each in (self.record, self.remains) if each]
        return max([*self.generations, self.number, *records])

    @property
    def published(self) -> Generation | None:
        """Return the sealed generation that the path points to, or None."""
        found = self.generations.get(self.number)
        return found if found is not None and found.seal is not None else None

    @property
    def recorded_number(self) -> bool:
        """Return whether the record names the generation that the path points to."""
        return self.record is not None and self.record.generation == self.number > 0

    @property
    def unreadable(self) -> bool:
        """Return whether nothing says what was applied: the seal would, but cannot be read."""
        own = self.generations.get(self.number)
        return own is not None and own.cut and not self.recorded_number

    @property
    def applied(self) -> Record | None:
        """Return what was last applied: the record, or the seal if the link points to another generation."""
        if self.unreadable:
            return None
        if (self.record and self.record.generation == self.number) or self.published is None:
            return self.record
        return self.as_sealed(self.number)

    def as_sealed(self, number: int) -> Record:
        """Return what was applied according to a generation's seal."""
        own = self.generations[number]
        return Record(
            generation=number,
            content=own.content,
            settings=own.settings,
            seal=own.seal or 0,
            protected=own.settings.prevent_destroy,
            owner=own.owner,
        )

    def intact(self, depth: Depth) -> bool:
        """Return whether `verify` must find no damage in the published generation."""
        own, last = self.published, self.applied
        if own is None or last is None:
            return False
        return last.seal == own.seal and own.is_intact(depth, last.settings.ignore_files)

    def expected(
        self, declared: Declared, depth: Depth, *, side: Side = MAIN, adopt: bool = False, take_over: bool = False
    ) -> Expected:
        """Return what the plan of a manifest that declares it must show for it."""
        last = self.applied
        if self.unreadable:
            return Expected(action="", blocked=frozenset({"state-unreadable"}))
        if last is not None and last.owner.project != side.project:
            return Expected(action="", blocked=frozenset({"other-project"}))
        if self.at_path in FOREIGN:
            if adopt and self.at_path is AtPath.VENV:
                return Expected(action="adopt", builds=True, drift=last is not None)
            reasons = frozenset({"gone"} if last else {"new"})
            return Expected(action="create", blocked=frozenset({"not-ours"}), drift=last is not None, reasons=reasons)
        own = self.published
        damaged = self.generations.get(self.number)
        if own is None and damaged and damaged.venv and self.recorded_number:
            reasons = frozenset({"environment-damaged", *(["rolled-back"] if last and last.rolled_back_from else [])})
            return Expected(action="update", builds=True, drift=True, reasons=reasons)
        if own is None or not own.venv or last is None:
            reasons = frozenset({"gone"} if last else {"new"})
            return Expected(action="create", builds=True, drift=last is not None, reasons=reasons)
        ignored = declared.settings.ignore_files
        damages = own.drifts(depth, ignored)
        drift = not own.is_intact(depth, ignored) or last.seal != own.seal
        builds = drift or declared.content != last.content
        lock, taken = self.locks.get(side), take_over and last.owner != side
        if not builds and not taken and declared.settings == last.settings and lock == declared.packages:
            return Expected(action="no-op", drift=False)
        reasons_by_code = {
            "rolled-back": bool(last.rolled_back_from),
            "environment-damaged": last.seal != own.seal,
            "settings-changed": declared.settings != last.settings,
            "lock-stale": lock is not None and lock != declared.packages,
            "lock-missing": lock is None,
            "taken-over": taken,
        }
        return Expected(
            action="update",
            builds=builds,
            drift=drift,
            reasons=frozenset(code for code, holds in reasons_by_code.items() if holds),
            damages=tuple(damages),
        )

    def expected_delete(
        self, *, declared: Declared | None, empty: bool | None = None, side: Side = MAIN, take_over: bool = False
    ) -> Expected | None:
        """Return what a plan must show if it will be deleted; None if this side's project does not own it.

        `empty` is whether the manifest is empty without permission; None is for an environment destroyed by name.
        """
        last = self.applied
        if self.unreadable:
            return Expected(action="", blocked=frozenset({"state-unreadable"}))
        if last is None or last.owner.project != side.project:
            return None
        blocked = set()
        if last.owner != side and not take_over:
            blocked.add("other-manifest")
        if last.protected or (declared is not None and declared.settings.prevent_destroy):
            blocked.add("prevent-destroy")
        if self.at_path in FOREIGN:
            blocked.add("not-ours")
        if empty:
            blocked.add("empty-manifest")
        reason = "destroy-requested" if empty is None else "not-in-manifest"
        return Expected(action="delete", blocked=frozenset(blocked), reasons=frozenset({reason}))

    def expected_kept(self, depth: Depth, *, side: Side = MAIN) -> Expected | None:
        """Return what a plan must show with `--no-prune` if the manifest does not declare it; None as for a delete."""
        last = self.applied
        if self.unreadable:
            return Expected(action="", blocked=frozenset({"state-unreadable"}))
        if last is None or last.owner.project != side.project:
            return None
        if last.owner != side:
            return Expected(action="no-op")
        own = self.published
        drift = own is None or last.seal != own.seal or not own.is_intact(depth, last.settings.ignore_files)
        return Expected(action="no-op", blocked=frozenset({"undeclared-drifted"} if drift else ()), drift=drift)

    def built(self, number: int, declared: Declared, side: Side = MAIN) -> None:
        """Note that a new generation was published, recorded and locked."""
        self.generations[number] = Generation(content=declared.content, settings=declared.settings, owner=side)
        self.at_path, self.number, self.locks[side] = AtPath.LINK, number, declared.packages
        self.record, self.remains = self.as_sealed(number), None

    def recorded(self, declared: Declared, side: Side = MAIN) -> None:
        """Note that settings, lock and owner were applied without a build."""
        last, own = self.applied, declared.settings
        assert last is not None
        self.locks[side] = declared.packages
        self.record = replace(last, settings=own, protected=own.prevent_destroy, owner=side)

    @property
    def restorable(self) -> Record | None:
        """Return what remains of it if it was deleted and does not exist again."""
        return self.remains if self.applied is None and not self.unreadable else None

    def deleted(self) -> None:
        """Note that it was deleted; it can be restored if any generation of it is complete."""
        self.remains = self.applied if self.sealed else None
        self.record, self.at_path, self.number = None, AtPath.NOTHING, 0

    def rolled_back(self, number: int) -> None:
        """Note that a generation is published again, of an environment that exists or that was deleted."""
        last = self.applied or self.remains
        assert last is not None
        if not self.number and (number, self.generations[number].seal) == (last.generation, last.seal):
            self.record = last
        else:
            before = self.number or last.generation
            sealed = self.as_sealed(number)
            self.record = replace(sealed, protected=last.protected, owner=last.owner, rolled_back_from=before)
        self.at_path, self.number, self.remains = AtPath.LINK, number, None

    def collectable(self) -> set[int]:
        """Return the generations that garbage collection deletes."""
        if self.unreadable:
            return set()
        kept, last = {self.number}, self.applied or self.restorable
        if last is not None:
            sealed = [number for number, each in sorted(self.generations.items()) if each.seal is not None or each.cut]
            older = [each for each in reversed(sealed) if each not in {last.generation, self.number}]
            drifted = [each for each in older if self.generations[each].drifted]
            sound = [each for each in older if each not in drifted]
            kept |= {last.generation, *sound[: last.settings.keep_generations - 1], *drifted[:1]}
        return set(self.generations) - kept

    def collected(self, *, spared: bool = False) -> None:
        """Note that garbage was collected; after a blocked apply the newest directory is kept, sealed or not."""
        newest = max([*self.generations, *self.left], default=0) if spared else 0
        for number in self.collectable() - {newest}:
            del self.generations[number]
        self.left &= {newest}


def deletes_waiting(expected: Mapping[str, Expected]) -> dict[str, Expected]:
    """Return what a plan must show for all environments together: a prune waits until every change can be applied."""
    blocked = any(each.blocked and each.action != "delete" for each in expected.values())
    return {
        name: replace(each, blocked=frozenset({"deletes-wait"}))
        if blocked and each.action == "delete" and not each.blocked
        else each
        for name, each in expected.items()
    }
