"""Maintain a root without a plan: history, rollback, verify and garbage collection."""

import datetime as dt
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.apply.changed_environment import ChangedEnvironment, ChangeKind
from reconciler.apply.collect import Removable, collect_garbage, mark_in_use, removable_generations
from reconciler.apply.hold import hold_environment, release_environment
from reconciler.apply.last_applied import last_applied_to
from reconciler.apply.rebuild_generation import NotRebuildableError, RebuildTools, prepare_rebuild
from reconciler.apply.recover import hold_and_recover
from reconciler.apply.rollback import roll_back
from reconciler.apply.trust import authenticate_root
from reconciler.apply.verify_generations import VerifiedGeneration, verify_generations
from reconciler.apply.verify_seal import verify_published
from reconciler.canonical_json import Json
from reconciler.diff.integrity import Integrity
from reconciler.errors import StateError, UsageError
from reconciler.fs.accounts import sudo_user
from reconciler.generation_list import KeptGeneration, generation_history, kept_generations, sealed_generations
from reconciler.observe.actual import Depth
from reconciler.observe.disk_usage import DiskUsage, disk_usage
from reconciler.state.applied import Applied
from reconciler.state.applied_names import applied_names_hint, never_applied
from reconciler.state.deleted import Deleted
from reconciler.state.history import append_history, history_entry, read_history, runs_of
from reconciler.state.hold import Hold, new_hold
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.layout import Layout
from reconciler.state.root_trust import (
    refuse_untrusted,
    remember_trust,
    trust_present,
    unauthenticated,
)
from reconciler.state.seal import Seal
from reconciler.state.store import State

