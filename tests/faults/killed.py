"""Run an action in a forked process that kills itself before one of its changes to the disk."""

import os
import signal
import sys
from collections.abc import Callable

# Python's own audit events (PEP 578). `python -m tests.faults` stops before every system call; this is faster.
CHANGES = frozenset(
    {"os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.remove", "os.truncate", "os.chmod", "os.utime"}
    | {"fcntl.flock", "fcntl.fcntl", "subprocess.Popen"}
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def run_killed(action: Callable[[], object], *, at: int) -> bool:
    """Run `action` in a fork and kill it before its change number `at` (from 1); return whether it made so many.

    The caller must have one thread. Raises RuntimeError if the action itself failed; its error is on stderr.
    """
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            sys.addaudithook(_Killer(at))
            action()
            code = 0
        except BaseException:  # a forked child must never return into the test; it prints the error and exits below
            sys.excepthook(*sys.exc_info())
            raise
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    ended = os.waitstatus_to_exitcode(status)
    if ended not in {0, -signal.SIGKILL}:
        raise RuntimeError(f"it was not killed, but exited with {ended}")
    return ended != 0


class _Killer:
    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
