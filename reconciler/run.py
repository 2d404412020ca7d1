"""`envsync run`: become a command inside the generation that is published at this moment.

It stands before every service start, so it reads the record and the symlink alone, never the manifest's contents: a
broken manifest stops no service. The command replaces this process: signals and exit code are its own.
"""

import fcntl
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from reconciler.errors import EnvsyncError
from reconciler.state.layout import Generation, Layout
from reconciler.state.store import State

_ROOT_KEY = re.compile(r"""^(?:root|"root"|'root')\s*:\s*(?P<value>"[^"]*"|'[^']*'|[^#\s][^#]*?)\s*(?:\#.*)?$""")
_DEFAULT_ROOT = ".envs"
_SHELL_ONLY = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")


class RunError(EnvsyncError):
    """The environment cannot be entered."""

    exit_code = 125
    code = "run"


class NotExecutableError(EnvsyncError):
    """The command was found and cannot be executed."""

    exit_code = 126
    code = "not-executable"


class NotFoundError(EnvsyncError):
    """The command is neither in the environment nor on PATH."""

    exit_code = 127
    code = "not-found"


def root_of(file: Path) -> Path:
    """Return the root that the manifest at `file` names, by its `root:` line alone; the rest may be broken.

    Raises RunError where the file cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise RunError(f"{file}: {error.strerror}", hint="name the manifest with -f FILE") from error
    found = next((match["value"] for line in lines if (match := _ROOT_KEY.match(line))), _DEFAULT_ROOT)
    return Path(os.path.abspath(file)).parent / found.strip("'\"")  # noqa: PTH100  # links in the way stay


def run_in(root: Path, name: str, argv: Sequence[str], ambient: Mapping[str, str]) -> NoReturn:
    """Replace this process by `argv` in the published generation of `name`, with the `env` last applied.

    Raises RunError (125), NotExecutableError (126) or NotFoundError (127).
    """
    state = State.at(root)
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise RunError(f"not an environment name: {name!r}")
    generation = _enter(state.layout, name)
    applied = state.applied(name)
    stored = applied.settings.get("env") if applied else None
    env = {key: value for key, value in ambient.items() if key not in _SHELL_ONLY}
    env |= {str(key): str(value) for key, value in stored.items()} if isinstance(stored, dict) else {}
    bin_directory = str(generation.venv / "bin")
    env["VIRTUAL_ENV"] = str(generation.venv)
    env["PATH"] = f"{bin_directory}:{env['PATH']}" if env.get("PATH") else bin_directory
    program = _find(argv[0], env["PATH"])
    try:
        os.execve(program, list(argv), env)  # noqa: S606  # the user's own command, no shell
    except FileNotFoundError as error:
        raise NotFoundError(f"{argv[0]}: not found (or its interpreter is not)") from error
    except OSError as error:
        raise NotExecutableError(f"{argv[0]}: {error.strerror}") from error


def _enter(layout: Layout, name: str) -> Generation:
    """Hold a shared lock on the published generation, which the command inherits: gc then leaves it alone."""
    for _ in range(10):  # published anew and collected between the look and the lock: look again
        number = layout.published_number(name)
        if number == 0:
            raise RunError(f"environment {name} is not published below {layout.root}", hint="run `envsync apply`")
        generation = layout.generation(name, number)
        try:
            descriptor = os.open(generation.in_use, os.O_RDONLY | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue
        except PermissionError:  # a root that we may only read: gc finds us through /proc
            return generation
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.set_inheritable(descriptor, True)
        if generation.seal.exists():
            return generation
        os.close(descriptor)
    raise RunError(f"environment {name} is being published again and again")


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
    if denied:
        raise NotExecutableError(f"{denied}: Permission denied")
    raise NotFoundError(f"{program}: not found in the environment or on PATH")
