"""Arguments to reconcile to render to exit code.

`--version`, `run`, and a `plan` or `check` that finds nothing to do, are answered before anything heavy is imported;
everything else is the typer application.
"""

import gc
import os
import sys

from reconciler.cli.argument_order import common_last
from reconciler.cli.process_exit import leave

_INTERRUPTED = 130


def main() -> None:
    """Run `envsync` with this process's arguments, and exit with the code of the design's section 9."""
    leave(dispatch(sys.argv[1:]))


def dispatch(arguments: list[str]) -> int:
    """Run `envsync` with `arguments`; return its exit code."""
    arguments = common_last(arguments)
    if arguments[:1] in (["--version"], ["-V"]):
        from reconciler import __version__

        try:
            os.write(1, f"envsync {__version__}\n".encode("ascii"))
        except OSError:  # the full program tells what is wrong
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
    """Run what is answered with everything imported; return its exit code."""
    gc.disable()  # until all is imported: modules stay, and to look in them for garbage takes a tenth of the time
    try:
        from reconciler.cli.app import main as application

        return application(arguments)
    except KeyboardInterrupt:  # before the application could listen, or after it ended
        return _INTERRUPTED


def _own(arguments: list[str]) -> int:
    """Return how many of `run`'s arguments are its own: those before `--`."""
    return arguments.index("--") if "--" in arguments else len(arguments)
