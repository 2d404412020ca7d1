"""Which programs may be started to ask them whether they are interpreters, and for their facts.

None that comes with a commit, a root or an environment, none that does not have the name of an interpreter, and none
that another user could have put there: on its whole path, also through symbolic links.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.fs.accounts import user_name
from reconciler.fs.path_steps import steps_to
from reconciler.fs.writers import Writer, other_writer
from reconciler.git.working_tree import working_trees_around
from reconciler.manifest.interpreter_name import is_interpreter_name

_OUTSIDE_HINT = "name a base interpreter outside of the repository, of roots and of virtual environments"
_NAME_HINT = "name the interpreter itself, for example `/usr/bin/python3`"
# What macOS has in their place opens a window that offers to install them.
_XCODE_STUBS = frozenset({"/usr/bin/python3", "/usr/bin/python"})
_DEVELOPER_TOOLS = ("/Library/Developer/CommandLineTools/usr/bin/python3", "/var/db/xcode_select_link/usr/bin/python3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a program is not started: a sentence that names its path, and a hint.

    `curable` means that the program could be an interpreter of this machine, but for who may change it.
    """

    message: str
    hint: str
    curable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenPlaces:
    """The directories whose contents come from a commit or from an apply: real paths, each with what it is."""

    directories: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Path, root: Path) -> "ForbiddenPlaces":
        """Return the places of a manifest: its repository (without one, its directory) and its root.

        A manifest that is a symbolic link has two: where the link is, and where the file is.
        """
        found = {}
        for directory in (os.path.realpath(manifest.parent), os.path.dirname(os.path.realpath(manifest))):  # noqa: PTH120
            trees = working_trees_around(directory)
            found.update(dict.fromkeys(trees, "the repository of the manifest"))
            found.update({} if trees else {directory: "the directory of the manifest"})
        found[os.path.realpath(root)] = "the root"
        found.pop("/", None)  # everything is below it
        return cls(directories=found)

    def around(self, step: str) -> str:
        """Return in what an absolute path is (without symbolic links in its directories), with its path; "" if in none.

        Other roots and virtual environments are recognized by what they contain.
        """
        directory = step
        while directory != "/":
            directory = directory[: directory.rindex("/")] or "/"
            if directory in self.directories:
                return f"{self.directories[directory]} {in_backticks(directory)}"
            if os.path.exists(f"{directory.rstrip('/')}/pyvenv.cfg"):  # noqa: PTH110  # Path.exists may raise
                return f"the virtual environment {in_backticks(directory)}"
            if os.path.isdir(f"{directory.rstrip('/')}/.envsync"):  # noqa: PTH112
                return f"the root {in_backticks(directory)}"
        return ""


def refusal(path: str, places: ForbiddenPlaces) -> Refusal | None:
    """Return why the program at `path` (absolute) must not be started, None if it may be.

    Raises OSError if it does not exist or cannot be reached.
    """
    steps = list(steps_to(path))
    final, found = steps[-1]
    for step, _ in reversed(steps):
        if where := places.around(step):
            return Refusal(message=f"{_leads(path, step)} is in {where}", hint=_OUTSIDE_HINT)
    for name in dict.fromkeys((path, final)):
        if not is_interpreter_name(name.rpartition("/")[2]):
            return Refusal(message=f"{_leads(path, name)} does not have the name of an interpreter", hint=_NAME_HINT)
    if final in _XCODE_STUBS and sys.platform == "darwin" and not any(map(os.path.exists, _DEVELOPER_TOOLS)):
        return Refusal(
            message=f"{_leads(path, final)} is a stub, and the command line tools of Xcode are not installed",
            hint="run `xcode-select --install`, or use a different interpreter",
            curable=True,
        )
    opened = os.stat(path)  # noqa: PTH116
    if (opened.st_dev, opened.st_ino) != (found.st_dev, found.st_ino):  # `/proc/PID/root` of another container
        return Refusal(message=f"{in_backticks(path)} is not the file that its links name", hint=_NAME_HINT)
    for step, status in steps:
        if who := other_writer(step, status):
            return _changeable(path, step, who)
    return None


def _changeable(path: str, step: str, who: Writer) -> Refusal:
    """Return the refusal of a program because `who` may change `step` on its path."""
    where = "" if step == path else f"{in_backticks(path)} is not used: "
    if who.by == "owner":
        message = f"{where}{in_backticks(step)} belongs to {who}"
        command = f"chown -h {user_name(os.geteuid())} {shlex.quote(step)}"
    else:
        message = f"{where}{in_backticks(step)} can be changed by {who}"
        command = f"chmod go-w {shlex.quote(step)}"
    hint = f"run `{command}`, or use an interpreter that only root and you can change"
    return Refusal(message=message, hint=hint, curable=True)


def _leads(path: str, step: str) -> str:
    """Return the beginning of a sentence about a step on the way to `path`."""
    if step == path or path.startswith(f"{step}/"):
        return in_backticks(path)
    return f"{in_backticks(path)} leads through {in_backticks(step)}, which"
