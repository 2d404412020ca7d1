"""Remembers what `answer` goes by, at the end of a run: which environments are desired as they were last applied.

Nothing is remembered of an environment whose state rests on more than its manifest, lock, record, seal and its own
directory: local sources, distributions outside that a `.pth` file leads to, system site packages. Nor is anything
that moved since the run began to look: whose content it saw is then not certain.
"""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.canonical_json import digest
from reconciler.diff.model import LockState, Target
from reconciler.events import RunFinished, Status
from reconciler.fastpath.agreement import (
    INVENTORY,
    agreement_file,
    machine,
    manifest_file,
    own_file,
    read_agreed,
    signature_of,
)
from reconciler.fastpath.metadata_columns import metadata_columns, site_directories
from reconciler.fastpath.moved_directories import moved_since
from reconciler.fastpath.own_columns import own_columns
from reconciler.fastpath.stat_check import Pass, untouched
from reconciler.fs.atomic_write import write_atomic
from reconciler.lock.model import Lock, SourceDirectory
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import Depth
from reconciler.observe.site import SiteDirectory, named_directories
from reconciler.plan.model import Action, Plan
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory_file import Inventory, InventoryError, load_inventory
from reconciler.state.inventory_scan import a_tick_after
from reconciler.state.layout import Generation
from reconciler.state.marshal_file import dump_marshalled
from reconciler.state.store import State

if TYPE_CHECKING:
    from reconciler.fastpath.agreement import Signature


def remember_plan(
    plan: Plan, desired: DesiredState, state: State, applied: Mapping[str, Applied], inodes: InodeHashes, *, since: int
) -> None:
    """Remember what a plan found unchanged, and has nothing to say about; `since` is when it began (nanoseconds)."""
    files = plan.depth is not Depth.METADATA
    agreed = {
        each.name: each.target
        for each in plan.environments
        if each.action is Action.NO_OP and each.target is not None and not (each.blocked or each.hints)
    }
    run = _Run(desired=desired, state=state, applied=applied, inodes=inodes, since=since, observed=True, files=files)
    _remember(run, agreed)


def remember_apply(
    plan: Plan, result: RunFinished, desired: DesiredState, state: State, inodes: InodeHashes, *, since: int
) -> None:
    """Remember what an apply brought about, or found to be there; the root's lock must be held."""
    well = {each.environment for each in result.environments if each.status in {Status.APPLIED, Status.UNCHANGED}}
    agreed = {each.name: each.target for each in plan.environments if each.name in well and each.target is not None}
    applied = state.last_applied()
    _wait_a_tick_after_records(state, agreed)
    run = _Run(desired=desired, state=state, applied=applied, inodes=inodes, since=since, observed=False, files=False)
    _remember(run, agreed)


