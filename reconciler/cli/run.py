"""`envsync run [-f FILE] NAME -- CMD…`, parsed by hand: it stands before every service start."""

import os
import sys
from pathlib import Path

from reconciler.cli.arguments import is_common
from reconciler.errors import EnvsyncError
from reconciler.run import RunError, root_of, run_in

USAGE = "usage: envsync run [-f FILE] NAME -- COMMAND [ARGUMENT…]"


def run(arguments: list[str]) -> int:
    """Run a command in an environment; return only where that failed, with 125, 126 or 127."""
    try:
        file, name, command = _parse(arguments)
        run_in(root_of(Path(file)), name, command, os.environ)
    except EnvsyncError as error:
        from reconciler.render.error import render_error
        from reconciler.render.style import Palette

        sys.stderr.write(render_error(error, Palette.plain()))
        return error.exit_code


def _parse(arguments: list[str]) -> tuple[str, str, list[str]]:
    """Return manifest, environment name and command; raises RunError."""
    file = os.environ.get("ENVSYNC_FILE") or "envs.yaml"
    own = list(arguments)
    while own and own[0].startswith("-") and own[0] != "--":
        option = own.pop(0)
        if option in {"-f", "--file"} and own:
            file = own.pop(0)
        elif is_common(option):  # a command that is become says nothing, quiet or not
            if option == "--color" and own:
                own.pop(0)
        elif option.startswith("--file="):
            file = option.removeprefix("--file=")
        else:
            raise RunError(f"unknown option {option}", hint=USAGE)
    if not own or own[0] == "--":
        raise RunError("no environment was named", hint=USAGE)
    name, *command = own
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        raise RunError("no command was given", hint=USAGE)
    return file, name, command
