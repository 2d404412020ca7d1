"""`envsync history`, `rollback`, `verify` and `gc`: upkeep of a root, apart from plan and apply."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler import exit_codes
from reconciler.apply.changed_environment import ChangedEnvironment, ChangeKind
from reconciler.canonical_json import to_json
from reconciler.cli.console import console
from reconciler.cli.hold import hint_to_release
from reconciler.cli.next_apply import only_environment, plan_next_apply
from reconciler.cli.options import (
    DepthOption,
    FileOption,
    LockTimeoutOption,
    OfflineOption,
    Output,
    OutputOption,
    RebuildTimeoutOption,
    deadlines,
)
from reconciler.errors import EnvsyncError, UsageError
from reconciler.json_output import json_array
from reconciler.observe.actual import Depth
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.reconcile import Workspace
from reconciler.render.changed_environment_text import changed_json, render_changed
from reconciler.render.escape import sanitize
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS


def history(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="List the generations of this environment.",
            show_default="the runs of all environments",
        ),
    ] = None,
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    generations: Annotated[
        bool, typer.Option("--generations", help="List the kept generations of all environments.")
    ] = False,
    runs: Annotated[bool, typer.Option("--runs", help="List the runs that changed this environment.")] = False,
) -> None:
    """List past runs, or the kept generations of one environment.

    The list starts with the oldest, and times are local. For each generation, it shows who made it and its state:
    `published`, `kept`, `damaged` (its files differ from its seal), `drifted` (it was replaced because it had drifted),
    `unreadable` or `newer format`. A rollback skips or rebuilds those that are neither published nor kept.
    """
    from reconciler.render.history_text import render_generations, render_runs  # only this command needs it

    if generations and runs:
        raise UsageError("`--generations` and `--runs` cannot be combined", hint="remove one of the two")
    maintenance = reconciler.load(file).maintenance
    out = console()
    chosen = maintenance.names((name,) if name else (), deleted=True)
    if generations or (name and not runs):
        kept = maintenance.generation_history(chosen)
        if output is Output.JSON:
            out.print(json_array(to_json(each) for each in kept))
        else:
            out.print(render_generations(kept, palette=out.palette(sys.stdout), width=out.width))
        return
    past = maintenance.runs(name)
    if output is Output.JSON:
        out.print(json_array(past))
    else:
        out.print(render_runs(past, palette=out.palette(sys.stdout), width=out.width))


def rollback(
    name: Annotated[str, typer.Argument(help="The environment to roll back.")],
    to: Annotated[
        int | None,
        typer.Option(
            "--to",
            metavar="N",
            help="The generation to publish.",
            show_default="the newest sound one",
        ),
    ] = None,
    hold: Annotated[
        str | None,
        typer.Option(
            "--hold",
            metavar="REASON",
            help="Hold the environment for this reason: applies leave it alone until `envsync release NAME`.",
        ),
    ] = None,
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild/--no-rebuild",
            help="Rebuild a generation from its own lock if its files differ from its seal.",
        ),
    ] = True,
    offline: OfflineOption = False,
    timeout: RebuildTimeoutOption = None,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Publish an older generation again, immediately and offline.

    Its files are verified by hash first. If they differ from its seal, it is rebuilt from its own lock as a new
    generation. The rebuild uses the package cache, and the index if files in the cache are damaged or missing.

    The next `plan` shows the difference from the manifest as pending. The next `apply` undoes the rollback, unless the
    environment is held or matches the manifest. If the environment was deleted, the generation that was published at
    that time is restored.

    In JSON, `action` says what was done: `rollback`, `restore`, `restore-adopted` or `hold`. `next` has the action of
    the next `apply`, and is null if the environment is held or could not be planned.
    """
    workspace = reconciler.load(file, deadlines=deadlines(timeout))
    out = console()
    notes: list[str] = []

    def note(sentence: str) -> None:
        notes.append(sentence)
        out.message(f"note: {sanitize(sentence)}")

    changed = workspace.maintenance.rollback(
        name, to=to, hold=hold, timeout=lock_timeout, on_skip=note, rebuild=rebuild, offline=offline
    )
    if output is Output.TEXT:
        out.print(render_changed(changed))
    following, message = _next_apply(workspace, changed, file)
    if output is Output.JSON:
        out.print(changed_json(changed, notes=notes, following=following))
    out.message(message)
    hint_to_release(changed)


def _next_apply(workspace: Workspace, changed: ChangedEnvironment, file: Path) -> tuple[EnvironmentPlan | None, str]:
    """Return what the next apply does after a rollback (None: not known), and what to do about that, as a message."""
    name, manifest = changed.name, sanitize(file.name)
    if changed.action is ChangeKind.RESTORE_ADOPTED:
        return None, "hint: envsync does not manage it now; run `envsync apply --adopt` to take it over again"
    if changed.hold is not None:
        return None, ""
    try:
        following = only_environment(plan_next_apply(workspace, name))
        declared = name in workspace.declared.declared
    except (EnvsyncError, OSError):  # the rollback is done; a plan shows what is wrong with the manifest
        following, declared = None, True
    if not declared:
        return following, f"hint: declare `{name}` in `{manifest}`, or the next `apply` deletes it"
    if changed.action is not ChangeKind.ROLLBACK:
        return following, ""
    if following is not None and following.action is Action.NO_OP and not following.blocked:
        return following, f"note: `{name}` matches `{manifest}`, so the next `apply` does not undo the rollback"
    return following, "hint: change the manifest as well, or the next `apply` undoes the rollback"


def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Check only these environments.", show_default="all environments"),
    ] = None,
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    depth: DepthOption = Depth.HASHES,
    generations: Annotated[
        bool,
        typer.Option("--generations", help="Check every kept generation, not only the published ones."),
    ] = False,
) -> None:
    """Check published environments against their seals, by hash.

    Shows whether anything changed since the environment was built. Does not compare with the manifest. Exits with 2 if
    anything changed. Older generations that differ are only noted. With `--generations` they count too.
    """
    # only this command needs it
    from reconciler.render.verify_text import (
        generations_json,
        render_generations,
        render_verification,
        verification_json,
    )

    maintenance = reconciler.load(file).maintenance
    out = console()
    if generations:
        found = maintenance.verify_generations(tuple(names or ()), depth)
        if output is Output.JSON:
            out.print(generations_json(found))
        else:
            out.print(render_generations(found, palette=out.palette(sys.stdout), width=out.width))
        if not all(each.integrity.intact for each in found):
            raise typer.Exit(exit_codes.DIFFERENCE)
        return
    verified = maintenance.verify(tuple(names or ()), depth)
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
    uses. For a deleted environment, keeps the same generations until `keep_deleted` is over. Never deletes files that
    envsync did not create: it reports them and exits with 1. It does the same for a generation that cannot be deleted.

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
