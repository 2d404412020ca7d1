"""The command line: arguments in, exit code out.

Three things are answered before anything slow is imported: `--version`, `run`, and a `plan` or `check` that finds
nothing to do. The typer application (`reconciler.cli.app`) does the rest.
"""

import gc
import os
import sys

import reconciler
from reconciler.cli.argument_order import common_last
from reconciler.cli.process_exit import exit_process


def main() -> None:
    """Run `envsync` with this process's arguments, and exit with its exit code (docs/design.md, "Exit codes")."""
    try:
        if getattr(reconciler, "DISTRIBUTION", "") != "envsync-reconciler":
            raise ImportError("the package `reconciler` is not the one of envsync")  # noqa: TRY301  # handled as one
        code = dispatch(sys.argv[1:])
    except ImportError as error:
        from reconciler.cli.installation import report_overwritten

        code = report_overwritten(error)
    exit_process(code)


def dispatch(arguments: list[str]) -> int:
    """Run `envsync` with `arguments`; return its exit code."""
    arguments = common_last(arguments)
    if arguments[:1] in (["--version"], ["-V"]):
        from reconciler import __version__

        try:
            os.write(1, f"envsync {__version__}\n".encode("ascii"))
        except OSError:  # the full program reports the error
            return _full_program(arguments)
        return 0
    if arguments[:1] == ["run"] and not {"-h", "--help"} & set(arguments[: _own(arguments)]):
        from reconciler.cli.run import run

        return run(arguments[1:])
    from reconciler.fastpath.answer import answer

    if answer(arguments, os.environ):
        return 0
    return _full_program(arguments)


def _full_program(arguments: list[str]) -> int:
    """Run the typer application; return its exit code."""
    gc.disable()  # modules are never garbage, and collecting during imports takes a tenth of their time
    try:
        from reconciler.cli.app import main as application

        return application(arguments)
    except KeyboardInterrupt:  # before the application handles signals, or after it ended
        from reconciler import exit_codes

        return exit_codes.INTERRUPTED


def _own(arguments: list[str]) -> int:
    """Return how many arguments of `run` are its own: those before `--`."""
    return arguments.index("--") if "--" in arguments else len(arguments)
