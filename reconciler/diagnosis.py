"""What `doctor` examines: whether this host can hold the environments of a manifest, and with what."""

import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.fs.file_system import FileSystem, probe_file_system
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.interpreters.choose import Interpreters, Surveyed
from reconciler.state.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The file system of a root and the interpreters of this host.

    `tried_in` is the directory in which the file system was tried: the root's cache, or the nearest directory above a
    root that does not exist yet. `file_system` is None if it could not be tried; `problem` and `hint` are about that.
    """

    root: str
    tried_in: str
    file_system: FileSystem | None
    problem: str
    hint: str | None
    interpreters: tuple[Surveyed, ...]

    @property
    def has_problems(self) -> bool:
        """Return whether something that envsync needs is missing, or an interpreter cannot be used."""
        return (
            self.file_system is None
            or bool(self.file_system.missing)
            or not any(each.version for each in self.interpreters)
            or any(each.problem for each in self.interpreters)
        )


def diagnose(layout: Layout, interpreters: Interpreters) -> Diagnosis:
    """Try the file system of a root with temporary files, and start each interpreter that did not work before."""
    directory = _writable_directory(layout)
    found: FileSystem | OSError
    try:
        found = probe_file_system(directory)
    except OSError as error:
        found = error
    surveyed = interpreters.survey(again=True)
    interpreters.save()
    failed = found if isinstance(found, OSError) else None
    return Diagnosis(
        root=str(layout.root),
        tried_in=str(directory),
        file_system=None if isinstance(found, OSError) else found,
        problem=(failed.strerror or str(failed)) if failed else "",
        hint=os_error_hint(failed) if failed else None,
        interpreters=surveyed,
    )


def _writable_directory(layout: Layout) -> Path:
    """Return the cache of a root, or else the nearest directory that exists: nothing is made for a diagnosis."""
    return next(each for each in (layout.cache, layout.root, *layout.root.parents) if os.path.isdir(each))  # noqa: PTH112
