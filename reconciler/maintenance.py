"""Maintain a root without a plan: history, rollback, verify and garbage collection."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.apply.collect import Removable, collect_garbage, mark_in_use, removable_generations
from reconciler.apply.recover import hold_and_recover
from reconciler.apply.rollback import roll_back
from reconciler.apply.verify_seal import verify_published
from reconciler.canonical_json import Json
from reconciler.diff.integrity import Integrity
from reconciler.errors import StateError, UsageError
from reconciler.observe.actual import Depth
from reconciler.observe.disk_usage import DiskUsage, disk_usage
from reconciler.state.applied import Applied
from reconciler.state.applied_names import applied_names_hint, never_applied
from reconciler.state.deleted import Deleted
from reconciler.state.history import append_history, history_entry, read_history
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGeneration:
    """One sealed generation that is kept.

    `created` is the time (UTC, RFC 3339), `python` the interpreter's version, `packages` the number of packages, `plan`
    the digest of the plan that made it. `drifted` is whether it was replaced because it had drifted: a rollback skips
    it. `problem` is why its seal could not be read; all else is unknown then.
    """

    name: str
    number: int
    created: str
    python: str
    packages: int
    plan: str
    published: bool
    drifted: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """The root of one project, and what can be done there without a plan."""

    root: Path
    project: str
    ambient: Mapping[str, str]

    @property
    def state(self) -> State:
        """Return the state below the root."""
        return State.at(self.root)

    def names(self, chosen: tuple[str, ...] = (), *, deleted: bool = False) -> tuple[str, ...]:
        """Return the environments that this project owns, or those in `chosen`; raises UsageError for any other.

        One whose owner is unknown, because its state cannot be read, counts as its own. With `deleted`, also those that
        were deleted and can be restored.
        """
        applied, unreadable = self.state.read()
        known = {**applied, **{name: each.applied for name, each in unreadable.items()}}
        owned = sorted(name for name, each in known.items() if each is None or each.project == self.project)
        owned = sorted({*owned, *(self.deleted() if deleted else ())})
        unknown = sorted(set(chosen) - set(owned))
        if unknown:
            new = next(filter(None, map(self.state.layout.renamed_to, unknown)), "")
            raise UsageError(
                never_applied(unknown),
                hint=f"it was renamed to `{new}`"
                if new
                else applied_names_hint(unknown, owned) or "run `envsync apply`",
            )
        return tuple(sorted(set(chosen))) if chosen else tuple(owned)

    def deleted(self) -> dict[str, Deleted]:
        """Return by name the environments of this project that were deleted and can be restored.

        One whose file cannot be read is left out: `gc` names it.
        """
        state, now = self.state, dt.datetime.now(dt.UTC)
        found = {}
        for name in state.deleted_names():
            with suppress(StateError):
                each = state.deleted(name)
                if each is not None and each.applied.project == self.project and not each.is_expired(now):
                    found[name] = each
        return found

    def runs(self, name: str | None = None) -> list[dict[str, Json]]:
        """Return the runs that changed something, oldest first; with `name`, only runs that changed that one.

        Before it was renamed, it is found under its former name.
        """
        runs = read_history(self.state.layout)
        return runs if name is None else _runs_of(runs, name)

    def generations(self, name: str) -> list[KeptGeneration]:
        """Return the sealed generations of `name`, oldest first, without those that were never published."""
        state = self.state
        published = state.layout.published_number(name)
        kept = []
        for number in state.layout.generation_numbers(name):
            if number != published and state.layout.generation(name, number).unpublished.exists():
                continue
            try:
                seal = state.seal(name, number)
            except StateError as error:
                kept.append(
                    KeptGeneration(
                        name=name,
                        number=number,
                        created="",
                        python="",
                        packages=0,
                        plan="",
                        published=number == published,
                        problem=state.layout.with_short_paths(error.message),
                    )
                )
                continue
            if seal is not None:
                kept.append(
                    KeptGeneration(
                        name=name,
                        number=number,
                        created=seal.created,
                        python=seal.applied.interpreter.version,
                        packages=len(seal.applied.packages),
                        plan=seal.plan,
                        published=number == published,
                        drifted=state.layout.generation(name, number).drifted.exists(),
                    )
                )
        return kept

    def verify(self, names: tuple[str, ...] = (), depth: Depth = Depth.HASHES) -> list[Integrity]:
        """Compare every published environment with its seal; the manifest is not considered."""
        inodes = InodeHashes.load(self.state.layout.inode_hashes)
        found = [self._verify_one(name, inodes, depth) for name in self.names(names)]
        inodes.save()
        return [each for each in found if each is not None]

    def _verify_one(self, name: str, inodes: InodeHashes, depth: Depth) -> Integrity | None:
        """Compare the published generation of `name` with its seal; return None if it was deleted meanwhile.

        A concurrent apply may publish a new generation and collect the one that is being read. Then read the new one.
        """
        state = self.state
        while True:
            number = state.layout.published_number(name)
            found = verify_published(state, name, inodes, depth)
            if state.layout.published_number(name) == number:
                return found
            inodes.begin_pass()

    def disk_usage(self, name: str) -> DiskUsage | None:
        """Return what an environment occupies on disk, None if not all of it can be read."""
        with suppress(OSError, StateError):
            return disk_usage(self.state, name)
        return None

    def rollback(
        self,
        name: str,
        *,
        to: int | None = None,
        timeout: float = 60.0,
        on_skip: Callable[[str], None] = lambda _sentence: None,
    ) -> Applied:
        """Publish an older generation, or restore an environment that was deleted; see `roll_back`.

        Wait at most `timeout` seconds for the root mutex. `on_skip` is called with a sentence about each generation
        that is not sound and was skipped.
        """
        state = self.state
        with hold_and_recover(state, timeout=timeout):
            inodes = InodeHashes.load(state.layout.inode_hashes)
            restores = not state.layout.published_number(name)
            applied = roll_back(state, self.project, name, inodes, to=to, on_skip=on_skip)
            inodes.save()
            entry: dict[str, Json] = {
                "name": name,
                "action": "restore" if restores else "rollback",
                "status": "applied",
                "generation": applied.generation,
                "reasons": [] if restores else [f"from generation {applied.rolled_back_from}"],
            }
            append_history(state.layout, history_entry(self.ambient, [entry]))
        return applied

    def collect(self, *, dry_run: bool = False, deleted: bool = False, timeout: float = 60.0) -> list[Removable]:
        """Delete the generations that nothing keeps; with `dry_run`, only return them, without the root mutex.

        With `deleted`, also those of this project's deleted environments, which then cannot be restored.
        """
        state = self.state
        if dry_run:
            discard = frozenset(self.deleted() if deleted else ())
            return mark_in_use(state, removable_generations(state, discard=discard))
        with hold_and_recover(state, timeout=timeout):
            return collect_garbage(state, discard=frozenset(self.deleted() if deleted else ()))


def _runs_of(runs: Sequence[dict[str, Json]], name: str) -> list[dict[str, Json]]:
    """Return the runs that changed an environment, under its name at that time."""
    found = []
    for run in reversed(runs):
        listed = run.get("environments")
        entries = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        own = [each for each in entries if each.get("name") == name]
        if own:
            found.append(run)
            former = own[0].get("renamed_from")
            renamed = own[0].get("status") == "applied" and isinstance(former, str) and former
            name = str(former) if renamed else name
    return found[::-1]
