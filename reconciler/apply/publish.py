"""Publish: one atomic rename of a symbolic link points the environment's path to a generation (POSIX rename(2))."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from reconciler.apply.copy_directory import clear_unfinished_copy, copy_directory
from reconciler.errors import ApplyError
from reconciler.fs.exchange import exchange
from reconciler.fs.make_symlink import make_symlink
from reconciler.fs.own_files import touch_own
from reconciler.fs.remove_tree import remove_tree
from reconciler.fs.sync import naming, sync_directory
from reconciler.state.adopted import Adopted, write_adopted
from reconciler.state.former_name import former_path_link
from reconciler.state.generation_identity import write_identity_mark
from reconciler.state.layout import Generation, Layout
from reconciler.state.staged import unmark_staged

_MOVING = "moving"


def publish(layout: Layout, name: str, number: int) -> None:
    """Point `<root>/<name>` to generation `number`.

    Raises ApplyError if something else is at the path, which is never replaced; raises OSError if the rename fails.
    """
    path, target = layout.environment(name), layout.link_target(name, number)
    if not path.is_symlink():
        try:
            make_symlink(target, path)  # fails if something appeared at the path; a rename would replace it
        except FileExistsError:
            raise foreign_path(path) from None
    else:
        if layout.published_number(name) == 0 and not layout.renamed_to(name):
            raise foreign_path(path)
        _prepare_link(layout, name, target).replace(path)
    sync_directory(layout.root)
    _clear_unpublished_mark(layout, name, number)


def mark_drifted(generation: Generation) -> None:
    """Mark a generation that will be replaced because it drifted, durably; raises OSError."""
    with naming(generation.drifted):
        touch_own(str(generation.drifted))
    sync_directory(generation.directory)


def adopt(layout: Layout, name: str, number: int, adopted: Adopted) -> Generation:
    """Replace a directory that envsync did not make by its symbolic link; return the directory as a generation.

    It gets the number before `number`, which `State.new_generation` left free. `adopted` says how long it is kept.

    This is one atomic exchange if the system supports it (renameat2, renamex_np), otherwise two renames. A directory of
    a lower layer of an image can only be copied. The temporary name `moving` serves as the journal: `finish_adoptions`
    finds an adoption that was interrupted. Raises ApplyError if the path is not a directory, or OSError.
    """
    path = layout.environment(name)
    if path.is_symlink() or not path.is_dir():
        raise foreign_path(path)
    kept = layout.adopted_generation(name, number - 1)
    moving = kept.directory / _MOVING
    moving.parent.mkdir(parents=True, exist_ok=True)
    write_adopted(kept, adopted)
    link = layout.link_target(name, number)
    make_symlink(link, moving)
    if not exchange(path, moving):
        moving.unlink()
        try:
            path.rename(moving)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            make_symlink(link, moving)
            copy_directory(path, kept.venv, kept.directory)
            _put_link_in_place(moving, path)
        else:
            make_symlink(link, path)
    sync_directory(layout.root)
    _clear_unpublished_mark(layout, name, number)
    _complete_adoption(moving)
    return kept


def finish_adoptions(layout: Layout) -> list[str]:
    """Finish or undo adoptions that were interrupted; return the names whose directory was moved back."""
    restored: list[str] = []
    if not layout.adopted.is_dir():
        return restored
    # `glob` finds no dangling link by its name; as long as the exchange did not happen, `moving` is one.
    for moving in sorted(each / _MOVING for each in layout.adopted.glob("*/*")):
        if not os.path.lexists(moving):
            continue
        path = layout.environment(moving.parent.parent.name)
        if moving.parent.is_symlink() or moving.parent.parent.is_symlink():  # envsync makes no symbolic links here
            continue
        if moving.is_symlink():
            clear_unfinished_copy(moving.parent)
            if moving.with_name("venv").is_dir():  # the copy is complete, and the original may not be any more
                _put_link_in_place(moving, path)
                _complete_adoption(moving)
            else:  # the exchange did not happen
                moving.unlink()
                _forget_adoption(moving.parent)
        elif os.path.lexists(path):  # the exchange happened; only the final name is missing
            _complete_adoption(moving)
        else:
            moving.rename(path)
            restored.append(path.name)
            _forget_adoption(moving.parent)
    for directory in sorted(layout.adopted.glob("*/[1-9]*")):
        generation = Generation(directory, int(directory.name)) if directory.name.isdecimal() else None
        if generation is not None and generation.adoption.exists() and not os.path.lexists(generation.identity):
            if generation.venv.is_dir() and not generation.venv.is_symlink():
                write_identity_mark(generation)  # it was killed before the mark was made
            elif not os.path.lexists(generation.venv):  # before the directory was moved
                _forget_adoption(directory)
        with suppress(OSError):  # not empty
            directory.rmdir()
    return restored


def _put_link_in_place(moving: Path, path: Path) -> None:
    """Delete the original of a complete copy, and put the environment's link at its path. Raises OSError."""
    if not path.is_symlink():
        remove_tree(path.parent, path.name)
    moving.rename(path)


