"""Run `envsync` in a forked process that has already imported it, which saves the start of an interpreter."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.cli.app import main
from tests.host import Ran


def command(arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], output_directory: Path) -> Ran:
    """Run one command to its end, with its output in files in `output_directory`. The caller must have one thread."""
    out, err = output_directory / "out", output_directory / "err"
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(env)
            for descriptor, path in ((1, out), (2, err)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            code = main(list(arguments))
        except BaseException:  # a forked child must never return into the test; it prints the error and exits below
            sys.excepthook(*sys.exc_info())
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    stdout, stderr = (each.read_text("utf-8", "replace") for each in (out, err))
    return Ran(code=os.waitstatus_to_exitcode(status), out=stdout, err=stderr)
