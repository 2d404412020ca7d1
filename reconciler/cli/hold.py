"""`envsync hold` and `envsync release`: leave an environment alone, and end that."""

from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.apply.changed_environment import ChangedEnvironment
from reconciler.cli.console import console
from reconciler.cli.next_apply import only_environment, plan_next_apply
from reconciler.cli.options import FileOption, LockTimeoutOption, Output, OutputOption
from reconciler.cli.plan_output import plan_text
from reconciler.errors import EnvsyncError
from reconciler.render.changed_environment_text import changed_json, render_changed
from reconciler.render.escape import sanitize
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS


def hold(
    name: Annotated[str, typer.Argument(help="The environment to hold.")],
    reason: Annotated[
        str,
        typer.Argument(
            metavar="REASON",
            help="The reason, which plans show: an incident number, a link or a quoted text.",
        ),
    ],
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Hold an environment: applies leave it alone until `envsync release NAME`.

    What is published stays published. `apply` and `destroy` do not change, repair or delete it. Its drift and its
    pending changes are still reported. A second hold replaces the reason. `envsync rollback NAME --hold REASON` rolls
    back and holds.
    """
    changed = reconciler.load(file).maintenance.hold(name, reason, timeout=lock_timeout)
    console().print(render_changed(changed) if output is Output.TEXT else changed_json(changed, following=None))
    hint_to_release(changed)


def release(
    name: Annotated[str, typer.Argument(help="The environment to release.")],
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """End the hold of an environment, and show what the next `apply` will do with it.

    In JSON, `next` has the action of the next `apply`, and is null if it could not be planned.
    """
    workspace = reconciler.load(file)
    changed = workspace.maintenance.release(name, timeout=lock_timeout)
    out = console()
    if output is Output.TEXT:
        out.print(render_changed(changed))
    plan = None
    try:
        plan = plan_next_apply(workspace, name)
    except EnvsyncError as error:
        out.message(f"note: the next `apply` could not be planned: {sanitize(error.message)}")
    if output is Output.JSON:
        out.print(changed_json(changed, following=only_environment(plan)))
    elif plan is not None:
        out.print(f"\n{plan_text(plan, command='plan', file=file)}")


def hint_to_release(changed: ChangedEnvironment) -> None:
    """Write how the hold of an environment ends, if it is held."""
    if changed.hold is not None:
        console().message(f"hint: run `envsync release {sanitize(changed.name)}` to let `apply` change it again")
