"""The typer application: commands are registered here, each from its own module, and errors are caught here, once."""

import gc
from typing import Annotated

import typer

from reconciler import __version__
from reconciler.cli import lock, maintenance, manifest, run_help, status
from reconciler.cli.apply import apply, destroy, publish
from reconciler.cli.argument_order import common_last
from reconciler.cli.common_options import with_common_options
from reconciler.cli.console import console, open_streams
from reconciler.cli.diff import diff
from reconciler.cli.doctor import doctor
from reconciler.cli.error_output import report_error
from reconciler.cli.hold import hold, release
from reconciler.cli.observe import observe
from reconciler.cli.plan import check, plan
from reconciler.cli.show import show
from reconciler.cli.signals import stop_on_signals
from reconciler.cli.trust import trust
from reconciler.cli.typer_commands import HelpfulCommand, HelpfulGroup
from reconciler.errors import EnvsyncError, FileSystemError, InterruptedByUserError
from reconciler.fs.os_error_hint import os_error_hint

_OBJECTS_BETWEEN_COLLECTIONS = 50_000

app = typer.Typer(
    name="envsync",
    cls=HelpfulGroup,
    help="Keep the Python virtual environments of a machine equal to a manifest in git.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:  # typer's callback
    if wanted:
        console().print(f"envsync {__version__}")
        raise typer.Exit


@app.callback()
def envsync(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Keep the Python virtual environments of a machine equal to a manifest in git."""


_COMMANDS = (
    manifest.validate,
    manifest.schema,
    lock.lock,
    plan,
    show,
    apply,
    publish,
    check,
    observe,
    status.status,
    status.freeze,
    destroy,
    maintenance.history,
    diff,
    maintenance.rollback,
    hold,
    release,
    maintenance.verify,
    maintenance.gc,
    trust,
    doctor,
)
_PRINT_PLANS = (plan, show, apply, publish, check, destroy)
for _command in _COMMANDS:
    app.command(cls=HelpfulCommand)(with_common_options(_command, prints_plan=_command in _PRINT_PLANS))
app.command(cls=HelpfulCommand)(run_help.run)


def main(arguments: list[str]) -> int:
    """Run one command; return its exit code (docs/design.md, "Exit codes")."""
    # Modules are never garbage, and one command creates little: collection would take a tenth of the run time.
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()
    open_streams()
    stop_on_signals()
    command = typer.main.get_command(app)
    ordered = common_last(arguments)
    try:
        code = command.main(args=ordered or ["--help"], prog_name="envsync", standalone_mode=False)
    except EnvsyncError as error:
        return report_error(error, ordered)
    except OSError as error:  # a path and a reason instead of a traceback
        where = f"{error.filename}: " if error.filename else ""
        what = f"{where}{error.strerror or error}"
        hint = os_error_hint(error) or "check the file or directory, then run the command again"
        return report_error(FileSystemError(what, hint=hint), ordered)
    except (typer.Abort, KeyboardInterrupt):
        return report_error(InterruptedByUserError("interrupted", hint=None), ordered)
    return code if isinstance(code, int) else 0
