"""`envsync lock`: bring the committed locks up to date, or say that they are not."""

from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.cli.console import screen
from reconciler.cli.error_output import complain_of
from reconciler.cli.options import (
    FileOption,
    LabelsOption,
    NamesArgument,
    OfflineOption,
    TimeoutOption,
    deadlines,
    selection,
)
from reconciler.diff.model import LockState

_NOT_DONE = 1
_DIFFERENCE = 2


def lock(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Let every pin move to the newest that fits.")] = False,
    upgrade_package: Annotated[
        list[str] | None,
        typer.Option("--upgrade-package", "-P", metavar="PACKAGE", help="Let this package's pin move."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 2 where a lock is not fresh.")] = False,
    offline: OfflineOption = False,
    timeout: TimeoutOption = None,
) -> None:
    """Bring the locks up to date, one an environment.

    A lock is a PEP 751 file that names every package with its hashes; commit it. A fresh one is left alone.
    """
    moving: bool | tuple[str, ...] = upgrade or tuple(upgrade_package or ())
    workspace = reconciler.load(file, deadlines=deadlines(timeout))
    outcomes = workspace.lock(selection(names, labels), upgrade=moving, check=check, offline=offline)
    behind = [each for each in outcomes if each.before is not LockState.FRESH]
    out = screen()
    for each in outcomes:
        if check and each.before is not LockState.FRESH:
            out.say(f"{each.environment}: {each.path.name} is {each.before.value}")
        elif each.changed:
            packages = each.lock.document.get("packages", []) if each.lock else []
            out.talk(f"{each.environment}: wrote {each.path.name}, {len(packages)} packages")
    failures = {each.environment: each.failure for each in outcomes if each.failure is not None}
    if failures:
        complain_of(failures)
        raise typer.Exit(_NOT_DONE)
    if check and behind:
        raise typer.Exit(_DIFFERENCE)
    if not behind and not any(each.changed for each in outcomes):
        count = len(outcomes)
        out.talk(f"{count} lock{' is' if count == 1 else 's are'} fresh")
