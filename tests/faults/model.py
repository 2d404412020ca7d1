"""What a host must come to: the state of every environment, kept beside the real one and far simpler."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.observe.actual import Depth
from tests.faults.damages import SERIES, Damage

_VERSIONS = {
    "alpha==1.0": ("alpha==1.0", "beta==2.0"),
    "alpha<1.1": ("alpha==1.0", "beta==2.0"),  # another text, the same packages: the lock alone moves
    "alpha==1.1": ("alpha==1.1", "beta==2.0"),
    "beta": ("beta==2.0",),
    "gamma": ("gamma==0.1",),
}
REQUIREMENTS = tuple(_VERSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of an environment that need no build."""

    description: str = ""
    team: str = "one"
    debug: str = "no"
    ignore_files: tuple[str, ...] = ()
    keep_generations: int = 3
    prevent_destroy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One environment's entry in the manifest."""

    packages: tuple[str, ...] = ()
    settings: Settings = Settings()
    link_mode: str = "hardlink"

    @property
    def content(self) -> tuple[str, ...]:
        """Return what `freeze` says of an environment made from it."""
        return tuple(sorted({line for each in self.packages for line in _VERSIONS[each]}))

    def yaml(self, name: str) -> str:
        """Return its lines below `environments:`."""
        own = self.settings
        return (
            f"{name}:\n  python: '{SERIES}'\n  packages: {list(self.packages)}\n  description: '{own.description}'\n"
            f"  labels: {{team: {own.team}}}\n  env: {{DEBUG: '{own.debug}'}}\n  link_mode: {self.link_mode}\n"
            f"  ignore_files: {list(own.ignore_files)}\n  keep_generations: {own.keep_generations}\n"
            f"  prevent_destroy: {str(own.prevent_destroy).lower()}\n"
        )


class Stands(StrEnum):
    """What stands at an environment's path."""

    NOTHING = "nothing"
    LINK = "our link"
    FILE = "a file"
    DIRECTORY = "a directory"
    VENV = "somebody's venv"
    ELSEWHERE = "a link to elsewhere"


FOREIGN = frozenset({Stands.FILE, Stands.DIRECTORY, Stands.VENV, Stands.ELSEWHERE})


