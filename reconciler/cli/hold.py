"""`envsync hold` and `envsync release`: leave an environment alone, and end that."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.cli.console import console
from reconciler.cli.options import FileOption, LockTimeoutOption
from reconciler.cli.plan_output import plan_text
from reconciler.errors import EnvsyncError
from reconciler.options import PlanOptions, Selection
from reconciler.reconcile import Workspace
from reconciler.render.escape import sanitize
from reconciler.render.hold_text import hold_text
from reconciler.state.applied import Applied
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS


def hold(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The environment to hold.")],
    reason: Annotated[
        str,
        typer.Argument(
            metavar="REASON",
            help="The reason, which plans show: an incident number, a link or a quoted text.",
        ),
    ],
    file: FileOption = Path("envs.yaml"),
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Hold an environment: applies leave it alone until `envsync release NAME`.

    What is published stays published. `apply` and `destroy` do not change, repair or delete it. Its drift and its
    pending changes are still reported. A second hold replaces the reason. `envsync rollback NAME --hold REASON` rolls
    back and holds.
    """
    workspace = reconciler.load(file)
    applied = workspace.maintenance.hold(name, reason, timeout=lock_timeout)
    print_hold(applied, published=workspace.state.layout.published_number(name))


def release(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The environment to release.")],
    file: FileOption = Path("envs.yaml"),
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """End the hold of an environment, and show what the next `apply` will do with it."""
    workspace = reconciler.load(file)
    ended = workspace.maintenance.release(name, timeout=lock_timeout)
    out = console()
    out.print(f"{name}: released; the hold was: {hold_text(ended)}")
    try:
        shown = _next_apply(workspace, name, file)
    except EnvsyncError as error:
        out.message(f"note: the next `apply` could not be planned: {sanitize(error.message)}")
    else:
        out.print(f"\n{shown}")


def print_hold(applied: Applied, *, published: int) -> None:
    """Write that an environment is held, if it is, and how that ends; `published` is its generation (0: none)."""
    if applied.hold is None:
        return
    name, out = sanitize(applied.name), console()
    what = f"generation {published} is held" if published else "held"
    out.print(f"{name}: {what}: {hold_text(applied.hold)}")
    out.message(f"hint: run `envsync release {name}` to let `apply` change it again")


def _next_apply(workspace: Workspace, name: str, file: Path) -> str:
    """Return the plan of one environment as text; nothing is resolved. Raises EnvsyncError."""
    declared = name in workspace.declared.declared
    chosen = Selection(names=(name,)) if declared else Selection()
    made = workspace.plan(chosen, PlanOptions(resolve=False, offline=True)).plan
    only = tuple(each for each in made.environments if each.name == name)
    return plan_text(replace(made, environments=only), command="plan", file=file)
