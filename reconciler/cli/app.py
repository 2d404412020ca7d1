"""The typer application: commands are registered here, each in its own module; errors end here, once."""

import gc
from typing import Annotated

import typer

from reconciler import __version__
from reconciler.cli import lock, maintenance, manifest, run_help, status
from reconciler.cli.apply import apply, destroy
from reconciler.cli.argument_order import common_last
from reconciler.cli.common_options import with_common_options
from reconciler.cli.console import open_streams, screen
from reconciler.cli.error_output import refuse
from reconciler.cli.observe import observe
from reconciler.cli.plan import check, plan
from reconciler.cli.show import show
from reconciler.cli.signals import stop_on_signals
from reconciler.errors import EnvsyncError, FileSystemError, InterruptedByUserError, UsageError

_OBJECTS_BETWEEN_COLLECTIONS = 50_000

app = typer.Typer(
    name="envsync",
    help="Keep the Python virtual environments of a machine equal to a manifest in git.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:  # typer's callback
    if wanted:
        screen().say(f"envsync {__version__}")
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
    check,
    observe,
    status.status,
    status.freeze,
    destroy,
    maintenance.history,
    maintenance.rollback,
    maintenance.verify,
    maintenance.gc,
)
for _command in _COMMANDS:
    app.command()(with_common_options(_command))
app.command()(run_help.run)


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code of the design's section 9."""
    gc.freeze()  # modules stay; and what one command makes is seldom garbage: looking for it takes a tenth of the time
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()
    open_streams()
    stop_on_signals()
    command = typer.main.get_command(app)
    ordered = common_last(arguments)
    try:
        code = command.main(args=ordered or ["--help"], prog_name="envsync", standalone_mode=False)
    except EnvsyncError as error:
        return refuse(error, ordered)
    except typer.TyperException as error:  # typer's own complaints about the command line
        said = error.format_message().replace("Value error, ", "", 1)  # what validates for typer, said so
        return refuse(UsageError(said, hint="`envsync COMMAND --help` lists what there is"), ordered)
    except OSError as error:  # a file system that does not play along: a path and a reason, no traceback
        where = f"{error.filename}: " if error.filename else ""
        return refuse(FileSystemError(f"{where}{error.strerror or error}"), ordered)
    except (typer.Abort, KeyboardInterrupt):
        return refuse(InterruptedByUserError("interrupted"), ordered)
    return code if isinstance(code, int) else 0
