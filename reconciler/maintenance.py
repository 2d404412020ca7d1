"""What keeps a root well beside plan and apply: history, rollback, verify, garbage collection."""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.apply.collect import Removable, collect_garbage, in_use, removable
from reconciler.apply.recover import hold_whole
from reconciler.apply.rollback import roll_back, verify_generation
from reconciler.canonical_json import Json
from reconciler.diff.integrity import Integrity
from reconciler.errors import UsageError
from reconciler.observe.actual import Depth
from reconciler.state.applied import Applied
from reconciler.state.history import append_history, read_history
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGeneration:
    """One sealed generation: when it was made (RFC 3339), with what, and whether it is the published one."""

    name: str
    number: int
    created: str
    python: str
    packages: int
    plan: str
    published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """The root of one project, for everything that needs no plan."""

    root: Path
    project: str
    ambient: Mapping[str, str]

    @property
    def state(self) -> State:
        """Return the root's state."""
        return State.at(self.root)

    def names(self, chosen: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the environments that this project owns, or of those the chosen; raises UsageError for others."""
        owned = sorted(name for name, each in self.state.last_applied().items() if each.project == self.project)
        unknown = sorted(set(chosen) - set(owned))
        if unknown:
            raise UsageError(
                f"never applied here: {', '.join(unknown)}", hint=f"applied are: {', '.join(owned) or 'none'}"
            )
        return tuple(sorted(set(chosen))) if chosen else tuple(owned)

    def runs(self, name: str | None = None) -> list[dict[str, Json]]:
        """Return the runs that changed something, oldest first; with `name` only those that touched it."""
        return [run for run in read_history(self.state.layout) if name is None or _touched(run, name)]

    def generations(self, name: str) -> list[KeptGeneration]:
        """Return the sealed generations that are kept of `name`, oldest first."""
        state = self.state
        published = state.layout.published_number(name)
        kept = []
        for number in state.layout.generation_numbers(name):
            seal = state.seal(name, number)
            never = number != published and state.layout.generation(name, number).unpublished.exists()
            if seal is not None and not never:
                kept.append(
                    KeptGeneration(
                        name=name,
                        number=number,
                        created=seal.created,
                        python=seal.applied.interpreter.version,
                        packages=len(seal.applied.packages),
                        plan=seal.plan,
                        published=number == published,
                    )
                )
        return kept

    def verify(self, names: tuple[str, ...] = (), depth: Depth = Depth.HASHES) -> list[Integrity]:
        """Hold every published environment against its seal; whatever the manifest says."""
        inodes = InodeHashes.load(self.state.layout.inode_hashes)
        found = [self._verified(name, inodes, depth) for name in self.names(names)]
        inodes.save()
        return [each for each in found if each is not None]

    def _verified(self, name: str, inodes: InodeHashes, depth: Depth) -> Integrity | None:
        """Hold what is published of `name` against its seal, None where it was deleted meanwhile.

        Where an apply beside us publishes, what we were reading may be collected: what is live by then is read.
        """
        state = self.state
        while True:
            number = state.layout.published_number(name)
            last = state.applied(name)
            found = None
            if last is not None:
                found = Integrity(name=name, generation=last.generation, there=False, packages=(), findings=())
            with suppress(UsageError):  # its seal is gone: never finished, or collected just now
                found = verify_generation(state, name, number, inodes, depth, applied=last)
            if state.layout.published_number(name) == number:
                return found
            inodes.begin_pass()

    def rollback(self, name: str, *, to: int | None = None, timeout: float = 60.0) -> Applied:
        """Publish an older generation; see `roll_back`. Takes the root's lock."""
        state = self.state
        with hold_whole(state, timeout=timeout):
            inodes = InodeHashes.load(state.layout.inode_hashes)
            applied = roll_back(state, self.project, name, inodes, to=to)
            inodes.save()
            entry: dict[str, Json] = {
                "name": name,
                "action": "rollback",
                "status": "applied",
                "generation": applied.generation,
                "reasons": [f"from generation {applied.rolled_back_from}"],
            }
            append_history(state.layout, self._run([entry]))
        return applied

    def collect(self, *, dry_run: bool = False, timeout: float = 60.0) -> list[Removable]:
        """Delete the generations that nothing keeps; with `dry_run` only say which, and take no lock."""
        state = self.state
        if dry_run:
            return in_use(state, removable(state))
        with hold_whole(state, timeout=timeout):
            return collect_garbage(state)

    def _run(self, environments: list[Json]) -> dict[str, Json]:
        return {
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "by": self.ambient.get("USER", ""),
            "plan": "",
            "exit_code": 0,
            "environments": environments,
        }


def _touched(run: Mapping[str, Json], name: str) -> bool:
    environments = run.get("environments")
    if not isinstance(environments, list):
        return False
    return any(isinstance(each, dict) and each.get("name") == name for each in environments)
