"""`envsync run`: become a command inside the generation that is published at this moment.

It stands before every service start, so it reads the record and the symlink alone, never the manifest's contents: a
broken manifest stops no service. The command replaces this process: signals and exit code are its own. Whatever takes
time to import is imported where it is needed.
"""

from __future__ import annotations

import fcntl
import os

from reconciler.fastpath.agreement import agreement_file, read_agreed, still_recorded
from reconciler.state.published_link import link_target, published_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_SHELL_ONLY = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")


def run_in(root: str, name: str, argv: Sequence[str], ambient: Mapping[str, str]) -> NoReturn:
    """Replace this process by `argv` in the published generation of `name`, with the `env` last applied.

    Raises RunError (125), NotExecutableError (126) or NotFoundError (127).
    """
    if name[:1] not in _LETTERS or not _LETTERS.union("_-").issuperset(name):
        from reconciler.errors import RunError

        raise RunError(f"not an environment name: {name!r}")
    number = _enter(root, name)
    venv = f"{root}/{link_target(name, number)}"
    env = {key: value for key, value in ambient.items() if key not in _SHELL_ONLY}
    env |= _applied_env(root, name, number)
    env["VIRTUAL_ENV"] = venv
    env["PATH"] = f"{venv}/bin:{env['PATH']}" if env.get("PATH") else f"{venv}/bin"
    program = _find(argv[0], env["PATH"])
    try:
        os.execve(program, list(argv), env)  # noqa: S606  # the user's own command, no shell
    except FileNotFoundError as error:
        from reconciler.errors import NotFoundError

        raise NotFoundError(f"{argv[0]}: not found (or its interpreter is not)") from error
    except OSError as error:
        from reconciler.errors import NotExecutableError

        raise NotExecutableError(f"{argv[0]}: {error.strerror}") from error


def _enter(root: str, name: str) -> int:
    """Hold a shared lock on the published generation, which the command inherits: gc then leaves it alone."""
    from_here = "is not published"
    for _ in range(10):  # published anew and collected between the look and the lock: look again
        number = published_number(root, name)
        if number == 0:
            break
        generation = f"{root}/{link_target(name, number)}".removesuffix("/venv")
        try:
            descriptor = os.open(f"{generation}/in-use", os.O_RDONLY | os.O_CREAT, 0o644)
        except FileNotFoundError:
            from_here = "is being published again and again"
            continue
        except PermissionError:  # a root that we may only read: gc finds us through /proc
            return number
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.set_inheritable(descriptor, True)
        if os.path.lexists(f"{generation}/seal.json"):
            return number
        os.close(descriptor)
    from reconciler.errors import RunError

    raise RunError(f"environment {name} {from_here} below {root}", hint="run `envsync apply`")


def _applied_env(root: str, name: str, number: int) -> dict[str, str]:
    """Return the variables that were last applied: as remembered while the record is the same, else from the record."""
    agreement = read_agreed(agreement_file(root, name))
    if agreement is not None and agreement["generation"] == number and still_recorded(agreement):
        return dict(agreement["env"])
    from pathlib import Path

    from reconciler.state.store import State

    applied = State.at(Path(root)).applied(name)
    stored = applied.settings.get("env") if applied else None
    return {str(key): str(value) for key, value in stored.items()} if isinstance(stored, dict) else {}


def _find(program: str, path: str) -> str:
    """Return the program's path; raises NotFoundError or NotExecutableError as a shell would tell."""
    if "/" in program:
        return program
    denied = None
    for directory in path.split(":"):
        candidate = os.path.join(directory or ".", program)  # noqa: PTH118
        if os.path.isfile(candidate):  # noqa: PTH113
            if os.access(candidate, os.X_OK):
                return candidate
            denied = candidate
    from reconciler.errors import NotExecutableError, NotFoundError

    if denied:
        raise NotExecutableError(f"{denied}: Permission denied")
    raise NotFoundError(f"{program}: not found in the environment or on PATH")
