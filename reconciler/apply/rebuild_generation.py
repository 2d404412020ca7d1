"""Rebuild a kept generation that differs from its seal: from its own lock, as a new generation, before a rollback.

Generations share files by hard links, with each other and with the package cache. One edit in place therefore spoils
all of them. What a generation contained is still known: its seal has the hash of every package's file, and its
`pylock.toml` says where the file is.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.apply.context import ApplyContext, ApplyOptions
from reconciler.apply.environment import EnvironmentRun
from reconciler.apply.seal_generation import complete
from reconciler.backticks import list_in_backticks
from reconciler.diff.findings import SHOWN
from reconciler.diff.model import Target
from reconciler.diff.settings import settings_of
from reconciler.engines.engine import Engine
from reconciler.errors import (
    EngineError,
    InterpreterError,
    LockError,
    RecordMismatchError,
    RefusedInterpreterError,
)
from reconciler.fs.read import read_regular, reason
from reconciler.interpreters.model import Interpreter
from reconciler.lock.lock_file import lock_path, parse_lock
from reconciler.lock.lock_toml import parse_lock_toml
from reconciler.lock.model import ArchiveFile, Lock, LockedPackage, LockState, Source, SourceDirectory
from reconciler.lock.select import select_packages
from reconciler.lock.toml_format import lock_text
from reconciler.manifest.desired import DesiredEnvironment, Index
from reconciler.manifest.input_files import LARGEST_LOCK
from reconciler.manifest.times import today_in_utc
from reconciler.observe.actual import Depth
from reconciler.observe.pyvenv_cfg import read_pyvenv_cfg
from reconciler.plan.model import Action, EnvironmentPlan, Plan, Step, StepKind
from reconciler.state.applied import Applied
from reconciler.state.generated_files import read_generated_files
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import save_inventory
from reconciler.state.owner import ManifestIdentity
from reconciler.state.seal import Seal
from reconciler.state.store import State

_WITHOUT_NETWORK = (EngineError, RecordMismatchError)  # what may be wrong offline and right with the network


class NotRebuildableError(Exception):
    """Why a generation cannot be rebuilt, as the end of a sentence about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildTools:
    """What a rebuild needs besides the state; `locks` is the directory of the manifest's locks.

    `declared` returns the environment that the manifest declares under a name, None if it declares none; `interpreter`
    the interpreter at a recorded path, given the `python` that the manifest requests; it raises InterpreterError if
    that is gone or must not be started. `engine` gives the engine for the time of a block; its argument is the
    descriptor of the root mutex. `offline` forbids the network.
    """

    locks: Path
    indexes: tuple[Index, ...]
    declared: Callable[[str], DesiredEnvironment | None]
    interpreter: Callable[[str, str], Interpreter]
    engine: Callable[[int], AbstractContextManager[Engine]]
    offline: bool = False
    ambient: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """One generation that can be rebuilt: `seal` is its seal, `base` what is recorded for the new one."""

    state: State
    seal: Seal
    base: Applied
    target: Target
    tools: RebuildTools

    def run(self, inodes: InodeHashes, descriptor: int) -> int:
        """Build, verify and seal the new generation, and flush it; return its number. The root mutex must be held.

        The package cache is tried first. Files in it that differ from their RECORD, or that are missing, are downloaded
        again. Raises EnvsyncError or OSError; nothing is left then.
        """
        inodes.begin_pass()
        with self.tools.engine(descriptor) as engine:
            damaged: frozenset[str] = frozenset()
            if not self.tools.offline:
                try:
                    return self._run_once(self._context(engine, inodes, offline=True), damaged)
                except _WITHOUT_NETWORK as error:
                    named = error.packages if isinstance(error, RecordMismatchError) else error.cached
                    damaged = frozenset(named)
            return self._run_once(self._context(engine, inodes, offline=self.tools.offline), damaged)

    def _run_once(self, context: ApplyContext, damaged: frozenset[str]) -> int:
        """Build once, with or without the network; the packages in `damaged` are downloaded again."""
        name, number = self.base.name, self.seal.applied.generation
        sealed = self.state.sealed_generation(name, number)
        run = EnvironmentRun(context.plan.environments[0], context, refetch=damaged, sealed=sealed)
        try:
            for kind in (StepKind.BUILD, StepKind.VERIFY):
                run.perform(_step(name, kind))
            self._seal(run)
            run.perform(_step(name, StepKind.SYNC))
            context.wheels.save()
        except BaseException:  # KeyboardInterrupt included: an unfinished generation never stays
            run.abandon()
            raise
        return run.new.number

    def _seal(self, run: EnvironmentRun) -> None:
        """Write inventory and seal: as the old seal, except for what the new build is."""
        generation, (observed, inventory) = run.new, run.verified
        save_inventory(inventory, generation.inventory)
        applied = replace(
            self.base,
            generation=generation.number,
            installed={each.key: each.identity for each in observed.distributions},
            accepted=frozenset(finding.key for finding in observed.findings),
            overlaps=run.overlaps,
            seal="",
            hook_paths=frozenset(),
            hook_packages=frozenset(),
            rolled_back_from=0,
            rebuilt_from=self.seal.applied.rebuilt_from or self.seal.applied.generation,
        )
        complete(
            generation,
            replace(
                self.seal,
                applied=applied,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                inventory=inventory.digest,
                home=read_pyvenv_cfg(generation.venv).home,
            ),
        )

    def _context(self, engine: Engine, inodes: InodeHashes, *, offline: bool) -> ApplyContext:
        """Return the context of an apply of this environment alone, as the steps of a build need it."""
        name, layout = self.base.name, self.state.layout
        environment = EnvironmentPlan(
            name=name, path=str(layout.environment(name)), action=Action.UPDATE, target=self.target
        )
        return ApplyContext(
            plan=Plan(
                project=self.base.project,
                root=str(layout.root),
                manifest="",
                locks={},
                depth=Depth.FILES,
                environments=(environment,),
            ),
            plan_id=self.seal.plan,
            state=self.state,
            engine=engine,
            indexes=self.tools.indexes,
            options=ApplyOptions(parallelism=1, offline=offline),
            inodes=inodes,
            ambient=self.tools.ambient,
            owner=ManifestIdentity(path=self.base.manifest, repository=self.base.repository),
            keep_deleted=timedelta(),
            emit=lambda _event: None,
        )


