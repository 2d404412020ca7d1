"""`envsync trust`: trust a root that was restored, moved or copied, or that belongs to a different user."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.canonical_json import canonical_text
from reconciler.cli.confirmation import confirm, require_terminal
from reconciler.cli.console import console
from reconciler.cli.options import FileOption, LockTimeoutOption, Output, OutputOption, YesOption
from reconciler.render.escape import sanitize
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS


def trust(
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    group: Annotated[
        bool, typer.Option("--group", help="Also accept that the group of the root may write to it.")
    ] = False,
    yes: YesOption = False,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Trust a root that was restored, moved or copied, that an older envsync made, or that is a different user's.

    Shows first whether every published environment matches its seal, by hash. A user who can write below a root
    can make it match: trust it only if you know where it comes from. Its caches are deleted.

    A root of a different user can then be read, and programs can be run from it, but only its owner can change it.
    """
    from reconciler.render.verify_text import render_verification  # only these commands need it

    if not yes:
        require_terminal(purpose="trust the root")
    maintenance = reconciler.load(file).maintenance
    out = console()
    examined = maintenance.examine_for_trust(group=group)
    if output is Output.TEXT:
        out.print(render_verification(examined.verified, palette=out.palette(sys.stdout), width=out.width))
    if not yes:
        confirm(f"\nTrust `{sanitize(str(examined.root))}`? Enter `yes` to trust it: ")
    maintenance.trust(examined, timeout=lock_timeout)
    if output is Output.JSON:
        out.print(canonical_text({"root": str(examined.root), "owner": examined.owner, "own": examined.is_own}))
        return
    root = sanitize(str(examined.root))
    out.print(
        f"`{root}` is trusted. Its caches were deleted."
        if examined.is_own
        else f"`{root}` of {sanitize(examined.owner)} is trusted for this user."
    )
