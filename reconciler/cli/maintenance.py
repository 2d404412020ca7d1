"""`envsync history`, `rollback`, `verify` and `gc`: what keeps a root well beside plan and apply."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.cli.console import screen
from reconciler.cli.options import DepthOption, FileOption, LockTimeoutOption, NamesArgument, Output, OutputOption
from reconciler.observe.actual import Depth
from reconciler.render.maintenance_text import (
    collected_json,
    documents_json,
    generations_json,
    render_collected,
    render_generations,
    render_runs,
    render_verified,
    verified_json,
)
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS

_DIFFERENCE = 2
_LEFT = 1


def history(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One environment: its generations, too.")] = None,
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    generations: Annotated[bool, typer.Option("--generations", help="The kept generations, not the runs.")] = False,
) -> None:
    """List runs, and the generations that are kept."""
    upkeep = reconciler.load(file).upkeep
    out = screen()
    chosen = upkeep.names((name,) if name else ())
    if generations:
        kept = [each for known in chosen for each in upkeep.generations(known)]
        if output is Output.JSON:
            out.say(generations_json(kept))
        else:
            out.say(render_generations(kept, palette=out.palette(sys.stdout), width=out.width))
        return
    runs = upkeep.runs(name)
    if output is Output.JSON:
        out.say(documents_json(runs))
    else:
        out.say(render_runs(runs, palette=out.palette(sys.stdout), width=out.width))


def rollback(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The environment.")],
    to: Annotated[
        int | None, typer.Option("--to", metavar="N", min=1, help="The generation; default: the one before.")
    ] = None,
    file: FileOption = Path("envs.yaml"),
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Publish an older generation: at once, offline.

    It is verified by hash first. The plan then shows what the manifest asks for beyond it; the next apply goes there.
    """
    applied = reconciler.load(file).upkeep.rollback(name, to=to, timeout=lock_timeout)
    out = screen()
    out.say(f"{name}: generation {applied.generation} is published, {applied.rolled_back_from} is kept")
    out.talk("hint: change the manifest as well, or the next apply brings the newer one back")


def verify(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    depth: DepthOption = Depth.HASHES,
) -> None:
    """Hold what is published against its seal, by hash.

    Whatever the manifest says now: was anything changed since it was made? Exit 2 where something was.
    """
    verified = reconciler.load(file).upkeep.verify(tuple(names or ()), depth)
    out = screen()
    if output is Output.JSON:
        out.say(verified_json(verified))
    else:
        out.say(render_verified(verified, palette=out.palette(sys.stdout), width=out.width))
    if not all(each.intact for each in verified):
        raise typer.Exit(_DIFFERENCE)


def gc(
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Delete generations that nothing keeps.

    Kept are the published one, the newest `keep_generations`, and those that a live process runs from. What is not the
    directory that envsync made is left, and said to be: exit 1.
    """
    found = reconciler.load(file).upkeep.collect(dry_run=dry_run, timeout=lock_timeout)
    out = screen()
    out.say(collected_json(found) if output is Output.JSON else render_collected(found, dry_run=dry_run))
    if any(each.foreign for each in found):
        raise typer.Exit(_LEFT)