def prepare_rebuild(state: State, seal: Seal, base: Applied, tools: RebuildTools) -> Rebuild:
    """Return the rebuild of the generation of `seal`; `base` is what to record, apart from what the build changes.

    Nothing is written. Raises NotRebuildableError, or ManifestError if the environment that the manifest declares
    cannot be read.
    """
    last = seal.applied
    declared = tools.declared(last.name)
    try:
        interpreter = tools.interpreter(last.interpreter.path, declared.python if declared else "")
    except RefusedInterpreterError as error:
        raise NotRebuildableError(f"its interpreter cannot be used: {error.message}") from error
    except InterpreterError as error:
        raise NotRebuildableError(f"its interpreter `{last.interpreter.path}` is gone") from error
    if (interpreter.version, interpreter.implementation) != (last.interpreter.version, last.interpreter.implementation):
        raise NotRebuildableError(
            f"its interpreter `{interpreter.path}` is now {interpreter.implementation} {interpreter.version}, "
            f"but was {last.interpreter.implementation} {last.interpreter.version}"
        )
    environment = replace(
        declared or DesiredEnvironment(name=last.name, python=last.interpreter.version),
        system_site_packages=seal.system_site_packages,
        ignore_files=base.ignore_patterns("ignore_files", today_in_utc()),
        exceptions=(),
        probes=(),
    )
    if declared is not None and declared.build_env.unset:
        raise NotRebuildableError(f"`{next(iter(declared.build_env.unset))}` is not set in the shell (`build_env`)")
    if declared is not None and settings_of(declared).get("build_env") != last.settings.get("build_env"):
        raise NotRebuildableError("it was built with other build variables (`build_env`)")
    try:
        lock = _own_lock(state, last, tools.locks)
        packages = select_packages(lock, environment, interpreter, read_generated_files(state.layout))
    except LockError as error:
        raise NotRebuildableError(f"its lock cannot be used: {error.message}") from error
    _refuse_other_packages(last.packages, packages, tools.locks)
    target = Target(
        environment=environment,
        interpreter=interpreter,
        lock_state=LockState.FRESH,
        lock=lock,
        packages=last.packages,
        hint="",
        faults=(),
    )
    return Rebuild(state=state, seal=seal, base=base, target=target, tools=tools)


