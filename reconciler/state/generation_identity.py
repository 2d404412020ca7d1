"""Which directories were made for a generation: what is deleted must be those, not what somebody put in their place.

Their inode numbers, and the name and number that they were made for, are the text of a symlink that leads nowhere: a
symlink is made at once, so that a kill leaves it whole or not at all. The device is not recorded, it may get another
number when a machine starts anew; a deletion crosses none.
"""

import errno
import os
import stat
from contextlib import suppress

from reconciler.fs.remove_tree import ForeignTreeError, open_directory
from reconciler.state.layout import Generation


def mark_identity(generation: Generation) -> None:
    """Record the directories that stand for `generation` now as those that were made; raises OSError."""
    own, venv = generation.directory.lstat().st_ino, generation.venv.lstat().st_ino
    text = _text(generation, own, str(venv))
    try:
        os.symlink(text, generation.identity)  # noqa: PTH211  # a text, not a path
    except FileExistsError:
        generation.new_identity.unlink(missing_ok=True)
        os.symlink(text, generation.new_identity)  # noqa: PTH211
        generation.new_identity.replace(generation.identity)


def refuse_foreign(generation: Generation, directory: int) -> None:
    """Raise ForeignTreeError unless the opened `directory` is the one that was made for `generation`, its venv too.

    One with nothing in it may be anybody's: a kill came before the mark was made, or after it was taken away.
    """
    try:
        found = os.readlink(generation.identity.name, dir_fd=directory)
    except OSError:
        if _holds_nothing(generation, directory):
            return
        found = ""
    venv = found.rpartition(" ")[2]
    with suppress(FileNotFoundError):  # gone already, where a deletion was killed
        status = os.stat(generation.venv.name, dir_fd=directory, follow_symlinks=False)
        venv = str(status.st_ino) if stat.S_ISDIR(status.st_mode) else ""
    if found != _text(generation, os.fstat(directory).st_ino, venv):
        raise ForeignTreeError(errno.ESTALE, "it is not the directory that envsync made there")


def _text(generation: Generation, directory: int, venv: str) -> str:
    return f"{generation.directory.parent.name} {generation.number} {directory} {venv}"


def _holds_nothing(generation: Generation, directory: int) -> bool:
    """Say whether there is no more than an empty directory for the venv."""
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