@dataclass(slots=True, kw_only=True)
class Generation:
    """One generation; `seal` counts the edits of its seal (None: it has none), `open` are its damages by slot."""

    content: tuple[str, ...]
    settings: Settings
    seal: int | None = 0
    venv: bool = True
    inventory: bool = True
    open: dict[str, Damage] = field(default_factory=dict)

    def drifts(self, depth: Depth, ignored: tuple[str, ...]) -> list[Damage]:
        """Return the damages that are drift at `depth`, but for those in ignored files."""
        listed = self.inventory or depth is Depth.METADATA
        return [
            each
            for each in self.open.values()
            if each.seen_at(depth) and (listed or each.seen_at(Depth.METADATA)) and each.shown not in ignored
        ]

    def whole(self, depth: Depth, ignored: tuple[str, ...]) -> bool:
        """Return whether it is as it was sealed."""
        return self.venv and (self.inventory or depth is Depth.METADATA) and not self.drifts(depth, ignored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the ownership record says."""

    generation: int
    content: tuple[str, ...]
    settings: Settings
    seal: int
    protected: bool
    rolled_back_from: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the plan must say of one environment; `drift` is None where a plan does not look (a delete)."""

    action: str
    builds: bool = False
    blocked: frozenset[str] = frozenset()
    drift: bool | None = None
    reasons: frozenset[str] = frozenset()
    damages: tuple[Damage, ...] = ()


@dataclass(slots=True, kw_only=True)
class Environment:
    """One environment: its generations, its record, what stands at its path, and what its lock was made from.

    `left` are the numbers that a killed run may have left: the next garbage collection clears them away.
    """

    name: str
    generations: dict[int, Generation] = field(default_factory=dict)
    record: Record | None = None
    stands: Stands = Stands.NOTHING
    number: int = 0
    lock: tuple[str, ...] | None = None
    left: set[int] = field(default_factory=set)

    @property
    def sealed(self) -> list[int]:
        return sorted(number for number, each in self.generations.items() if each.seal is not None)

    @property
    def newest(self) -> int:
        """Return the highest number that is taken; what a killed run left is cleared, and its number given again."""
        return max([*self.generations, self.number, self.record.generation if self.record else 0])

    @property
    def published(self) -> Generation | None:
        """Return the sealed generation that the path leads to, None where there is none."""
        found = self.generations.get(self.number)
        return found if found is not None and found.seal is not None else None

    @property
    def applied(self) -> Record | None:
        """Return what was last applied: the record, or where the link says otherwise, the seal."""
        if (self.record and self.record.generation == self.number) or self.published is None:
            return self.record
        return self.as_sealed(self.number)

    def as_sealed(self, number: int) -> Record:
        """Return what a generation's seal says was applied."""
        own = self.generations[number]
        return Record(
            generation=number,
            content=own.content,
            settings=own.settings,
            seal=own.seal or 0,
            protected=own.settings.prevent_destroy,
        )

    def intact(self, depth: Depth) -> bool:
        """Return whether `verify` must call what is published clean."""
        own, last = self.published, self.applied
        if own is None or last is None:
            return False
        return last.seal == own.seal and own.whole(depth, last.settings.ignore_files)

    def expected(self, declared: Declared, depth: Depth, *, adopt: bool = False) -> Expected:
        """Return what a plan must say of it where the manifest has it."""
        last = self.applied
        if self.stands in FOREIGN:
            if adopt and self.stands is Stands.VENV:
                return Expected(action="adopt", builds=True, drift=last is not None)
            reasons = frozenset({"gone"} if last else {"new"})
            return Expected(action="create", blocked=frozenset({"not-ours"}), drift=last is not None, reasons=reasons)
        own = self.published
        if own is None or not own.venv or last is None:
            reasons = frozenset({"gone"} if last else {"new"})
            return Expected(action="create", builds=True, drift=last is not None, reasons=reasons)
        ignored = declared.settings.ignore_files
        damages = own.drifts(depth, ignored)
        drift = not own.whole(depth, ignored) or last.seal != own.seal
        builds = drift or declared.content != last.content
        if not builds and declared.settings == last.settings and self.lock == declared.packages:
            return Expected(action="no-op", drift=False)
        told = {
            "rolled-back": bool(last.rolled_back_from),
            "environment-damaged": last.seal != own.seal,
            "settings-changed": declared.settings != last.settings,
            "lock-stale": self.lock is not None and self.lock != declared.packages,
            "lock-missing": self.lock is None,
        }
        return Expected(
            action="update",
            builds=builds,
            drift=drift,
            reasons=frozenset(code for code, holds in told.items() if holds),
            damages=tuple(damages),
        )

    def unwanted(self, *, declared: Declared | None, empty: bool | None = None) -> Expected | None:
        """Return what a plan must say of it where it is to go, None where it is nobody's.

        `empty` says that the manifest is, and nobody allowed it; None that somebody asked for just this one to go.
        """
        last = self.applied
        if last is None:
            return None
        blocked = set()
        if last.protected or (declared is not None and declared.settings.prevent_destroy):
            blocked.add("prevent-destroy")
        if self.stands in FOREIGN:
            blocked.add("not-ours")
        if empty:
            blocked.add("empty-manifest")
        reason = "destroy-requested" if empty is None else "not-in-manifest"
        return Expected(action="delete", blocked=frozenset(blocked), reasons=frozenset({reason}))

    def built(self, number: int, declared: Declared) -> None:
        """Publish a new generation, recorded and locked."""
        self.generations[number] = Generation(content=declared.content, settings=declared.settings)
        self.stands, self.number, self.lock = Stands.LINK, number, declared.packages
        self.record = self.as_sealed(number)

    def recorded(self, declared: Declared) -> None:
        """Take on settings, and the lock, without a build."""
        last = self.applied
        assert last is not None
        self.lock = declared.packages
        self.record = replace(last, settings=declared.settings, protected=declared.settings.prevent_destroy)

    def deleted(self) -> None:
        self.record, self.stands, self.number = None, Stands.NOTHING, 0

    def rolled_back(self, number: int) -> None:
        last = self.applied
        assert last is not None
        before = self.number
        self.stands, self.number = Stands.LINK, number
        self.record = replace(self.as_sealed(number), protected=last.protected, rolled_back_from=before)

    def removable(self) -> set[int]:
        """Return the generations that garbage collection deletes."""
        kept, last = {self.number}, self.applied
        if last is not None:
            older = [each for each in reversed(self.sealed) if each != self.number]
            kept |= set(older[: last.settings.keep_generations - 1])
        return set(self.generations) - kept

    def collected(self, *, spared: bool = False) -> None:
        """Collect garbage; of one that was blocked, an apply spares the newest directory, sealed or not."""
        newest = max([*self.generations, *self.left], default=0) if spared else 0
        for number in self.removable() - {newest}:
            del self.generations[number]
        self.left &= {newest}
