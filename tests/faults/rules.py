"""The state machine: what people, envsync and failures do to one host, in any order."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reconciler.apply.context import ApplyOptions
from reconciler.errors import ApplyError, RootOwnerError, StateError, UsageError
from reconciler.events import Status
from reconciler.observe.actual import Depth
from reconciler.plan.model import Policy
from tests.faults.damages import BETA, BY_NAME, CATALOGUE, CLOSED, PYTHON, SERIES, SITECUSTOMIZE, Damage
from tests.faults.killed import run_killed
from tests.faults.laws import check_other_view, check_plan, check_state
from tests.faults.model import (
    COPY,
    FOREIGN,
    MAIN,
    OTHER,
    REQUIREMENTS,
    AtPath,
    Declared,
    Environment,
    Expected,
    Side,
    deletes_waiting,
)
from tests.faults.real import Ground, Real
from tests.unprivileged import unprivileged

NAMES = ("api", "job", "web")
DEPTHS = st.sampled_from([Depth.METADATA, Depth.FILES, Depth.FILES, Depth.HASHES])
PACKAGES = st.lists(st.sampled_from(REQUIREMENTS), max_size=2, unique_by=lambda each: each[:4]).map(
    lambda chosen: tuple(sorted(chosen))
)
SETTINGS: tuple[dict[str, Any], ...] = (
    *({"description": each} for each in ("", "public site")),
    *({"team": each} for each in ("one", "two")),
    *({"debug": each} for each in ("no", "yes")),
    *({"keep_generations": each} for each in (1, 2, 3)),
    *({"prevent_destroy": each} for each in (True, False, False)),
    *({"ignore_files": each} for each in ((), (SITECUSTOMIZE,))),
)
PATHS = ("nothing", "file", "directory", "venv", "elsewhere", "other generation", "missing generation", "other name")
UMASKS = st.sampled_from([0o022, 0o022, 0o027, 0o077])
LOST = ("history", "cache", "inodes", "interpreters", "holder")
RECORDS = (
    "seal removed",
    "seal cut",
    "seal edited",
    "inventory removed",
    "inventory cut",
    "moved",
    "cached file edited",
)
_Drawn = TypeVar("_Drawn")


def _of(choose: "Callable[[Machine], list[_Drawn]]") -> st.SearchStrategy[_Drawn]:
    """Return a strategy that chooses from values that the machine has at this moment."""
    return st.runner().flatmap(lambda machine: st.sampled_from(choose(machine)))


@contextmanager
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def _described(side: Side) -> str:
    return "a manifest of another project" if side is OTHER else "a copy of the manifest"


class Machine(RuleBasedStateMachine):
    """One host with up to three environments, and its model; `ground` is what all hosts of a run share."""

    ground: ClassVar[Ground]
    steps: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.real = Real(self.ground)
        self.declared: dict[str, Declared] = {}
        self.entries: dict[Side, dict[str, Declared]] = {MAIN: self.declared, COPY: {}, OTHER: {}}
        self.model = {name: Environment(name=name) for name in NAMES}
        self.umask = os.umask(0o022)
        for side, entries in self.entries.items():
            self.real.declare(entries, side)

    def teardown(self) -> None:
        os.umask(self.umask)
        self.real.end()

    @invariant()
    def the_host_is_as_the_model_says(self) -> None:
        check_state(self.real, self.model, self.declared)
        self._others_can_read()

    @initialize(packages=st.tuples(PACKAGES, PACKAGES), umask=UMASKS, drawn=st.integers(min_value=0, max_value=1 << 32))
    def begin(self, packages: tuple[tuple[str, ...], tuple[str, ...]], umask: int, drawn: int) -> None:
        """Start with two environments, because a host without any has little to lose; the umask decides access."""
        assume(drawn)  # Hypothesis begins with the simplest choices everywhere, which would be one rule fifty times
        os.umask(umask)
        self.real.layout.root.chmod(0o777 & ~umask)
        for name, each in zip(("web", "api"), packages, strict=True):
            self._declare(name, Declared(packages=each or ("alpha==1.0", "gamma")))
        self._apply(Depth.FILES, (), Policy())

    # the manifest

    @rule(name=st.sampled_from(NAMES), packages=PACKAGES)
    def declare(self, name: str, packages: tuple[str, ...]) -> None:
        self.steps["declare"] += 1
        self._declare(name, replace(self.declared.get(name, Declared()), packages=packages))

    @precondition(lambda self: self.declared)
    @rule(name=_of(lambda self: sorted(self.declared)), change=st.sampled_from(SETTINGS))
    def change_setting(self, name: str, change: dict[str, Any]) -> None:
        self.steps["change setting"] += 1
        old = self.declared[name]
        self._declare(name, replace(old, settings=replace(old.settings, **change)))

    @precondition(lambda self: self.declared)
    @rule(name=_of(lambda self: sorted(self.declared)), mode=st.sampled_from(["hardlink", "copy", "clone"]))
    def change_link_mode(self, name: str, mode: str) -> None:
        self.steps["change link_mode"] += 1
        self._declare(name, replace(self.declared[name], link_mode=mode))

    @precondition(lambda self: self.declared)
    @rule(name=_of(lambda self: sorted(self.declared)))
    def withdraw(self, name: str) -> None:
        self.steps["withdraw"] += 1
        del self.declared[name]
        self.real.declare(self.declared)

    def _declare(self, name: str, entry: Declared) -> None:
        self.declared[name] = entry
        self.real.declare(self.declared)

    # the other manifests of the root

    @rule(side=st.sampled_from([COPY, OTHER]), name=st.sampled_from(NAMES), packages=PACKAGES)
    def declare_in_other_manifest(self, side: Side, name: str, packages: tuple[str, ...]) -> None:
        self.steps[f"in {_described(side)}: declare"] += 1
        entries = self.entries[side]
        entries[name] = replace(entries.get(name, Declared()), packages=packages)
        self.real.declare(entries, side)

    @precondition(lambda self: self.entries[COPY] or self.entries[OTHER])
    @rule(where=_of(lambda self: [(side, name) for side in (COPY, OTHER) for name in sorted(self.entries[side])]))
    def withdraw_from_other_manifest(self, where: tuple[Side, str]) -> None:
        side, name = where
        self.steps[f"in {_described(side)}: withdraw"] += 1
        del self.entries[side][name]
        self.real.declare(self.entries[side], side)

    @rule(side=st.sampled_from([COPY, OTHER]), prune=st.booleans(), take_over=st.booleans())
    def apply_other_manifest(self, side: Side, prune: bool, take_over: bool) -> None:
        self.steps[f"in {_described(side)}: apply{' --take-over' if take_over else ''}"] += 1
        self._apply(Depth.FILES, (), Policy(prune=prune, take_over=take_over), side)

    @precondition(lambda self: any(each.applied and each.applied.owner != MAIN for each in self.model.values()))
    @rule()
    def take_over(self) -> None:
        self.steps["apply --take-over"] += 1
        self._apply(Depth.FILES, (), Policy(take_over=True))

    # other users, other umasks

    @rule(umask=UMASKS)
    def change_umask(self, umask: int) -> None:
        self.steps["change umask"] += 1
        os.umask(umask)

    @precondition(lambda _self: os.geteuid() == 0)
    @rule(depth=DEPTHS)
    def second_user(self, depth: Depth) -> None:
        """A user without privileges plans like the owner, if the root is open to all, and changes nothing."""
        self.steps["second user"] += 1
        plan = self.real.plan(depth).plan
        before = self.real.changes()
        closed = {name for name in self.declared if self.real.is_closed_lock(name)}
        with unprivileged():
            if self.real.is_open():
                seen = self.real.plan(depth).plan
                if closed:  # locks keep the umask of the caller, because they are files of the user
                    blocked = {each.name for each in seen.environments if each.blocked}
                    assert closed <= blocked, (closed, seen)
                else:
                    check_other_view(plan, seen, unread=self._unread(depth), forged=self._forged())
                self.real.workspace().maintenance.verify(depth=Depth.METADATA)
            for change in (
                lambda: self.real.workspace().maintenance.collect(),
                lambda: self.real.plan(depth).apply(),
                lambda: self.real.workspace().maintenance.rollback("web"),
            ):
                with pytest.raises((RootOwnerError, StateError, OSError)) as caught:
                    change()
                if self.real.is_open():
                    assert isinstance(caught.value, RootOwnerError)
                    assert "belongs to root" in caught.value.message
        assert self.real.changes() == before

    def _forged(self) -> set[str]:
        """Return the environments with a seal that was edited and has a wrong code, but can be read."""
        return {
            name
            for name, number in self._built()
            if self.model[name].generations[number].cut and self.real.is_complete_seal(name, number)
        }

    def _unread(self, depth: Depth) -> set[str]:
        """Return the environments that have something that a second user may not read.

        A person closed it: a directory at the path of the environment or, if `depth` reads every file, a module.
        """
        closed = {name for name in self.model if self.real.is_closed_directory(name)}
        if depth is not Depth.HASHES:
            return closed  # the owner's plan, made just before, has noted the hash of every file
        published = {name: each.published for name, each in self.model.items()}
        modules = {
            name for name, each in published.items() if each and CLOSED in {one.name for one in each.open.values()}
        }
        return closed | modules

    @precondition(lambda self: os.geteuid() == 0 and PYTHON != SERIES and self._runnable())
    @rule(name=_of(lambda self: self._runnable()))
    def second_user_runs(self, name: str) -> None:
        self.steps["second user: run"] += 1
        assert self.real.runs_as_second_user(name, "beta") == self.real.is_open()

    def _runnable(self) -> list[str]:
        """Return the environments that are as they were built, with a module that can be imported."""
        return [
            name
            for name, each in self.model.items()
            if each.published
            and each.intact(Depth.HASHES)
            and "beta==2.0" in each.published.content
            and not each.published.open
        ]

    def _others_can_read(self) -> None:
        """Assert that all who may enter the root may read what is published, except what was closed manually."""
        for name, each in self.model.items():
            if each.published and each.published.venv:
                closed = self.real.closed_files(name, each.number)
                assert not closed or CLOSED in {damage.name for damage in each.published.open.values()}, closed

    # what envsync does

    @rule()
    def lock(self) -> None:
        self.steps["lock"] += 1
        self.real.workspace().lock()
        for name, each in self.declared.items():
            self.model[name].locks[MAIN] = each.packages

    @rule(depth=DEPTHS, names=st.lists(st.sampled_from(NAMES), max_size=2, unique=True), prune=st.booleans())
    def apply(self, depth: Depth, names: list[str], prune: bool) -> None:
        self.steps["apply"] += 1
        self._apply(depth, tuple(each for each in names if each in self.declared), Policy(prune=prune))

    @rule()
    def apply_to_all(self) -> None:
        self.steps["apply"] += 1
        self._apply(Depth.FILES, (), Policy(allow_empty=True))

    @precondition(lambda self: any(each.at_path is AtPath.VENV for each in self.model.values()))
    @rule(depth=DEPTHS)
    def adopt(self, depth: Depth) -> None:
        self.steps["apply --adopt"] += 1
        self._apply(depth, (), Policy(adopt=True))

    @precondition(lambda self: any(each.applied for each in self.model.values()))
    @rule(name=_of(lambda self: [name for name, each in self.model.items() if each.applied]))
    def destroy(self, name: str) -> None:
        self.steps["destroy"] += 1
        self._apply(Depth.FILES, (), Policy(destroy=frozenset({name})))

    @rule(name=st.sampled_from(NAMES), packages=PACKAGES, depth=DEPTHS, at=st.integers(min_value=1, max_value=90))
    def kill(self, name: str, packages: tuple[str, ...], depth: Depth, at: int) -> None:
        """Kill an apply. Each environment must be the old or the new one, and the model is adjusted to that."""
        self._declare(name, replace(self.declared.get(name, Declared()), packages=packages))
        expected = self._expected(depth, (), Policy())
        before = {name: (self.real.record(name), self.real.lock(name)) for name in NAMES}
        proposal = self.real.plan(depth, resolve=True)
        killed = run_killed(lambda: proposal.apply(ApplyOptions(parallelism=1)), at=at)
        self.real.wait_for_orphans()
        self.steps["kill" if killed else "apply, over before it was killed"] += 1
        for each in self.model.values():
            wanted = expected.get(each.name)
            doing = wanted if wanted and wanted.action != "no-op" and not wanted.blocked else None
            self._adjust_model(each, doing, *before[each.name])
        self._opened()

    @precondition(lambda self: any(each.applied or each.remains for each in self.model.values()))
    @rule(
        name=_of(lambda self: [name for name, each in self.model.items() if each.applied or each.remains]),
        to=st.none() | st.integers(min_value=1, max_value=8),
    )
    def rollback(self, name: str, to: int | None) -> None:
        self._rollback(name, to)

    @precondition(lambda self: self.declared)
    @rule(name=_of(lambda self: sorted(self.declared)))
    def upgrade_and_roll_back(self, name: str) -> None:
        """Change the packages, apply and roll back: what people do, and rare in a random order."""
        self.steps["upgrade and roll back"] += 1
        entry = self.declared[name]
        packages = ("gamma",) if entry.packages == ("alpha==1.0",) else ("alpha==1.0",)
        self._declare(name, replace(entry, packages=packages))
        self._apply(Depth.FILES, (name,), Policy())
        if self.model[name].applied or self.model[name].remains:
            self._rollback(name, None)

    @precondition(lambda self: any(each.applied for each in self.model.values()))
    @rule(name=_of(lambda self: [name for name, each in self.model.items() if each.applied]))
    def delete_and_restore(self, name: str) -> None:
        self.steps["delete and restore"] += 1
        self._apply(Depth.FILES, (), Policy(destroy=frozenset({name})))
        if self.model[name].restorable:
            self._rollback(name, None)

    def _rollback(self, name: str, to: int | None) -> None:
        own = self.model[name]
        last = own.applied or own.remains
        assert last
        owned = last.owner.project == MAIN.project
        sealed = [each for each in own.sealed if own.generations[each].owner.project == last.owner.project]
        older = [each for each in reversed(sealed) if each < own.number]
        if to is None and own.number:
            candidates = [each for each in older if not own.generations[each].drifted and self._is_sound(own, each)]
            # The error about an older one whose seal cannot be read is not that none exists: that is not known.
            unread = [each for each, generation in own.generations.items() if generation.cut and each < own.number]
            wanted, there = (candidates or [0])[0], bool(older or unread)
        else:
            wanted = to or last.generation
            there = wanted in sealed and wanted != own.number
        is_sound = wanted in sealed and self._is_sound(own, wanted)
        try:
            self.real.workspace().maintenance.rollback(name, to=to, rebuild=False)
        except UsageError:
            self.steps["rollback, to nothing"] += 1
            assert not there or not owned
        except StateError:
            self.steps["rollback, refused: seal damaged"] += 1
            assert own.unreadable or (to in own.generations and own.generations[to].cut)
        except ApplyError:
            self.steps["rollback, refused"] += 1
            assert there
            assert owned
            assert not is_sound or own.at_path in FOREIGN
        else:
            self.steps["restore" if own.restorable else "rollback"] += 1
            assert there
            assert owned
            assert is_sound
            assert own.at_path not in FOREIGN
            own.rolled_back(wanted)
            self._opened()

    def _is_sound(self, own: Environment, number: int) -> bool:
        """Return whether a rollback to a generation must be possible; a restored one has the settings of its record."""
        sealed, last = own.generations[number], own.applied or own.remains
        recorded = last is not None and not own.number and (number, sealed.seal) == (last.generation, last.seal)
        return sealed.is_sound(last.settings if recorded and last else sealed.settings)

    def _opened(self) -> None:
        """Note which modules are open to others again: envsync opens what it publishes, and others share the file."""
        for name, number in self._built():
            own = self.model[name].generations[number]
            own.open = {
                slot: each
                for slot, each in own.open.items()
                if each.name != CLOSED or self.real.is_closed_file(name, number, BETA)
            }

    @rule()
    def collect(self) -> None:
        self.steps["gc"] += 1
        self.real.workspace().maintenance.collect()
        for each in self.model.values():
            each.collected()

    @precondition(lambda self: any(each.restorable for each in self.model.values()))
    @rule()
    def collect_deleted(self) -> None:
        self.steps["gc --deleted"] += 1
        self.real.workspace().maintenance.collect(deleted=True)
        for each in self.model.values():
            if each.restorable and each.restorable.owner.project == MAIN.project:
                each.remains = None
            each.collected()

    # manual changes

    @precondition(lambda self: self._damageable())
    @rule(where=_of(lambda self: self._damageable()))
    def damage_any(self, where: tuple[str, int, str]) -> None:
        self._damage(*where)

    @precondition(lambda self: self._damageable(published=True, metadata=False))
    @rule(where=_of(lambda self: self._damageable(published=True, metadata=False)))
    def damage_files(self, where: tuple[str, int, str]) -> None:
        self._damage(*where)

    @precondition(lambda self: self._damageable(published=True, metadata=True))
    @rule(where=_of(lambda self: self._damageable(published=True, metadata=True)))
    def damage_metadata(self, where: tuple[str, int, str]) -> None:
        self._damage(*where)

    def _damage(self, name: str, number: int, what: str) -> None:
        damage = BY_NAME[what]
        sharing = self._sharing(self.real.inode(name, number, damage.shared), damage.shared) if damage.shared else []
        if any(damage.slot in self.model[other].generations[each].open for other, each in sharing):
            return  # two damages of one slot would hide or undo each other
        self.steps[f"damage: {what}"] += 1
        with _usual_umask():  # what people add is readable, so that only envsync's own files can be closed
            damage.make(self.real.generation(name, number))
        for other, each in {*sharing, (name, number)}:
            if self._has_effect(damage):
                self.model[other].generations[each].open[damage.slot] = damage

    def _has_effect(self, damage: Damage) -> bool:
        """Return whether a plan must show a damage; in a root that only its owner may enter, every mode is correct."""
        return damage.depth is not None and (damage.name != CLOSED or self.real.is_shared())

    @precondition(lambda self: self._built())
    @rule(where=_of(lambda self: self._built()), what=st.sampled_from(RECORDS))
    def damage_generation(self, where: tuple[str, int], what: str) -> None:
        own = self.model[where[0]].generations[where[1]]
        paths = self.real.generation(*where)
        if (what.startswith("seal") and own.seal is None) or (what.startswith("inventory") and not own.inventory):
            return
        self.steps[f"damage: {what}"] += 1
        match what:
            case "seal removed":
                paths.seal.unlink()
                own.seal, own.cut = None, False
            case "seal cut":
                paths.seal.write_bytes(paths.seal.read_bytes()[:100])
                own.seal, own.cut = None, True
            case "seal edited":
                paths.seal.write_bytes(paths.seal.read_bytes().replace(b'"plan":"', b'"plan":"x'))
                own.seal, own.cut = None, True
            case "inventory removed":
                paths.inventory.unlink()
                own.inventory = False
            case "inventory cut":
                paths.inventory.write_bytes(paths.inventory.read_bytes()[:100])
                own.inventory = False
            case "moved" if own.venv:
                paths.venv.rename(paths.directory / "moved")
                own.venv = False
            case "cached file edited":
                self._edit_cached_file()

    def _edit_cached_file(self) -> None:
        """Edit a module in the engine's cache, which also edits every generation that hard-links it."""
        for path in self.real.cached(BETA):
            sharing = self._sharing((path.stat().st_dev, path.stat().st_ino), BETA)
            path.write_text("NAME = 'through the cache'\n")
            for name, number in sharing:
                self.model[name].generations[number].open.setdefault("beta.py", BY_NAME["module edited in place"])

    @rule(name=st.sampled_from(NAMES), what=st.sampled_from(PATHS))
    def damage_path(self, name: str, what: str) -> None:
        own = self.model[name]
        own.at_path, own.number = AtPath.NOTHING, 0
        self.steps[f"path: {what}"] += 1
        match what:
            case "nothing":
                self.real.put(name, "nothing")
            case "file" | "directory" | "venv":
                self.real.put(name, what)
                own.at_path = {"file": AtPath.FILE, "directory": AtPath.DIRECTORY, "venv": AtPath.VENV}[what]
            case "elsewhere" | "other name":
                target = "/nowhere/venv" if what == "elsewhere" else f".envsync/generations/not-{name}/1/venv"
                self.real.put(name, "link", target)
                own.at_path = AtPath.ELSEWHERE
            case _:
                numbers = sorted(own.generations) or [0]
                own.number = numbers[0] if what == "other generation" and numbers[0] else numbers[-1] + 3
                own.at_path = AtPath.LINK
                self.real.put(name, "link", f".envsync/generations/{name}/{own.number}/venv")

    @precondition(lambda self: any(each.at_path in FOREIGN for each in self.model.values()))
    @rule(name=_of(lambda self: [name for name, each in self.model.items() if each.at_path in FOREIGN]))
    def move_away(self, name: str) -> None:
        self.steps["path: moved away"] += 1
        self.real.put(name, "nothing")
        self.model[name].at_path = AtPath.NOTHING

    @rule(what=st.sampled_from(LOST), removed=st.booleans())
    def lose(self, what: str, removed: bool) -> None:
        """Lose a file that may be lost without harm."""
        self.steps[f"lost: {what}"] += 1
        self.real.lose(what, removed=removed)

    @rule(name=st.sampled_from(NAMES), what=st.sampled_from(["record removed", "record cut", "lock"]))
    def lose_own(self, name: str, what: str) -> None:
        """Lose a lock or a record; the seal then replaces the record. A damaged record blocks its environment."""
        self.steps[f"lost: {what}"] += 1
        if what == "lock":
            self.real.lock_path(name).unlink(missing_ok=True)
            self.model[name].locks.pop(MAIN, None)
            return
        path = self.real.layout.record(name)
        if what == "record cut" and path.exists():
            path.write_bytes(path.read_bytes()[:100])
        last = self.model[name].applied
        if what == "record cut" and path.exists() and last and last.owner.project == MAIN.project:
            planned = {each.name: each for each in self.real.plan().plan.environments}
            foreign = ["not-ours"] if self.model[name].at_path in FOREIGN else []
            assert [each.code for each in planned[name].blocked] == ["state-unreadable", *foreign], planned[name]
            assert f"environments/{name}.json` is damaged" in planned[name].blocked[0].message
            assert planned[name].hints
        path.unlink(missing_ok=True)
        self.model[name].record = None

    # helpers of the rules

    def _built(self) -> list[tuple[str, int]]:
        return [(name, number) for name, each in self.model.items() for number in each.generations]

    def _damageable(self, *, published: bool = False, metadata: bool | None = None) -> list[tuple[str, int, str]]:
        """Return the possible damages: the venv exists, the needed package is installed, and the slot is free."""
        found = []
        for name, number in self._built():
            own = self.model[name].generations[number]
            if not own.venv or (published and number != self.model[name].number):
                continue
            for each in CATALOGUE:
                there = not each.needs or any(line.startswith(f"{each.needs}==") for line in own.content)
                chosen = metadata is None or each.seen_at(Depth.METADATA) == metadata
                if there and chosen and each.slot not in own.open:
                    found.append((name, number, each.name))
        return found

    def _sharing(self, inode: tuple[int, int] | None, path: str) -> list[tuple[str, int]]:
        """Return the generations that hard-link one file."""
        return [where for where in self._built() if self.real.inode(*where, path) == inode]

    def _expected(self, depth: Depth, names: tuple[str, ...], policy: Policy, side: Side = MAIN) -> dict[str, Expected]:
        declared, over = self.entries[side], policy.take_over
        if policy.destroy:
            return {
                name: self.model[name].expected_delete(declared=declared.get(name))
                or Expected(action="delete", blocked=frozenset({"other-project"}))
                for name in policy.destroy
            }
        found = {
            name: self.model[name].expected(entry, depth, side=side, adopt=policy.adopt, take_over=over)
            for name, entry in declared.items()
            if not names or name in names
        }
        for name, own in self.model.items():
            if name not in declared and not names:
                empty = not declared and not policy.allow_empty
                gone = (
                    own.expected_delete(declared=None, empty=empty, side=side, take_over=over)
                    if policy.prune
                    else own.expected_kept(depth, side=side)
                )
                if gone:
                    found[name] = gone
        return deletes_waiting(found)

    def _apply(self, depth: Depth, names: tuple[str, ...], policy: Policy, side: Side = MAIN) -> None:
        """Plan, compare the plan with the model, apply, and plan again; only blocked changes may be left."""
        expected = self._expected(depth, names, policy, side)
        proposal = self.real.plan(depth, resolve=True, names=names, policy=policy, side=side)
        check_plan(proposal.plan, expected)
        result = proposal.apply()
        entries = self.entries[side]
        for each in result.environments:
            wanted, own = expected[each.environment], self.model[each.environment]
            if wanted.blocked or wanted.action == "no-op":
                assert each.status is (Status.BLOCKED if wanted.blocked else Status.UNCHANGED), each
                continue
            assert each.status is Status.APPLIED, each
            if wanted.action == "delete":
                own.deleted()
            elif wanted.builds:
                number = self.real.published(own.name)
                assert number > own.newest
                self._replaced(own, wanted)
                own.built(number, entries[own.name], side)
            else:
                own.recorded(entries[own.name], side)
        for name, own in self.model.items():
            own.collected(spared=name in expected and bool(expected[name].blocked))
        self._opened()
        if not policy.destroy:
            again = self.real.plan(depth, names=names, policy=replace(policy, adopt=False), side=side)
            assert not [each for each in again.plan.changes if not each.blocked], "the plan after apply is not empty"

    def _replaced(self, own: Environment, wanted: Expected) -> None:
        """Note whether the published generation was replaced because its contents had drifted: it is marked then."""
        before = own.generations.get(own.number)
        if before is None or own.number not in self.real.numbers(own.name):
            return  # collected by the same apply; its path is now a link to the generation that was published instead
        before.drifted = self.real.generation(own.name, own.number).drifted.exists()
        contents = {each.name for each in wanted.damages} - {CLOSED}
        assert before.drifted or not contents, "contents drifted, and the generation is not marked"
        assert wanted.drift or not before.drifted, "nothing drifted, and the generation is marked"

    def _adjust_model(self, own: Environment, doing: Expected | None, record: bytes | None, lock: bytes | None) -> None:
        """Adjust the model to how far a killed run came with one environment, which must be old or new."""
        number, old = self.real.published(own.name), deepcopy(own)
        if own.number in own.generations:
            own.generations[own.number].drifted = self.real.generation(own.name, own.number).drifted.exists()
        entry = self.declared.get(own.name)
        if number != own.number:
            assert doing, "published, although the plan had no change"
            if doing.action == "delete":
                assert number == 0
                if record is None:  # the record was lost before, so there is none to remove
                    own.deleted()
                own.at_path, own.number = AtPath.NOTHING, 0
            else:
                assert entry
                assert doing.builds
                assert number > old.newest
                own.built(number, entry)
                own.record = old.record
        if (now := self.real.record(own.name)) != record:
            assert doing, "recorded, although the plan had no change"
            if now is None:
                own.deleted()
            elif doing.builds:
                own.record = own.as_sealed(number)
            elif entry:
                own.recorded(entry)
        own.locks = old.locks
        if self.real.lock(own.name) != lock:
            assert doing, "locked, although the plan had no change"
            assert entry
            own.locks[MAIN] = entry.packages
        numbers = self.real.numbers(own.name)
        gone = own.generations.keys() - numbers
        assert gone <= own.collectable()
        for each in own.collectable() & numbers:
            if not self.real.generation(own.name, each).seal.exists():  # deleted in part
                own.generations[each].seal, own.generations[each].venv = None, False
        for each in gone:
            del own.generations[each]
        own.left = numbers - own.generations.keys()
        assert all(each > old.newest or each in old.left for each in own.left)