if TYPE_CHECKING:  # only `diff` needs it
    from reconciler.diff.generations import GenerationDiff


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoot:
    """A root that can be trusted: whose it is, whether that is this user, and its published environments as verified.

    `trust` has the numbers of the owner, and of the group if it is trusted too.
    """

    root: Path
    owner: str
    is_own: bool
    trust: Mapping[str, int] = field(repr=False)
    verified: tuple[Integrity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """The root of one project, and what can be done there without a plan.

    Without `rebuilding`, a rollback cannot rebuild a generation that differs from its seal.
    """

    root: Path
    project: str
    ambient: Mapping[str, str]
    rebuilding: RebuildTools | None = field(default=None, repr=False)

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
        """Return the runs that changed something, oldest first; with `name`, only what they changed of that one.

        Before it was renamed, it is found under its former name.
        """
        runs = read_history(self.state.layout)
        return runs if name is None else runs_of(runs, name)

    def generations(self, name: str) -> list[KeptGeneration]:
        """Return the sealed and the adopted generations of `name`, oldest first.

        Those that were never published are left out.
        """
        return kept_generations(self.state, name)

    def generation_history(self, names: tuple[str, ...]) -> list[KeptGeneration]:
        """Return the generations of `names`, oldest first, with who made them and whether they match their seals.

        Files are compared at depth `files`.
        """
        return generation_history(self.state, names)

    def verify_generations(self, names: tuple[str, ...] = (), depth: Depth = Depth.HASHES) -> list[VerifiedGeneration]:
        """Compare every kept generation with its seal, published or not, also those of deleted environments."""
        inodes = InodeHashes.load(self.state.layout.inode_hashes)
        chosen = self.names(names, deleted=True)
        kept = [(each.name, each.number) for name in chosen for each in sealed_generations(self.state, name)]
        verified = verify_generations(self.state, kept, inodes, depth)
        inodes.save()
        return verified

    def verify(self, names: tuple[str, ...] = (), depth: Depth = Depth.HASHES) -> list[Integrity]:
        """Compare every published environment with its seal; the manifest is not considered.

        Except at depth `metadata`, the older generations are compared too, at depth `files`: see `Integrity.unusable`.
        """
        inodes = InodeHashes.load(self.state.layout.inode_hashes)
        compared = [self._verify_one(name, inodes, depth) for name in self.names(names)]
        found = [each for each in compared if each is not None]
        if depth is not Depth.METADATA:
            found = [replace(each, unusable=self._unusable(each, inodes)) for each in found]
        inodes.save()
        return found

    def _unusable(self, published: Integrity, inodes: InodeHashes) -> tuple[int, ...]:
        """Return the generations of an environment that a rollback could not publish as they are."""
        name = published.name
        numbers = [each.number for each in sealed_generations(self.state, name) if not (each.published or each.drifted)]
        verified = verify_generations(self.state, [(name, number) for number in numbers], inodes, Depth.FILES)
        return tuple(each.integrity.generation for each in verified if not each.integrity.intact)

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

    def examine_for_trust(self, *, group: bool = False) -> TrustedRoot:
        """Return what `trust` would trust, with every published environment compared with its seal by hash.

        `group` accepts that the group of the root may write to it. Raises StateError if the root cannot be trusted in
        any case: git tracks its files, or others may write to it; UsageError if the root does not exist.
        """
        layout = Layout(self.root)
        if not layout.envsync_directory.is_dir():
            raise UsageError(f"`{self.root}` is not a root of envsync", hint="run `envsync apply`, which makes it")
        trust = trust_present(layout, group=group)
        with unauthenticated():
            refuse_untrusted(layout, trusted=trust)
            inodes = InodeHashes()
            last, unreadable = self.state.read()
            compared = [self._verify_one(name, inodes, Depth.HASHES) for name in sorted({*last, *unreadable})]
        is_own = trust["owner"] == os.geteuid()
        verified = tuple(each for each in compared if each is not None)
        return TrustedRoot(
            root=self.root, owner=sudo_user(trust["owner"]), is_own=is_own, trust=trust, verified=verified
        )

    def trust(self, examined: TrustedRoot, *, timeout: float = 60.0) -> None:
        """Trust a root that `examine_for_trust` examined; wait at most `timeout` seconds for the root mutex.

        One of this user is authenticated with its key. That of a different user is remembered for this user, who can
        then read it and run programs from it. Raises StateError, LockTimeoutError or OSError.
        """
        layout = Layout(self.root)
        if not examined.is_own or "group" in examined.trust:
            remember_trust(layout, examined.trust)
        if examined.is_own:
            authenticate_root(layout, timeout=timeout)

    def disk_usage(self, name: str) -> DiskUsage | None:
        """Return what an environment occupies on disk, None if not all of it can be read."""
        with suppress(OSError, StateError):
            return disk_usage(self.state, name)
        return None

    def diff(self, name: str, before: int, after: int | None = None) -> "GenerationDiff":
        """Return how generation `after` of `name` (None: the published one) differs from generation `before`.

        Nothing is executed. Raises UsageError if one of them is not kept, or StateError if its seal or its inventory
        cannot be read.
        """
        from reconciler.diff.generations import diff_generations
        from reconciler.diff.masking import Mask
        from reconciler.observe.generation_contents import read_contents
        from reconciler.state.masking_key import read_masking_key

        state = self.state
        last = last_applied_to(state, self.project, name)
        numbers = (before, after if after is not None else state.layout.published_number(name) or last.generation)
        seals = [state.seal(name, number) for number in numbers]
        for number, seal in zip(numbers, seals, strict=True):
            if seal is None:
                adopted = number in state.layout.adopted_numbers(name)
                which = "is the environment that `--adopt` replaced: it has no seal to compare"
                problem = f"generation {number} of `{name}` {which}"
                kept = ", ".join(map(str, state.sealed_numbers(name)))
                hint = f"choose from those that are kept: {kept}" if kept else f"run `envsync apply {name}`"
                missing = f"environment `{name}` has no generation {number}"
                raise UsageError(problem if adopted else missing, hint=hint)
        one, other = (seal for seal in seals if seal is not None)
        return diff_generations(name, *read_contents(state, (one, other)), Mask(read_masking_key(state.layout)))

    def rollback(
        self,
        name: str,
        *,
        to: int | None = None,
        hold: str | None = None,
        timeout: float = 60.0,
        on_skip: Callable[[str], None] = lambda _sentence: None,
        rebuild: bool = True,
        offline: bool = False,
    ) -> ChangedEnvironment:
        """Publish an older generation, or restore an environment that was deleted; return what was done.

        Wait at most `timeout` seconds for the root mutex. `on_skip` is called with a sentence about each generation
        that is not sound and was skipped or rebuilt, and if the history could not be written. Without `rebuild` none is
        rebuilt. `offline` forbids the network. `hold` is the reason of a hold that begins with it. Raises UsageError if
        that is not one line of text.
        """
        state = self.state
        begun = new_hold(hold, self.ambient) if hold is not None else None
        self._refuse_missing_root(name)
        rebuilt: list[str] = []
        with hold_and_recover(state, timeout=timeout) as descriptor:
            inodes = InodeHashes.load(state.layout.inode_hashes)
            before = state.layout.published_number(name)

            def rebuilder(seal: Seal, base: Applied) -> Callable[[], int]:
                if self.rebuilding is None:
                    raise NotRebuildableError("the manifest is not known")
                tools = replace(self.rebuilding, offline=offline)
                prepared = prepare_rebuild(state, seal, base, tools)
                rebuilt.append(f"rebuilt from generation {seal.applied.generation}")
                return partial(prepared.run, inodes, descriptor)

            def remember(status: str) -> None:
                now = state.layout.published_number(name)
                held = [f"held: {begun.reason}"] if begun else []
                entry: dict[str, Json] = {
                    "name": name,
                    "action": "rollback" if before else "restore",
                    "status": status,
                    "generation": now or to,
                    "reasons": [*([f"from generation {before}"] if before else []), *rebuilt[-1:], *held],
                }
                unwritten = append_history(state.layout, history_entry(self.ambient, [entry]))
                if unwritten:
                    on_skip(unwritten)

            try:
                changed = roll_back(
                    state,
                    self.project,
                    name,
                    inodes,
                    to=to,
                    hold=begun,
                    on_skip=on_skip,
                    rebuild=rebuilder if rebuild else None,
                )
            except StateError:
                if state.layout.published_number(name) not in {0, before}:
                    remember("failed")  # it is published all the same
                raise
            inodes.save()
            if changed.action is ChangeKind.HOLD and begun is not None:
                self._log_hold(name, changed.generation, "hold", begun)
            else:
                remember("applied")
        return changed

    def hold(self, name: str, reason: str, *, timeout: float = 60.0) -> ChangedEnvironment:
        """Hold an environment as it is now, so that applies leave it alone; return what was done.

        An earlier hold is replaced. Wait at most `timeout` seconds for the root mutex. Raises UsageError if `reason` is
        not one line of text, or if the environment was never applied.
        """
        state, begun = self.state, new_hold(reason, self.ambient)
        self._refuse_missing_root(name)
        with hold_and_recover(state, timeout=timeout):
            applied = hold_environment(state, self.project, name, begun)
            self._log_hold(name, applied.generation, "hold", begun)
            number = state.layout.published_number(name)
        return ChangedEnvironment(name=name, action=ChangeKind.HOLD, generation=number, hold=applied.hold)

    def release(self, name: str, *, timeout: float = 60.0) -> ChangedEnvironment:
        """End the hold of an environment, so that the next apply changes it again; return what was done.

        Wait at most `timeout` seconds for the root mutex. Raises UsageError if it is not held.
        """
        state = self.state
        self._refuse_missing_root(name)
        with hold_and_recover(state, timeout=timeout):
            ended = release_environment(state, self.project, name)
            applied = state.applied(name)
            if applied is not None:
                self._log_hold(name, applied.generation, "release", ended)
            number = state.layout.published_number(name)
        return ChangedEnvironment(name=name, action=ChangeKind.RELEASE, generation=number, released=ended)

    def _refuse_missing_root(self, name: str) -> None:
        """Raise UsageError if nothing was ever applied in the root: `name` was not, and no root is made to say so."""
        if not self.state.exists:
            last_applied_to(self.state, self.project, name)

    def _log_hold(self, name: str, generation: int, action: str, hold: Hold) -> None:
        """Append to the history that a hold began or ended (`hold` or `release`)."""
        entry: dict[str, Json] = {
            "name": name,
            "action": action,
            "status": "applied",
            "generation": generation,
            "reasons": [hold.reason],
        }
        append_history(self.state.layout, history_entry(self.ambient, [entry]))

    def collect(self, *, dry_run: bool = False, deleted: bool = False, timeout: float = 60.0) -> list[Removable]:
        """Delete the generations that nothing keeps; with `dry_run`, only return them, without the root mutex.

        With `deleted`, also those of this project's deleted environments, which then cannot be restored.
        """
        state = self.state
        if dry_run:
            discard = frozenset(self.deleted() if deleted else ())
            return mark_in_use(removable_generations(state, discard=discard))
        if not state.exists:
            return []
        with hold_and_recover(state, timeout=timeout):
            return collect_garbage(state, discard=frozenset(self.deleted() if deleted else ()), spare=frozenset())
