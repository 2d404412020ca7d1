"""Reports an error that ends a command: text on standard error and, with `--output json`, JSON on standard output."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise

from reconciler.cli.console import console, output_errors
from reconciler.errors import EnvsyncError, ManifestError, OutputError
from reconciler.events import Failure
from reconciler.render.error_text import render_error, render_failures, render_problems

_STREAMING = frozenset({"apply", "destroy", "publish"})  # their JSON output is one object a line


def report_error(error: EnvsyncError, arguments: list[str]) -> int:
    """Report `error`, even with `--quiet`, and return its exit code.

    `arguments` are those of the command that it ended. If a stream is full or closed, only the exit code reports it.
    """
    if _wants_json(arguments):
        from reconciler.render.error_document import error_json  # its models are slow to import

        with suppress(OutputError):
            console().print(error_json(error, one_line=arguments[0] in _STREAMING))
    print_error(error)
    return error.exit_code


def print_error(error: EnvsyncError) -> None:
    """Write an error as text, even with `--quiet`."""
    if isinstance(error, ManifestError):
        text = render_problems(error)
    else:
        text = render_error(error, console().palette(sys.stderr))
    _write(text)


def print_failures(failures: Mapping[str, Failure]) -> None:
    """Write the failure of each environment as text, even with `--quiet`."""
    _write(render_failures(failures, console().palette(sys.stderr)))


def _write(text: str) -> None:
    with suppress(OutputError), output_errors(sys.stderr):
        sys.stderr.write(text)
        sys.stderr.flush()


def _wants_json(arguments: list[str]) -> bool:
    """Return whether JSON output was requested, by a command line that may be invalid in other ways."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--output=json" in own or ("--output", "json") in pairwise(own)
