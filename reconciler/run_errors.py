"""Explains why `envsync run` could not start a command; imported only then, because it imports much."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.backticks import list_in_backticks
from reconciler.errors import EnvsyncError, NotExecutableError, NotFoundError, RunError, StateError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.manifest.expand import environments_by_entry
from reconciler.manifest.hints import known_names_hint
from reconciler.manifest.load import load_manifest
from reconciler.state.former_name import renamed_to
from reconciler.state.layout import Layout
from reconciler.state.published_link import published_number
from reconciler.state.root_trust import refuse_untrusted

_PATH_OR_FIRST_LINE = "correct the path, or the first line of the file"
_NOT_EXECUTABLE = {
    errno.ENOEXEC: "add a first line such as `#!/bin/sh` to the file, or start it with its interpreter",
    errno.ETXTBSY: "wait until the program that writes the file has closed it",
    errno.E2BIG: "pass fewer or shorter arguments and environment variables",
    errno.ENAMETOOLONG: "use a shorter path",
    errno.ENOTDIR: _PATH_OR_FIRST_LINE,
    errno.ENOMEM: "free memory, then run the command again",
}


def invalid_name(name: str) -> RunError:
    """Return the error for text that cannot be the name of an environment."""
    return RunError(f"`{name}` is not a valid environment name", hint="use a name from the manifest")


@contextmanager
def as_run_error() -> Iterator[None]:
    """Raise an error of the state as a RunError, which has the exit code of `run`."""
    try:
        yield
    except StateError as error:
        raise RunError(error.message, hint=error.hint) from error


def refuse_root(root: str) -> None:
    """Raise RunError if programs must not be started from a root, because another user may have written its files."""
    with as_run_error():
        refuse_untrusted(Layout(Path(root)))


def unreadable(path: str, error: OSError) -> RunError:
    """Return the error for a file of the root that could not be read."""
    return RunError(f"`{path}` could not be read: {error.strerror}", hint=os_error_hint(error) or "correct the path")


def not_published(root: str, name: str, file: str) -> RunError:
    """Return why no generation of `name` can be entered, and what to do about it."""
    apply = f"run `envsync apply {name}`"
    if not os.path.isdir(root):  # noqa: PTH112
        try:
            os.stat(root)  # noqa: PTH116
        except FileNotFoundError:
            problem = f"environment `{name}` is not published: the root `{root}` does not exist"
            return RunError(problem, hint=f"{apply}, or name the manifest with `-f FILE`")
        except OSError as error:
            return unreadable(root, error)
        return RunError(f"the root `{root}` is not a directory", hint="correct `root` in the manifest")
    try:
        os.lstat(f"{root}/{name}")
    except FileNotFoundError:
        return _never_published(root, name, file)
    except OSError as error:
        return unreadable(f"{root}/{name}", error)
    new = renamed_to(root, name)
    if new:
        return RunError(f"environment `{name}` was renamed to `{new}`", hint=f"run `envsync run {new} COMMAND`")
    number = published_number(root, name)
    if number:
        return RunError(f"generation {number} of `{name}` is published, but it is missing or has no seal", hint=apply)
    problem = f"environment `{name}` is not published: `{root}/{name}` is not a symbolic link that envsync made"
    return RunError(problem, hint="move it to a different path, or take it over with `envsync apply --adopt`")


def _never_published(root: str, name: str, file: str) -> RunError:
    """Return the error for a name with nothing at its path: a matrix, a misspelling, or not applied yet."""
    try:
        entries = environments_by_entry(load_manifest(Path(file)))
    except (EnvsyncError, OSError):  # a broken manifest stops no service, and explains nothing here
        entries = {}
    members = entries.get(name, ())
    if members and members != (name,):
        return RunError(f"`{name}` has several environments: {list_in_backticks(members)}", hint="choose one of them")
    problem = f"environment `{name}` is not published in `{root}`"
    if members:
        return RunError(problem, hint=f"run `envsync apply {name}`")
    known = {each for made in entries.values() for each in made} | _published_names(root)
    return RunError(problem, hint=known_names_hint(name, known, noun="environments"))


def _published_names(root: str) -> set[str]:
    """Return the environments that are published below a root; those that cannot be listed are left out."""
    try:
        return {each for each in os.listdir(root) if published_number(root, each)}
    except OSError:
        return set()


def unusable(program: str, venv: str, name: str) -> EnvsyncError:
    """Return why a name that exists in the environment's `bin` cannot be executed."""
    path = f"{venv}/bin/{program}"
    try:
        os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return _dangling(program, venv, name)
    except OSError as error:
        return not_started(program, path, venv, name, error)
    return not_started(program, path, venv, name, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def no_interpreter(program: str, venv: str, name: str, *, wanted: bool) -> EnvsyncError:
    """Return why the environment has no working `python`; `wanted` is whether the command is a Python or pip."""
    path = f"{venv}/bin/python"
    try:
        os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        if wanted:
            return _dangling(program, venv, name)
        found = _dangling("python", venv, name)
        return RunError(found.message, hint=found.hint)
    except OSError as error:
        return unreadable(path, error)
    return RunError(f"`python` of environment `{name}` is not executable: `{path}`", hint=f"run `envsync apply {name}`")


def _dangling(program: str, venv: str, name: str) -> NotFoundError:
    """Return the error for a command of the environment that is missing, or a symbolic link to a missing file."""
    path = f"{venv}/bin/{program}"
    if os.path.islink(path):  # noqa: PTH114
        target = os.path.realpath(path)
        kind = "an interpreter that no longer exists" if program.startswith("python") else "a missing file"
        problem = f"`{program}` of environment `{name}` points to {kind}: `{target}`"
    else:
        problem = f"environment `{name}` has no `{program}`: `{path}` does not exist"
    return NotFoundError(problem, hint=f"run `envsync apply {name}`")


def not_found(program: str, name: str, path: str, *, denied: str | None, reserved: bool) -> EnvsyncError:
    """Return the error for a command that is neither in the environment nor on `path`.

    `denied` is a file on `path` that may not be executed. `reserved` means that the command is a Python or pip.
    """
    if denied:
        return NotExecutableError(f"`{denied}`: Permission denied", hint="make the file executable")
    if reserved:
        return NotFoundError(
            f"environment `{name}` has no `{program}`, and `run` takes no Python or pip from `PATH`",
            hint=f"add `pip` to the packages of `{name}`, and use `python -m pip`"
            if program.lower().startswith("pip")
            else "write `python`, or the absolute path of a different interpreter",
        )
    for directory in path.split(":"):
        if program and path and not directory.startswith("/") and os.path.isfile(os.path.join(directory, program)):  # noqa: PTH113, PTH118
            return NotFoundError(
                f"`{program}`: not found in the environment or in an absolute directory of `PATH`",
                hint=f"write the path: `./{os.path.join(directory, program)}`",  # noqa: PTH118
            )
    return NotFoundError(
        f"`{program}`: not found in the environment or on `PATH`",
        hint="correct the name, or add the package that has the command to the manifest",
    )


def not_started(program: str, path: str, venv: str, name: str, error: OSError | ValueError) -> EnvsyncError:
    """Return why the file at `path`, which was found for `program`, could not be executed."""
    if isinstance(error, ValueError):
        hint = f"correct `env` in the manifest, and run `envsync apply {name}`"
        return RunError(f"an argument or a variable of environment `{name}` is not valid: {error}", hint=hint)
    if isinstance(error, FileNotFoundError):
        if path.startswith(f"{venv}/bin/") and not os.path.exists(f"{venv}/bin/python"):  # noqa: PTH110  # its first line names it
            return _dangling("python", venv, name)
        what = f"`{program}`: the file, or the interpreter in its first line, was not found"
        return NotFoundError(what, hint=_PATH_OR_FIRST_LINE)
    if os.path.isdir(path):  # noqa: PTH112
        return NotExecutableError(f"`{program}`: {os.strerror(errno.EISDIR)}", hint="name a program in it")
    default = "correct the first line of the file"  # it names a directory, a file that is not executable, or a script
    if isinstance(error, PermissionError) and not os.access(path, os.X_OK):
        default = "make the file executable"
    elif error.errno == errno.ELOOP and _is_loop(path):
        default = "replace the file: its symbolic links form a loop"
    return NotExecutableError(f"`{program}`: {error.strerror}", hint=_NOT_EXECUTABLE.get(error.errno or 0, default))


def _is_loop(path: str) -> bool:
    """Return whether the symbolic links at a path form a loop."""
    try:
        os.stat(path)  # noqa: PTH116
    except OSError as error:
        return error.errno == errno.ELOOP
    return False
