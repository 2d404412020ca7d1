"""`envsync run [-f FILE] NAME -- CMD…`, parsed without typer, because every service start waits for it."""

from __future__ import annotations

import os

from reconciler.cli.argument_order import is_common
from reconciler.fastpath.root_line import read_root
from reconciler.run import run_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.errors import EnvsyncError

USAGE = "write `envsync run [-f FILE] NAME -- COMMAND [ARG]...`"


def run(arguments: list[str]) -> int:
    """Run a command in an environment; return only if that failed, with 125, 126 or 127."""
    file = None
    try:
        file, name, command = _parse(arguments)
        run_in(_root(file), name, command, os.environ, file=file)
    except _error_root() as error:
        return _report(error, file)
    except OSError as error:  # 1 would be the exit code of the command
        from reconciler.errors import RunError
        from reconciler.fs.os_error_hint import os_error_hint

        where = f"{error.filename}: " if error.filename else ""
        return _report(RunError(f"{where}{error.strerror or error}", hint=os_error_hint(error)), file)


def _report(error: EnvsyncError, file: str | None) -> int:
    """Print an error, if standard error is open, and return the exit code of `run` for it.

    `file` is the manifest as it was named, None if that is not known.
    """
    import contextlib

    from reconciler.exit_codes import BY_COMMAND, RUN_FAILED
    from reconciler.render.error_text import render_error
    from reconciler.render.manifest_option import set_manifest_option
    from reconciler.render.style import Palette

    set_manifest_option(file, os.environ)
    with contextlib.suppress(OSError):
        os.write(2, render_error(error, Palette.plain()).encode("utf-8", "backslashreplace"))
    return error.exit_code if error.exit_code in BY_COMMAND["run"] else RUN_FAILED


def _error_root() -> type[EnvsyncError]:
    """Return the root of the error tree, imported only if an error was raised."""
    from reconciler.errors import EnvsyncError

    return EnvsyncError


def _root(file: str) -> str:
    """Return the root that the manifest's `root:` line names; raises RunError."""
    try:
        return read_root(file)
    except OSError as error:
        from reconciler.errors import RunError
        from reconciler.fs.os_error_hint import os_error_hint

        hint = os_error_hint(error) or "name the manifest with `-f FILE`"
        raise RunError(f"{file}: {error.strerror}", hint=hint) from error


def _parse(arguments: list[str]) -> tuple[str, str, list[str]]:
    """Return manifest, environment name and command; raises RunError."""
    file = os.environ.get("ENVSYNC_FILE") or "envs.yaml"
    own = list(arguments)
    while own and own[0].startswith("-") and own[0] != "--":
        option = own.pop(0)
        if option in {"-f", "--file"}:
            if not own:
                raise _usage(f"`{option}` requires a value")
            file = own.pop(0)
        elif is_common(option):  # accepted, though `run` prints nothing of its own
            if option == "--color" and own:
                own.pop(0)
        elif option.startswith("--file="):
            file = option.removeprefix("--file=")
        else:
            raise _unknown(option)
    if not own or own[0] == "--":
        raise _usage("`envsync run` requires NAME")
    name, *command = own
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        raise _usage("`envsync run` requires COMMAND")
    return file, name, command


def _unknown(option: str) -> EnvsyncError:
    from reconciler.backticks import in_backticks

    return _usage(f"unknown option {in_backticks(option)} of `envsync run`")


def _usage(message: str) -> EnvsyncError:
    from reconciler.errors import RunError

    return RunError(message, hint=USAGE)
