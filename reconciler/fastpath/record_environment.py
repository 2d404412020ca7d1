"""Records the agreement of one environment: its desired state equals its last applied state, and why that is known.

An environment gets no agreement if its state depends on more than its manifest, lock, record, seal and its own
directory: local source trees, system site packages, or distributions elsewhere that a `.pth` file points to.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.diff.model import Target
from reconciler.errors import InventoryError
from reconciler.fastpath.agreement import (
    INVENTORY_SIGNATURE,
    agreement_path,
    own_columns_path,
    read_cache_file,
    stat_signature,
)
from reconciler.fastpath.completed_run import CompletedRun, write_cache_file
from reconciler.fastpath.metadata_columns import metadata_columns, site_directories
from reconciler.fastpath.own_columns import own_columns
from reconciler.fastpath.stat_check import StatPass, entries_unchanged
from reconciler.fs.access_bits import root_bits
from reconciler.fs.own_files import unlink_own
from reconciler.lock.freshness import local_archives
from reconciler.lock.model import LockState, SourceDirectory
from reconciler.lock.yanked import yanked_notes
from reconciler.observe.site import SiteDirectory
from reconciler.observe.startup import adds_directories
from reconciler.state.applied import Applied
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import load_inventory
from reconciler.state.layout import Generation

Times = dict[str, list[int]]
"""mtime and ctime (nanoseconds) of directories, by relative path."""


def record_environment(run: CompletedRun, name: str, target: Target, reading: str, stat_pass: StatPass) -> None:
    """Write an environment's agreement, or remove it if the environment can have none; raises OSError.

    `reading` is the digest of the manifest reading. `stat_pass` serves all environments of the run.
    """
    applied, layout = run.applied.get(name), run.state.layout
    path, own = agreement_path(str(layout.root), name), own_columns_path(str(layout.root), name)
    if applied is None or not _is_self_contained(target, applied):
        for each in (path, own):
            unlink_own(each)
        return
    generation = layout.generation(name, applied.generation)
    venv = str(generation.venv)
    assert target.lock is not None  # noqa: S101  # _is_self_contained checks it
    written_by_run = not run.observed
    renamed = () if generation.home == name else (layout.generations(name) / str(generation.number),)
    ours = (layout.record(name), generation.seal, generation.inventory, *renamed)
    files = {str(each): run.signature(each, written_by_run=written_by_run, follow=False) for each in ours}
    files[str(target.lock.path)] = run.lock_signature(target.lock, fresh=target.lock_state is LockState.FRESH)
    archives = (str(each) for each in local_archives(target.lock))
    followed = {each: run.signature(Path(each)) for each in (f"{venv}/bin/python", target.interpreter.path, *archives)}
    if None in (*files.values(), *followed.values()):
        return
    ignored = list(target.environment.ignored_files)
    contents = _unchanged_contents(path, venv, stat_pass) if name in run.inodes.quickly_compared else None
    contents = contents or _new_contents(path, own, generation, ignored, run)
    if contents is None:
        return
    agreement = {
        "manifest": reading,
        "link": layout.link_target(name, generation.number),
        "venv": venv,
        "inventory": str(generation.inventory),
        "files": list(files.items()),
        "followed": list(followed.items()),
        "generation": generation.number,
        "env": applied.settings.get("env") or {},
        "ignored": ignored,
        "access": root_bits(str(layout.root)),
        "searched": "" if target.environment.python.startswith("/") else os.path.dirname(target.interpreter.path),  # noqa: PTH120
        "until": min((each.until for each in target.environment.exceptions if each.until), default=""),
        **contents,
    }
    write_cache_file(path, agreement)


def _is_self_contained(target: Target, applied: Applied) -> bool:
    """Return whether an environment's state depends on its lock, record and seal and its own directory only."""
    return not (
        target.lock is None
        or target.packages is None
        or target.environment.system_site_packages
        or target.environment.build_env.hashes  # the shell may have other values
        or applied.hooks_pending
        or applied.trial_since
        or applied.hold is not None  # every plan and check reports it
        or yanked_notes(target.lock, target.packages)  # every plan and check reports it
        or any(each.expired for each in target.environment.exceptions)  # every plan and check reports it
        or any(not each.equal for each in applied.overlaps)  # every plan and check reports it
        or any(isinstance(each.source, SourceDirectory) for each in target.packages)
        # Of these, only the dependencies count on this platform, but a change of them makes the lock out of date.
        or any(each.path is not None and each.path.is_dir() for each in target.environment.requirements)
    )