def _complete_adoption(moving: Path) -> None:
    """Give an adopted directory its final name and its identity mark, which make the adoption complete."""
    kept = moving.with_name("venv")
    if os.path.lexists(moving):  # a copy has its name
        moving.rename(kept)
    write_identity_mark(Generation(kept.parent, int(kept.parent.name)))
    sync_directory(kept.parent)


def _forget_adoption(directory: Path) -> None:
    """Remove what was written about an adoption that did not happen."""
    (directory / "adopted.json").unlink(missing_ok=True)
    with suppress(OSError):  # something else is in it
        directory.rmdir()


def unpublish(layout: Layout, name: str) -> None:
    """Remove the environment's symbolic link, if it exists; raises ApplyError if anything else is at the path."""
    path = layout.environment(name)
    if not os.path.lexists(path):
        return
    if layout.published_number(name) == 0:
        raise foreign_path(path)
    path.unlink()
    sync_directory(layout.root)


def leave_former_path(layout: Layout, old: str, new: str) -> None:
    """Let the published path of `old`, and every former path that points to it, point to `new`; raises OSError."""
    former = [each for each in os.listdir(layout.root) if layout.renamed_to(each) == old]
    for name in [*former, *([old] if layout.published_number(old) else [])]:
        if name != new:
            _prepare_link(layout, name, former_path_link(new)).replace(layout.environment(name))
    sync_directory(layout.root)


def remove_former_path(layout: Layout, name: str) -> None:
    """Remove the link at a former path once no generation that was built under that name exists."""
    if layout.renamed_to(name) and not layout.former_numbers(name):
        layout.environment(name).unlink()


def remove_leftover_links(layout: Layout) -> None:
    """Delete the symbolic links that interrupted runs prepared and never published.

    A link that cannot be deleted does no harm.
    """
    for link in layout.envsync_directory.glob("publish.*"):
        with suppress(OSError):
            if link.is_symlink():
                link.unlink()


def _clear_unpublished_mark(layout: Layout, name: str, number: int) -> None:
    """Remove the `unpublished` mark of a published generation; if that fails, the next run removes it.

    Afterwards neither it nor an older generation is staged.
    """
    unmark_staged(layout, name, below=number + 1)
    with suppress(OSError):
        layout.generation(name, number).unpublished.unlink(missing_ok=True)


def _prepare_link(layout: Layout, name: str, target: str) -> Path:
    """Make the new symbolic link in envsync's own directory, replacing the leftover of an interrupted run."""
    link = layout.envsync_directory / f"publish.{name}"
    link.unlink(missing_ok=True)
    make_symlink(target, link)
    return link


def foreign_path(path: Path) -> ApplyError:
    """Return the error that something which envsync did not make is at an environment's path."""
    return ApplyError(
        f"`{path}` is not managed by envsync: it is not a symbolic link that envsync made",
        hint="move it to a different path, or take over a virtual environment with `envsync apply --adopt`",
    )