def _wait_a_tick_after_records(state: State, names: Iterable[str]) -> None:
    """Wait until what is written from now on has another ctime than the records, the last that an apply writes."""
    recorded = 0
    for name in names:
        with suppress(OSError):
            recorded = max(recorded, state.layout.record(name).lstat().st_ctime_ns)
    a_tick_after(recorded)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The end of a run over `desired`: what is remembered is bound to what it read.

    `since` is when it began to look (nanoseconds). `observed` says that it found the environments as they were
    sealed, and `files` that it compared every file; a run that built them knows that they are by what it sealed.
    """

    desired: DesiredState
    state: State
    applied: Mapping[str, Applied]
    inodes: InodeHashes
    since: int
    observed: bool
    files: bool


def _remember(run: _Run, targets: Mapping[str, Target]) -> None:
    """Remember of each of `targets` that it is what was last applied; the caller found it so.

    A root that may only be read is no fault: the next run looks again.
    """
    cache = run.state.layout.cache
    if not cache.is_dir() or not os.access(cache, os.W_OK):
        return
    with suppress(OSError):
        read_from = _remember_manifest(run)
        run.state.layout.agreed.mkdir(exist_ok=True)
        looking = Pass(str(run.state.layout.inode_hashes))
        for name, target in targets.items():
            _remember_environment(run, name, target, read_from, looking)


def _remember_manifest(run: _Run) -> str:
    """Keep which files the manifest was read from and what it declares; return the digest of what they hold."""
    desired, root = run.desired, str(run.state.layout.root)
    file = os.path.abspath(desired.file)  # noqa: PTH100  # links in the way stay
    inputs = [(str(each.path), each.sha256, _signature(each.path, run)) for each in desired.inputs]
    read_from = digest([file, *([path, held] for path, held, _ in inputs)])
    if not desired.selected:
        known: dict[str, object] = {
            "file": file,
            "root": root,
            "machine": machine(),
            "digest": read_from,
            "inputs": inputs,
            "names": sorted(desired.declared),
        }
        _write(manifest_file(root, file), known)
    return read_from


def _remember_environment(run: _Run, name: str, target: Target, read_from: str, looking: Pass) -> None:
    """Keep that one environment is agreed, and all that this rests on; `looking` holds what was kept against it."""
    applied, layout = run.applied.get(name), run.state.layout
    path, own = agreement_file(str(layout.root), name), own_file(str(layout.root), name)
    if applied is None or not _rests_on_itself(target, applied):
        for each in (path, own):
            Path(each).unlink(missing_ok=True)
        return
    generation = layout.generation(name, applied.generation)
    venv = str(generation.venv)
    assert target.lock is not None  # noqa: S101  # asked by _rests_on_itself
    ours = (layout.record(name), generation.seal, generation.inventory)
    files = {str(each): _signature(each, run, ours=not run.observed, follow=False) for each in ours}
    files[str(target.lock.path)] = _lock_signature(target.lock, target.lock_state, run)
    led_to = {each: _signature(Path(each), run) for each in (f"{venv}/bin/python", target.interpreter.path)}
    if None in files.values() or None in led_to.values():
        return
    seen = _as_before(path, venv, looking) if name in run.inodes.as_remembered else None
    ignored = list(target.environment.ignore_files)
    seen = seen or _seen_anew(path, own, generation, ignored, run)
    if seen is None:
        return
    agreement = {
        "manifest": read_from,
        "link": layout.link_target(name, generation.number),
        "venv": venv,
        "inventory": str(generation.inventory),
        "files": list(files.items()),
        "followed": list(led_to.items()),
        "generation": generation.number,
        "env": applied.settings.get("env") or {},
        "ignored": ignored,
        **seen,
    }
    _write(path, agreement)


def _seen_anew(
    path: str, own: str, generation: Generation, ignored: Sequence[str], run: _Run
) -> dict[str, object] | None:
    """Return what is remembered of a generation's files, by its inventory; keep what no other environment shares.

    None where it cannot be remembered.
    """
    venv = str(generation.venv)
    try:
        inventory = load_inventory(generation.inventory)
    except InventoryError:
        return None
    metadata = None if _leads_outside(venv, inventory) else metadata_columns(inventory, venv, _Trust(run))
    if metadata is None:
        return None
    signature = signature_of(generation.inventory.lstat())
    known = read_agreed(own)
    if known is None or known[INVENTORY] != signature:
        _write(own, own_columns(inventory, signature))
    return {"metadata": metadata, "listed": _listed(run, path, generation, ignored, inventory)}


def _as_before(path: str, venv: str, looking: Pass) -> dict[str, object] | None:
    """Return what was remembered of an environment's files, which were just found to be as it says; None if it is old.

    What is shared may have been linked again since; then its signatures are.
    """
    before = read_agreed(path)
    if before is None or not untouched(venv, before["metadata"], looking, {}):
        return None
    return {"metadata": before["metadata"], "listed": before["listed"]}


def _rests_on_itself(target: Target, applied: Applied) -> bool:
    return not (
        target.lock is None
        or target.packages is None
        or target.environment.system_site_packages
        or applied.hooks_pending
        or any(isinstance(each.source, SourceDirectory) for each in target.packages)
    )


def _leads_outside(venv: str, inventory: Inventory) -> bool:
    """Say whether a `.pth` file adds directories to the path: what is installed there is looked at anew."""
    for relative in site_directories(inventory):
        site = SiteDirectory(path=f"{venv}/{relative}", relative=relative)
        if named_directories(venv, site, os.listdir(site.path)):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Trust:
    """Trusts what a run has looked at and nobody has touched since, and what a remembered hash proves."""

    run: _Run

    def __call__(self, status: os.stat_result, content: bytes) -> bool:
        if self.run.observed and _older(status, self.run):
            return True
        signature = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return bool(content) and self.run.inodes.known(status.st_dev, status.st_ino, signature) == content


def _listed(
    run: _Run, path: str, generation: Generation, ignored: Sequence[str], inventory: Inventory
) -> dict[str, tuple[int, int]]:
    """Return the directories that moved or were made since the seal, in which a full comparison found nothing wrong."""
    if run.files:
        return moved_since(str(generation.venv), inventory, lambda status: _older(status, run))
    before = read_agreed(path)
    same = before is not None and (before["generation"], before["ignored"]) == (generation.number, ignored)
    return dict(before["listed"]) if before and same else {}


def _signature(path: Path, run: _Run, *, ours: bool = False, follow: bool = True) -> "Signature | None":
    """Return a file's signature; None where it is gone or, unless only we may write it now, younger than the run."""
    try:
        status = path.stat(follow_symlinks=follow)
    except OSError:
        return None
    return signature_of(status) if ours or _older(status, run) else None


def _lock_signature(lock: Lock, before_run: LockState, run: _Run) -> "Signature | None":
    """Return a lock's signature; one that this run wrote itself must still hold what it wrote."""
    signature = _signature(lock.path, run, follow=False) if before_run is LockState.FRESH else None
    if signature is None and not run.observed:
        with suppress(OSError):
            before = lock.path.lstat()
            held = "sha256:" + sha256(lock.path.read_bytes()).hexdigest()
            settled = before.st_ctime_ns < time.time_ns() - TICK_NS
            if held == lock.digest and settled and signature_of(lock.path.lstat()) == signature_of(before):
                return signature_of(before)
    return signature


def _older(status: os.stat_result, run: _Run) -> bool:
    """Say whether a file was last touched before the run began to look, by more than the clock's tick."""
    return max(status.st_mtime_ns, status.st_ctime_ns) < run.since - TICK_NS


def _write(path: str, value: Mapping[str, object]) -> None:
    """Write such a file unless it says the same already. Raises OSError."""
    content = dump_marshalled("agreed", value)
    file = Path(path)
    with suppress(FileNotFoundError):
        if file.read_bytes() == content:
            return
    write_atomic(file, content, flush=False)
