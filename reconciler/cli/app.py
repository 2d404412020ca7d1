"""The typer application: commands are registered here, each in its own module; errors end here, once."""

import signal
import sys
from contextlib import suppress
from typing import Annotated

import typer

from reconciler import __version__
from reconciler.cli import inspect, lock, manifest, run_help, upkeep
from reconciler.cli.apply import apply, destroy
from reconciler.cli.arguments import common_last
from reconciler.cli.common import with_common_options
from reconciler.cli.plan import check, plan
from reconciler.cli.screen import open_streams, screen, written_to
from reconciler.errors import EnvsyncError, InterruptedByUserError, ManifestError, UsageError
from reconciler.render.error import render_error
from reconciler.render.problems import render_problems

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
        typer.echo(f"envsync {__version__}")
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
    apply,
    check,
    inspect.status,
    inspect.freeze,
    destroy,
    upkeep.history,
    upkeep.rollback,
    upkeep.verify,
    upkeep.gc,
)
for _command in _COMMANDS:
    app.command()(with_common_options(_command))
app.command()(run_help.run)


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code of the design's section 9."""
    open_streams()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: cleared up, and 130
    command = typer.main.get_command(app)
    try:
        code = command.main(args=common_last(arguments) or ["--help"], prog_name="envsync", standalone_mode=False)
    except ManifestError as error:
        _complain(render_problems(error))
        return error.exit_code
    except EnvsyncError as error:
        _complain(render_error(error, screen().palette(sys.stderr)))
        return error.exit_code
    except typer.TyperException as error:  # typer's own complaints about the command line
        usage = UsageError(error.format_message(), hint="`envsync COMMAND --help` lists what there is")
        _complain(render_error(usage, screen().palette(sys.stderr)))
        return usage.exit_code
    except OSError as error:  # a file system that does not play along: a path and a reason, no traceback
        where = f"{error.filename}: " if error.filename else ""
        told = EnvsyncError(f"{where}{error.strerror or error}")
        _complain(render_error(told, screen().palette(sys.stderr)))
        return told.exit_code
    except (typer.Abort, KeyboardInterrupt):
        _complain("interrupted\n")
        return InterruptedByUserError.exit_code
    return code if isinstance(code, int) else 0


def _complain(text: str) -> None:
    """Write an error, quiet or not; where standard error is full or closed, the exit code must do."""
    with suppress(EnvsyncError), written_to(sys.stderr):
        sys.stderr.write(text)
        sys.stderr.flush()
