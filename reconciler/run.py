"""`envsync run`: replace this process by a command in the published generation of an environment.

It is used before every service start, so it reads only the record and the published link. It never reads the contents
of the manifest, so an invalid manifest cannot stop a service. The command replaces this process, so signals and the
exit code are the command's own. Modules that take time to import are imported only when they are needed.
"""

from __future__ import annotations

import fcntl
import os

from reconciler.fastpath.agreement import agreement_path, read_cache_file, record_unchanged
from reconciler.state.published_link import link_target, published_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_REMOVED = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")


def run_in(root: str, name: str, argv: Sequence[str], ambient: Mapping[str, str]) -> NoReturn:
    """Replace this process by `argv` in the published generation of `name`, with the `env` last applied.

    Raises RunError (125), NotExecutableError (126) or NotFoundError (127).
    """
    if name[:1] not in _LETTERS or not _LETTERS.union("_-").issuperset(name):
        from reconciler.backticks import in_backticks
        from reconciler.errors import RunError

        raise RunError(f"{in_backticks(name)} is not a valid environment name", hint="use a name from `envs.yaml`")
    number = _enter(root, name)
    venv = f"{root}/{link_target(name, number)}"
    env = {key: value for key, value in ambient.items() if key not in _REMOVED}
    env |= _applied_env(root, name, number)
    env["VIRTUAL_ENV"] = venv
    env["PATH"] = f"{venv}/bin:{env['PATH']}" if env.get("PATH") else f"{venv}/bin"
    program = _find(argv[0], env["PATH"])
    try:
        os.execve(program, list(argv), env)  # noqa: S606  # the user's own command, no shell
    except FileNotFoundError as error:
        from reconciler.errors import NotFoundError

        what = f"{argv[0]}: the file, or the interpreter in its first line, was not found"
        raise NotFoundError(what, hint="correct the path, or the first line of the file") from error
    except OSError as error:
        from reconciler.errors import NotExecutableError

        denied = isinstance(error, PermissionError)
        hint = "make the file executable" if denied else "correct the first line of the file"
        raise NotExecutableError(f"{argv[0]}: {error.strerror}", hint=hint) from error


def _enter(root: str, name: str) -> int:
    """Return the published generation's number, and hold a shared lock on it, so that gc does not delete it.

    The command inherits the lock. Raises RunError if nothing is published.
    """
    problem = "is not published"
    for _ in range(10):  # it may be replaced and collected before it is locked; then try the next one
        number = published_number(root, name)
        if number == 0:
            break
        generation = f"{root}/{link_target(name, number)}".removesuffix("/venv")
        try:
            descriptor = os.open(f"{generation}/in-use", os.O_RDONLY | os.O_CREAT, 0o644)
        except FileNotFoundError:
            problem = "was replaced again and again while it was opened"
            continue
        except PermissionError:  # the root is read-only for this user; gc finds the process in /proc
            return number
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.set_inheritable(descriptor, True)
        if os.path.lexists(f"{generation}/seal.json"):
            return number
        os.close(descriptor)
    from reconciler.errors import RunError
    from reconciler.fs.os_error_hint import os_error_hint

    try:
        os.lstat(f"{root}/{name}")
    except PermissionError as error:
        what = f"`{root}/{name}` could not be read: {error.strerror}"
        raise RunError(what, hint=os_error_hint(error)) from error
    except OSError:
        pass
    raise RunError(
        f"environment `{name}` {problem} in `{root}`", hint=f"correct the name, or run `envsync apply {name}`"
    )


def _applied_env(root: str, name: str, number: int) -> dict[str, str]:
    """Return the variables that were last applied: from the cache if the record is unchanged, else from the record."""
    agreement = read_cache_file(agreement_path(root, name))
    if agreement is not None and agreement["generation"] == number and record_unchanged(agreement):
        return dict(agreement["env"])
    from pathlib import Path

    from reconciler.state.store import State

    applied = State.at(Path(root)).applied(name)
    stored = applied.settings.get("env") if applied else None
    return {str(key): str(value) for key, value in stored.items()} if isinstance(stored, dict) else {}


def _find(program: str, path: str) -> str:
    """Return the program's path; raises NotFoundError or NotExecutableError as a shell would."""
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
        raise NotExecutableError(f"{denied}: Permission denied", hint="make the file executable")
    hint = "correct the name, or add the package that has the command to the manifest"
    raise NotFoundError(f"{program}: not found in the environment or on `PATH`", hint=hint)
