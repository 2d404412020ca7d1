"""`envsync lock`: bring the locks up to date, or check that they are."""

from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler import exit_codes
from reconciler.cli.console import console
from reconciler.cli.error_output import print_failures
from reconciler.cli.options import (
    FileOption,
    LabelsOption,
    NamesArgument,
    OfflineOption,
    ResolveTimeoutOption,
    deadlines,
    selection,
)
from reconciler.lock.model import LockState
from reconciler.lock.update import LockOutcome
from reconciler.lock.yanked import yanked_notes
from reconciler.render.escape import sanitize
from reconciler.render.phrases import count


def lock(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Upgrade every package to the newest version that the manifest allows.")
    ] = False,
    upgrade_package: Annotated[
        list[str] | None,
        typer.Option("--upgrade-package", "-P", metavar="PACKAGE", help="Upgrade this package."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing. Exit with 2 if a lock is missing or out of date.")
    ] = False,
    offline: OfflineOption = False,
    timeout: ResolveTimeoutOption = None,
) -> None:
    """Bring the locks up to date.

    Each environment has one lock, a PEP 751 file that lists every package with its hashes. Commit it. A lock that is up
    to date is not changed.
    """
    moving: bool | tuple[str, ...] = upgrade or tuple(upgrade_package or ())
    chosen = selection(names, labels)
    workspace = reconciler.load(file, deadlines=deadlines(timeout))
    outcomes = workspace.lock(chosen, upgrade=moving, check=check, offline=offline)
    counted = [each for each in outcomes if not each.note]
    behind = [each for each in counted if each.before is not LockState.FRESH]
    out = console()
    for each in outcomes:
        if each.note:
            out.message(f"note: {each.note}")
        elif check and each.failure is None and each.before in {LockState.MISSING, LockState.STALE}:
            state = "missing" if each.before is LockState.MISSING else "out of date"
            out.print(f"{each.environment}: {each.path.name} is {state}")
        elif each.changed:
            number = len(each.lock.document.get("packages", [])) if each.lock else 0
            out.message(f"{each.environment}: wrote {each.path.name}, {count(number, 'package')}")
        for note in yanked_notes(each.lock):
            out.message(f"note: {each.environment}: {sanitize(note)}")
        if each.former is not None and each.failure is None:
            out.message(_former_lock(each, check=check))
    failures = {each.environment: each.failure for each in outcomes if each.failure is not None}
    if failures:
        print_failures(failures)
        raise typer.Exit(exit_codes.FAILURE)
    if check and behind:
        raise typer.Exit(exit_codes.DIFFERENCE)
    if not behind and not any(each.changed for each in outcomes):
        out.message(f"{count(len(counted), 'lock')} {'is' if len(counted) == 1 else 'are'} up to date")


def _former_lock(outcome: LockOutcome, *, check: bool) -> str:
    """Return what became of the lock file that has the former name of a renamed environment."""
    name, former = outcome.environment, outcome.former
    shown = former.name if former is not None else ""
    if former is not None and not former.exists():
        return f"{name}: removed `{shown}`, which had its former name"
    if check and outcome.lock is not None and outcome.lock.path == former:
        return f"note: the lock of `{name}` is still in `{shown}`; run `envsync lock {name}` to rename it"
    return f"note: `{shown}` is no longer used, because its environment was renamed to `{name}`"