def _unchanged_contents(path: str, venv: str, stat_pass: StatPass) -> dict[str, object] | None:
    """Return what the last agreement has about files that were just found unchanged, None if that is out of date.

    It is out of date if shared files got new links since, because these changed the ctimes.
    """
    before = read_cache_file(path)
    if before is None or not entries_unchanged(venv, before["metadata"], stat_pass, {}):
        return None
    return {"metadata": before["metadata"], "listed": before["listed"]}


def _new_contents(
    path: str, own: str, generation: Generation, ignored: Sequence[str], run: CompletedRun
) -> dict[str, object] | None:
    """Return what an agreement has about a generation's files, by its inventory, and write the own columns.

    None if a file of the generation makes an agreement impossible.
    """
    venv = str(generation.venv)
    try:
        inventory = load_inventory(generation.inventory)
    except InventoryError:
        return None
    metadata = None if _has_outside_directories(venv, inventory) else metadata_columns(inventory, venv, run.trusts)
    if metadata is None:
        return None
    signature = stat_signature(generation.inventory.lstat())
    known = read_cache_file(own)
    if known is None or known[INVENTORY_SIGNATURE] != signature:
        write_cache_file(own, own_columns(inventory, signature))
    return {"metadata": metadata, "listed": _accepted_directories(run, path, generation, ignored, inventory)}


def _has_outside_directories(venv: str, inventory: Inventory) -> bool:
    """Return whether a `.pth` file adds directories to the import path, whose distributions and code may change."""
    sites = (SiteDirectory(path=f"{venv}/{each}", relative=each) for each in site_directories(inventory))
    return any(adds_directories(venv, each) for each in sites)


def _accepted_directories(
    run: CompletedRun, path: str, generation: Generation, ignored: Sequence[str], inventory: Inventory
) -> Times:
    """Return the directories that changed or were made since the seal, in which a full comparison found nothing wrong.

    A run that did not compare files keeps those of the last agreement.
    """
    if run.files:
        return _changed_directories(str(generation.venv), inventory, run)
    before = read_cache_file(path)
    same = before is not None and (before["generation"], before["ignored"]) == (generation.number, ignored)
    return dict(before["listed"]) if before and same else {}


def _changed_directories(venv: str, inventory: Inventory, run: CompletedRun) -> Times:
    """Return the directories of a venv that changed or were made since its inventory, with their current times.

    If a directory was made (`__pycache__`, or one that `ignore_files` matches), everything below it counts too. A
    changed directory that is younger than the run is left out, and so will be compared again.
    """
    found: Times = {}
    recorded = frozenset(inventory.directories)
    times = zip(inventory.directories, inventory.directory_mtimes, inventory.directory_ctimes, strict=True)
    for directory, mtime, ctime in times:
        status = os.lstat(f"{venv}/{directory}")
        now = [status.st_mtime_ns, status.st_ctime_ns]
        if now != [mtime, ctime] and run.is_older(status):
            found[directory] = now
            found |= _new_directories(venv, directory, recorded, run)
    return found


def _new_directories(venv: str, directory: str, recorded: frozenset[str], run: CompletedRun) -> Times:
    """Return the directories below `directory` that are not in the inventory.

    One that is younger than the run gets times that never match, so that it will be compared again.
    """
    found: Times = {}
    with os.scandir(f"{venv}/{directory}" if directory else venv) as listing:
        for entry in listing:
            path = f"{directory}/{entry.name}" if directory else entry.name
            if path not in recorded and entry.is_dir(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found[path] = [status.st_mtime_ns, status.st_ctime_ns] if run.is_older(status) else [0, 0]
                found |= _new_directories(venv, path, recorded, run)
    return found
