"""`envsync run`: replace this process by a command in the published generation of an environment.

It is used before every service start, so it reads only the record and the published link. It never reads the contents
of the manifest, so an invalid manifest cannot stop a service. The command replaces this process, so signals and the
exit code are the command's own. Modules that take time to import are imported only when they are needed.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # no stub; `signal` itself takes longer to import
import fcntl
import os

from reconciler.fastpath.agreement import agreement_path, read_cache_file, record_unchanged
from reconciler.fs.file_lock import lock_file
from reconciler.state.former_name import home_of
from reconciler.state.published_link import published_number
from reconciler.state.root_check import is_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_OPEN_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW  # O_PATH needs no permission
_REMOVED = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")
_MARK_SECONDS = 0.5  # to wait for the lock of a mark
_VERSION = frozenset("0123456789.")


def run_in(root: str, name: str, argv: Sequence[str], ambient: Mapping[str, str], *, file: str) -> NoReturn:
    """Replace this process by `argv` in the published generation of `name`, with the `env` last applied.

    `file` is the manifest, which is read only to explain a failure. Raises RunError (125), NotExecutableError (126) or
    NotFoundError (127).
    """
    if name[:1] not in _LETTERS or not _LETTERS.union("_-").issuperset(name):
        from reconciler.run_errors import invalid_name

        raise invalid_name(name)
    if os.path.isdir(root) and not is_safe(root):  # noqa: PTH112  # no pathlib here
        from reconciler.run_errors import refuse_root

        refuse_root(root)
    number = _enter(root, name, file)
    venv = f"{_directory(root, name, number)}/venv"
    env = {key: value for key, value in ambient.items() if key not in _REMOVED}
    env |= _applied_env(root, name, number)
    outside = env.get("PATH", "")
    env["VIRTUAL_ENV"] = venv
    env["PATH"] = f"{venv}/bin:{outside}" if outside else f"{venv}/bin"
    program = _find(argv[0], venv, outside, name)
    for ignored_by_python in (_signal.SIGPIPE, _signal.SIGXFSZ):  # the command must not inherit that
        _signal.signal(ignored_by_python, _signal.SIG_DFL)
    try:
        os.execve(program, list(argv), env)  # noqa: S606  # the user's own command, no shell
    except (OSError, ValueError) as error:  # ValueError: a NUL character in a variable
        from reconciler.run_errors import not_started

        raise not_started(argv[0], program, venv, name, error) from error


def _enter(root: str, name: str, file: str) -> int:
    """Return the published generation's number, and mark it as in use, so that gc does not delete it.

    Raises RunError if nothing is published, or if it cannot be read.
    """
    for _ in range(10):  # it may be replaced and collected before it is marked; then try the next one
        number = published_number(root, name)
        if number == 0:
            break
        generation = _directory(root, name, number)
        mark = _hold_mark(generation)
        try:
            os.lstat(f"{generation}/seal.json")
        except OSError as error:
            if mark >= 0:
                os.close(mark)
            if isinstance(error, (FileNotFoundError, NotADirectoryError)):
                continue
            from reconciler.run_errors import unreadable

            raise unreadable(f"{generation}/seal.json", error) from error
        return number
    from reconciler.run_errors import not_published

    raise not_published(root, name, file)


def _directory(root: str, name: str, number: int) -> str:
    """Return the directory of a generation, which is below a former name if the environment was renamed."""
    generations = f"{root}/.envsync/generations"
    return f"{generations}/{home_of(generations, name, number)}/{number}"


def _hold_mark(generation: str) -> int:
    """Hold a shared lock on a generation's mark; return its descriptor, which the command inherits.

    Return -1 if that is not possible, for any reason: the root may be read-only or full, or on a network file system
    without locks, or another process keeps the mark locked (gc does so for a moment only). The command must start in
    any case, and gc finds its process in /proc.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW  # O_NONBLOCK: a named pipe must not block
    mark = directory = -1
    try:
        # In place of a collected generation is a symbolic link, and no mark must be created where it points to.
        directory = os.open(generation, _OPEN_DIRECTORY)
        try:
            mark = os.open("in-use", flags, dir_fd=directory)
        except FileNotFoundError:
            mark = os.open("in-use", flags | os.O_CREAT, 0o644, dir_fd=directory)
        if mark <= 2:  # a standard stream was closed; it must not become this file
            mark, stream = fcntl.fcntl(mark, fcntl.F_DUPFD, 3), mark
            os.close(stream)
        if not lock_file(mark, fcntl.LOCK_SH, _MARK_SECONDS):
            raise BlockingIOError
        os.set_inheritable(mark, True)
    except OSError:
        if mark >= 0:
            os.close(mark)
        return -1
    finally:
        if directory >= 0:
            os.close(directory)
    return mark


def _applied_env(root: str, name: str, number: int) -> dict[str, str]:
    """Return the variables that were last applied: from the cache if the record is unchanged, else from the record."""
    try:
        agreement = read_cache_file(agreement_path(root, name))
        if agreement is not None and agreement["generation"] == number and record_unchanged(agreement):
            return {str(key): str(value) for key, value in agreement["env"].items()}
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):  # damaged, or from a different version
        pass
    from pathlib import Path

    from reconciler.run_errors import as_run_error
    from reconciler.state.store import State

    with as_run_error():
        applied = State.at(Path(root)).applied(name)
    stored = applied.settings.get("env") if applied else None
    return {str(key): str(value) for key, value in stored.items()} if isinstance(stored, dict) else {}


def _find(program: str, venv: str, path: str, name: str) -> str:
    """Return the path of a command: in the environment if the name exists there in any form, else on `path`.

    Nothing on `path` replaces the own programs of the environment, and no Python or pip comes from there. If it has no
    working `python`, nothing from outside is started either: it would find a different `python` on PATH. Relative
    entries of `path` are not searched: a file in the working directory could take the place of a command. Raises
    NotFoundError or NotExecutableError as a shell would, or RunError.
    """
    own = f"{venv}/bin/{program}"
    if program and "/" not in program and os.path.lexists(own):
        if os.path.isfile(own) and os.access(own, os.X_OK):  # noqa: PTH113
            return own
        from reconciler.run_errors import unusable

        raise unusable(program, venv, name)
    if not os.access(f"{venv}/bin/python", os.X_OK):
        from reconciler.run_errors import no_interpreter

        raise no_interpreter(program, venv, name, wanted=_is_python_or_pip(program))
    if "/" in program:
        return program
    denied = None
    if program and not _is_python_or_pip(program):
        for directory in path.split(":"):
            candidate = f"{directory}/{program}"
            if directory.startswith("/") and os.path.isfile(candidate):  # noqa: PTH113
                if os.access(candidate, os.X_OK):
                    return candidate
                denied = denied or candidate
    from reconciler.run_errors import not_found

    raise not_found(program, name, path, denied=denied, reserved=_is_python_or_pip(program))


def _is_python_or_pip(program: str) -> bool:
    """Return whether a command is an interpreter (`python`, `python3.12`, `pythonw`) or pip (`pip`, `pip3`)."""
    lower = program.lower()
    return lower.startswith("python") or (lower.startswith("pip") and _VERSION.issuperset(lower[3:]))
