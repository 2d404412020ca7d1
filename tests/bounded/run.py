"""Reads one file in a process of its own, with a limit of its processor time."""

import os
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from reconciler.errors import EnvsyncError

_FINE, _UNEXPECTED = 0, 9


def outcome(read: Callable[[Path, str], object], directory: Path, text: str, *, most: float) -> tuple[float, str]:
    """Return the processor time in seconds that `read` takes for a text, and what went wrong (an empty text: nothing).

    An error that a command prints is a refusal, and fine. The process is ended after `most` seconds of processor time.
    """
    said, say = os.pipe()
    child = os.fork()
    if not child:
        os.close(said)
        before = resource.getrusage(resource.RUSAGE_SELF)
        used = before.ru_utime + before.ru_stime
        resource.setrlimit(resource.RLIMIT_CPU, (int(used + most) + 1, int(used + most) + 2))
        code, words = _FINE, ""
        try:
            read(directory, text)
        except EnvsyncError:
            pass
        except BaseException as error:  # noqa: BLE001  # any other error would be a traceback in front of a user
            code = _UNEXPECTED
            places = [
                f"{each.filename.rpartition('/')[2]}:{each.lineno}"
                for each in traceback.extract_tb(error.__traceback__)
            ]
            words = f"{type(error).__name__} at {' '.join(places[-4:])}: {str(error)[:100]!r}"
        os.write(say, words.encode("utf-8", "replace"))
        sys.stderr.flush()
        os._exit(code)
    os.close(say)
    _, status, used_up = os.wait4(child, 0)
    with os.fdopen(said, "rb") as stream:
        words = stream.read().decode("utf-8", "replace")
    if os.WIFSIGNALED(status):
        words = f"ended by signal {os.WTERMSIG(status)}"
    return used_up.ru_utime + used_up.ru_stime, words
