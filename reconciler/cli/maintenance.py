"""`envsync history`, `rollback`, `verify` and `gc`: upkeep of a root, apart from plan and apply."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler import exit_codes
from reconciler.canonical_json import to_json
from reconciler.cli.console import console
from reconciler.cli.hold import release_hint
from reconciler.cli.options import DepthOption, FileOption, LockTimeoutOption, Output, OutputOption
from reconciler.errors import UsageError
from reconciler.json_output import json_array
from reconciler.observe.actual import Depth
from reconciler.render.escape import sanitize
from reconciler.render.hold_text import hold_text
from reconciler.state.applied import Applied
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS


def history(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="List only the runs or generations of this environment.",
            show_default="all environments",
        ),
    ] = None,
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    generations: Annotated[
        bool, typer.Option("--generations", help="List the kept generations instead of the runs.")
    ] = False,
) -> None:
    """List past runs or kept generations."""
    from reconciler.render.history_text import render_generations, render_runs  # only this command needs it

    maintenance = reconciler.load(file).maintenance
    out = console()
    chosen = maintenance.names((name,) if name else (), deleted=True)
    if generations:
        kept = [each for known in chosen for each in maintenance.generations(known)]
        if output is Output.JSON:
            out.print(json_array(to_json(each) for each in kept))
        else:
            out.print(render_generations(kept, palette=out.palette(sys.stdout), width=out.width))
        return
    runs = maintenance.runs(name)
    if output is Output.JSON:
        out.print(json_array(runs))
    else:
        out.print(render_runs(runs, palette=out.palette(sys.stdout), width=out.width))


def rollback(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The environment to roll back.")],
    to: Annotated[
        int | None,
        typer.Option(
            "--to",
            metavar="N",
            help="The generation to publish.",
            show_default="the previous intact one",
        ),
    ] = None,
    hold: Annotated[
        str | None,
        typer.Option(
            "--hold",
            metavar="REASON",
            help="Hold the environment, for this reason: applies leave it alone until `envsync release NAME`.",
        ),
    ] = None,
    file: FileOption = Path("envs.yaml"),
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Publish an older generation again, immediately and offline.

    Its files are verified by hash first. The next `plan` shows the difference from the manifest as pending, and the
    next `apply` undoes the rollback, unless the environment is held. For a deleted environment, restores the generation
    that was published when it was deleted.
    """
    workspace = reconciler.load(file)
    maintenance = workspace.maintenance
    restores = name in maintenance.deleted()
    published = workspace.state.layout.published_number(name)
    out = console()

    def show_skipped(sentence: str) -> None:
        out.message(f"note: {sanitize(sentence)}")

    applied = maintenance.rollback(name, to=to, hold=hold, timeout=lock_timeout, on_skip=show_skipped)
    now = workspace.state.layout.published_number(name)
    if not now:
        out.print(f"{name}: what `--adopt` replaced is at its path again")
        out.message("hint: envsync does not manage it; `envsync apply --adopt` takes it over again")
    elif restores:
        out.print(f"{name}: restored, generation {applied.generation} is published again")
        if name not in workspace.desired().declared:
            out.message(f"hint: declare `{name}` in `{sanitize(file.name)}`, or the next `apply` deletes it again")
    elif now != published:
        out.print(
            f"{name}: generation {applied.generation} is published again, generation {applied.rolled_back_from} is kept"
        )
    if applied.hold is None and now and not restores:
        out.message("hint: change the manifest as well, or the next `apply` undoes the rollback")
    _show_hold(applied)


def _show_hold(applied: Applied) -> None:
    """Write that an environment is held, and how that ends."""
    if applied.hold is not None:
        out = console()
        out.print(f"{applied.name}: generation {applied.generation} is held: {hold_text(applied.hold)}")
        out.message(release_hint(applied.name))


def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Check only these environments.", show_default="all environments"),
    ] = None,
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    depth: DepthOption = Depth.HASHES,
) -> None:
    """Check published environments against their seals, by hash.

    Shows whether anything changed since the environment was built. Does not compare with the manifest. Exits with 2 if
    anything changed.
    """
    from reconciler.render.verify_text import render_verification, verification_json  # only this command needs it

    verified = reconciler.load(file).maintenance.verify(tuple(names or ()), depth)
    out = console()
    if output is Output.JSON:
        out.print(verification_json(verified))
    else:
        out.print(render_verification(verified, palette=out.palette(sys.stdout), width=out.width))
    if not all(each.intact for each in verified):
        raise typer.Exit(exit_codes.DIFFERENCE)


def gc(
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")] = False,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Also delete what is kept of deleted environments.")
    ] = False,
    cache: Annotated[
        bool, typer.Option("--cache", help="Also delete what nothing needs from the root's caches.")
    ] = False,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Delete old generations.

    Keeps the published generation, the newest generations up to `keep_generations`, and those that a running process
    uses. Of a deleted environment, keeps the same until `keep_deleted` is over. Never deletes files that envsync did
    not create: it reports them and exits with 1. It does the same for a generation that cannot be deleted.

    With `--cache`, also cleans the caches of the root: deletes packages that no generation uses, facts about
    interpreters, manifests, environments and files that no longer exist, and temporary directories of envsync processes
    that were killed. The user's own package cache (`cache: user`) is not touched.
    """
    from reconciler.render.gc_text import gc_json, render_gc  # only this command needs it

    if dry_run and cache:
        raise UsageError("`--dry-run` and `--cache` cannot be combined", hint="remove one of the two")
    workspace = reconciler.load(file)
    found = workspace.maintenance.collect(dry_run=dry_run, deleted=deleted, timeout=lock_timeout)
    caches = workspace.collect_caches(timeout=lock_timeout) if cache else []
    out = console()
    out.print(gc_json(found, caches) if output is Output.JSON else render_gc(found, caches, dry_run=dry_run))
    if any(each.foreign or each.failure for each in found) or any(each.failure for each in caches):
        raise typer.Exit(exit_codes.FAILURE)
