"""Tells an error that ends a command: text on standard error and, where JSON was asked for, JSON on standard output."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise

from reconciler.cli.console import screen, written_to
from reconciler.errors import EnvsyncError, ManifestError, OutputError
from reconciler.events import Failure
from reconciler.render.error import render_error, render_failures
from reconciler.render.problems import render_problems

_STREAMING = frozenset({"apply", "destroy"})  # their JSON is one object a line


def refuse(error: EnvsyncError, arguments: list[str]) -> int:
    """Tell `error`, quiet or not, and return its exit code; `arguments` are those of the command that it ended.

    Where a stream is full or closed, the exit code must do.
    """
    if _wants_json(arguments):
        from reconciler.render.error_document import error_json  # its models take their time

        with suppress(OutputError):
            screen().say(error_json(error, one_line=arguments[0] in _STREAMING))
    complain(error)
    return error.exit_code


def complain(error: EnvsyncError) -> None:
    """Write an error for people, quiet or not."""
    if isinstance(error, ManifestError):
        text = render_problems(error)
    else:
        text = render_error(error, screen().palette(sys.stderr))
    _write(text)


def complain_of(failures: Mapping[str, Failure]) -> None:
    """Write what failed for each environment, quiet or not."""
    _write(render_failures(failures, screen().palette(sys.stderr)))


def _write(text: str) -> None:
    with suppress(OutputError), written_to(sys.stderr):
        sys.stderr.write(text)
        sys.stderr.flush()


def _wants_json(arguments: list[str]) -> bool:
    """Say whether JSON was asked for, by a command line that may be wrong in other ways."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--output=json" in own or ("--output", "json") in pairwise(own)
