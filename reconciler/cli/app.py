"""The typer application: commands are registered here, each in its own module; errors end here, once."""

import io
import os
import sys
from typing import Annotated

import typer

from reconciler import __version__
from reconciler.cli import inspect, lock, manifest, run_help, upkeep
from reconciler.cli.apply import apply, destroy
from reconciler.cli.common import common_last, with_common_options
from reconciler.cli.plan import check, plan
from reconciler.cli.screen import screen
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name in Unicode on a terminal that is not: escaped, no crash
            stream.reconfigure(errors="backslashreplace")
    command = typer.main.get_command(app)
    try:
        code = command.main(args=common_last(arguments) or ["--help"], prog_name="envsync", standalone_mode=False)
    except ManifestError as error:
        sys.stderr.write(render_problems(error))
        return error.exit_code
    except EnvsyncError as error:
        sys.stderr.write(render_error(error, screen().palette(sys.stderr)))
        return error.exit_code
    except typer.TyperException as error:  # typer's own complaints about the command line
        usage = UsageError(error.format_message(), hint="`envsync COMMAND --help` lists what there is")
        sys.stderr.write(render_error(usage, screen().palette(sys.stderr)))
        return usage.exit_code
    except BrokenPipeError:  # the reader left: `envsync plan | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a file system that does not play along: a path and a reason, no traceback
        where = f"{error.filename}: " if error.filename else ""
        told = EnvsyncError(f"{where}{error.strerror or error}")
        sys.stderr.write(render_error(told, screen().palette(sys.stderr)))
        return told.exit_code
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted\n")
        return InterruptedByUserError.exit_code
    return code if isinstance(code, int) else 0
