"""Publishing: one rename of a symlink points the environment's path at a generation (atomic, POSIX rename(2))."""

import os
from contextlib import suppress
from pathlib import Path

from reconciler.errors import ApplyError
from reconciler.fs.atomic_write import sync_directory
from reconciler.fs.exchange import exchange
from reconciler.state.layout import Layout

_MOVING = "moving"


def publish(layout: Layout, name: str, number: int) -> None:
    """Point `<root>/<name>` at generation `number`.

    Raises ApplyError where something that is not our symlink stands at the path: it is never replaced.
    """
    path, target = layout.environment(name), layout.link_target(name, number)
    if not path.is_symlink():
        try:
            os.symlink(target, path)  # noqa: PTH211  # creates or fails: never replaces what appeared meanwhile
        except FileExistsError:
            raise _in_the_way(path) from None
    else:
        if layout.published_number(name) == 0:
            raise _in_the_way(path)
        _link_beside(layout, name, target).replace(path)
    sync_directory(layout.root)
    _unmark(layout, name, number)


def adopt(layout: Layout, name: str, number: int) -> Path:
    """Put our symlink in the place of somebody's directory, which is kept; return where.

    One atomic exchange where the system has it (renameat2, renamex_np); otherwise two renames, the directory's new
    place being the journal: `finish_adoptions` finds a half-done one.
    """
    path = layout.environment(name)
    if path.is_symlink() or not path.is_dir():
        raise _in_the_way(path)
    moving = layout.adopted / name / str(number) / _MOVING
    moving.parent.mkdir(parents=True, exist_ok=True)
    os.symlink(layout.link_target(name, number), moving)  # noqa: PTH211
    if not exchange(path, moving):
        moving.unlink()
        path.rename(moving)
        os.symlink(layout.link_target(name, number), path)  # noqa: PTH211
    sync_directory(layout.root)
    _unmark(layout, name, number)
    return _keep(moving)


def finish_adoptions(layout: Layout) -> list[str]:
    """Put right what a kill left of an adoption; return the names whose directory went back to its place."""
    restored: list[str] = []
    if not layout.adopted.is_dir():
        return restored
    for moving in sorted(layout.adopted.glob(f"*/*/{_MOVING}")):
        path = layout.environment(moving.parent.parent.name)
        if moving.parent.is_symlink() or moving.parent.parent.is_symlink():  # nothing of ours is behind it
            continue
        if moving.is_symlink():  # made for an exchange that never happened
            moving.unlink()
        elif os.path.lexists(path):  # exchanged: only the name is still to be put right
            _keep(moving)
        else:
            moving.rename(path)
            restored.append(path.name)
    return restored


def _keep(moving: Path) -> Path:
    """Give an adopted directory the name that says that its adoption is complete."""
    kept = moving.with_name("venv")
    moving.rename(kept)
    sync_directory(kept.parent)
    return kept


def unpublish(layout: Layout, name: str) -> None:
    """Remove the environment's symlink; raises ApplyError where the path is not our symlink (gone is fine)."""
    path = layout.environment(name)
    if not os.path.lexists(path):
        return
    if layout.published_number(name) == 0:
        raise _in_the_way(path)
    path.unlink()
    sync_directory(layout.root)


def clear_half_made_links(layout: Layout) -> None:
    """Delete the symlinks that killed runs made and never put in their place; what cannot be deleted harms nothing."""
    for beside in layout.own.glob("publish.*"):
        with suppress(OSError):
            if beside.is_symlink():
                beside.unlink()


def _unmark(layout: Layout, name: str, number: int) -> None:
    """Take the mark off a generation that is published now; where that fails, the next run does it."""
    with suppress(OSError):
        layout.generation(name, number).unpublished.unlink(missing_ok=True)


def _link_beside(layout: Layout, name: str, target: str) -> Path:
    """Make the new symlink in envsync's own directory; a leftover of a killed run is replaced."""
    beside = layout.own / f"publish.{name}"
    beside.unlink(missing_ok=True)
    os.symlink(target, beside)  # noqa: PTH211
    return beside


def _in_the_way(path: Path) -> ApplyError:
    return ApplyError(
        f"{path} is not envsync's: something else stands there now",
        hint="move it away, or take over a virtual environment with --adopt",
    )