def _own_lock(state: State, last: Applied, locks: Path) -> Lock:
    """Return the lock of a generation: its `pylock.toml`, in which copied sources are where they were copied from.

    Raises NotRebuildableError or LockError.
    """
    path = state.layout.generation(last.name, last.generation).pylock
    try:
        document = parse_lock_toml(read_regular(path, limit=LARGEST_LOCK).decode("utf-8"))
    except OSError as error:
        raise NotRebuildableError(f"its `pylock.toml` cannot be read: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        raise NotRebuildableError("its `pylock.toml` is damaged") from error
    directories = {
        each.name: str((locks / each.source.path).resolve())
        for each in last.packages
        if isinstance(each.source, SourceDirectory) and not each.source.editable
    }
    packages = document.get("packages")
    for each in packages if isinstance(packages, list) else []:
        directory: Any = each.get("directory") if isinstance(each, dict) else None
        if isinstance(directory, dict) and each.get("name") in directories:
            directory["path"] = directories[each["name"]]
    try:
        return parse_lock(lock_text(document), lock_path(locks, last.name), last.name)
    except (LockError, ValueError, TypeError) as error:
        raise NotRebuildableError("its `pylock.toml` is damaged") from error


def _refuse_other_packages(sealed: Iterable[LockedPackage], found: Iterable[LockedPackage], locks: Path) -> None:
    """Raise NotRebuildableError unless a generation's `pylock.toml` selects exactly what its seal has.

    The seal has the hash of each file. A local directory has no hash in the file: it must be as it was.
    """
    now = {each.name: each for each in found}
    before = {each.name: each for each in sealed}
    changed = [
        name for name, each in before.items() if name in now and _directory_changed(each.source, now[name].source)
    ]
    if changed:
        named = list_in_backticks(changed, most=SHOWN)
        raise NotRebuildableError(f"the directory of {named} changed since it was built")
    others = sorted(
        name
        for name in before.keys() | now.keys()
        if name not in before or name not in now or _pinned(before[name], locks) != _pinned(now[name], locks)
    )
    if others:
        raise NotRebuildableError(f"its `pylock.toml` differs from its seal: {list_in_backticks(others, most=SHOWN)}")


def _directory_changed(before: Source, now: Source) -> bool:
    """Return whether both are local directories with different contents."""
    if not (isinstance(before, SourceDirectory) and isinstance(now, SourceDirectory)):
        return False
    return now != replace(before, path=now.path)


def _pinned(package: LockedPackage, locks: Path) -> LockedPackage:
    """Return a package with absolute paths: its generation's `pylock.toml` has them, the seal those of the lock."""
    match package.source:
        case SourceDirectory() as source:  # compared already; the lock has no version of it
            return replace(package, version=None, source=replace(source, path=""))
        case ArchiveFile(location=location) as source if "://" not in location:
            return replace(package, source=replace(source, location=str((locks / location).resolve())))
        case _:
            return package


def _step(name: str, kind: StepKind) -> Step:
    return Step(id=f"{name}/{kind.value}", kind=kind, environment=name)
