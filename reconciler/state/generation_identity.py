"""The identity mark of a generation: which directories envsync made for it.

envsync deletes only these directories, not others that were put in their place. The mark is a symbolic link, because
the system creates a link completely or not at all. Its text has the environment's name, the generation's number, and
the inode numbers of the generation's directory and of its venv. The device is left out: its number may change when the
machine restarts, and a deletion does not cross file systems anyway.
"""

import errno
import os
import stat
from contextlib import suppress

from reconciler.fs.make_symlink import make_symlink
from reconciler.fs.remove_tree import ForeignTreeError, open_directory
from reconciler.state.layout import Generation


def write_identity_mark(generation: Generation) -> None:
    """Mark the current directories of `generation` as made by envsync; raises OSError."""
    own, venv = generation.directory.lstat().st_ino, generation.venv.lstat().st_ino
    text = _text(generation, own, str(venv))
    try:
        make_symlink(text, generation.identity)
    except FileExistsError:
        generation.new_identity.unlink(missing_ok=True)
        make_symlink(text, generation.new_identity)
        generation.new_identity.replace(generation.identity)


def check_identity_mark(generation: Generation, directory: int) -> None:
    """Raise ForeignTreeError unless the opened `directory` and its venv are those that were made for `generation`.

    An empty directory passes: a run was killed before the mark was made, or after it was removed.
    """
    try:
        found = os.readlink(generation.identity.name, dir_fd=directory)
    except OSError:
        if _is_empty(generation, directory):
            return
        found = ""
    venv = found.rpartition(" ")[2]
    with suppress(FileNotFoundError):  # missing if a deletion was killed
        status = os.stat(generation.venv.name, dir_fd=directory, follow_symlinks=False)
        venv = str(status.st_ino) if stat.S_ISDIR(status.st_mode) else ""
    if found != _text(generation, os.fstat(directory).st_ino, venv):
        raise ForeignTreeError(errno.ESTALE, "it is not the directory that envsync created")


def _text(generation: Generation, directory: int, venv: str) -> str:
    return f"{generation.directory.parent.name} {generation.number} {directory} {venv}"


def _is_empty(generation: Generation, directory: int) -> bool:
    """Return whether the opened `directory` has no entries, apart from an empty venv."""
    entries = os.listdir(directory)
    if entries != [generation.venv.name]:
        return not entries
    try:
        venv = open_directory(generation.venv.name, directory)
    except OSError:
        return False
    try:
        return not os.listdir(venv)
    finally:
        os.close(venv)
