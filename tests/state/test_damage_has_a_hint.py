"""Every damaged file of the state is an error that names the file, and whose hint says what to do about it."""

import datetime as dt
import errno
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from reconciler.errors import DamagedStateError, NewerFormatError, StateError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.state.deleted import Deleted
from reconciler.state.store import State
from tests.state.edited import edit_state_file, stored_in, write_stored
from tests.state.records import applied, sealed
from tests.unprivileged import reachable_directory, unprivileged

HINTS = {
    "seal": "restore the file from a backup, or run `envsync apply`, which builds the environment again",
    "record": "restore the file from a backup, or delete it: envsync then reads the seal instead",
    "deleted": "restore it from a backup, or delete it: `envsync gc` then deletes the generations of `web`",
}


def a_text(path: Path) -> None:
    path.write_text("no JSON")


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def no_format(path: Path) -> None:
    path.write_text("{}")


def no_content(path: Path) -> None:
    write_stored(path, {"format": stored_in(path)["format"]})


def of_another(path: Path) -> None:
    edit_state_file(path, lambda stored: stored["applied"].update(name="api"))


def forged(path: Path) -> None:
    path.write_text(path.read_text().replace('"acme"', '"evil"'))


def newer(path: Path) -> None:
    edit_state_file(path, {"format": 99})


def error_of(
    root: Path, kind: str, damage: Callable[[Path], None], reading: AbstractContextManager[None] | None = None
) -> tuple[Path, StateError]:
    """Return the file of the kind that was damaged, and the error with which it is read."""
    state = State.at(root)
    last = applied(seal=sealed(state.layout, applied()))
    if kind == "deleted":
        now = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
        state.keep_deleted("web", Deleted(applied=last, deleted=now, keep_until=now + dt.timedelta(days=7)))
        state.forget("web")
    else:
        state.record(last)
    paths = {
        "seal": state.layout.generation("web", 1).seal,
        "record": state.layout.record("web"),
        "deleted": state.layout.deleted("web"),
    }
    damage(paths[kind])
    with reading or nullcontext():
        if kind != "seal":
            return paths[kind], state.read()[1]["web"].error
        with pytest.raises(StateError) as caught:
            state.seal("web", 1)
    return paths[kind], caught.value


@pytest.mark.parametrize("damage", [a_text, a_directory, a_loop, no_format, no_content, of_another, forged])
@pytest.mark.parametrize("kind", HINTS)
def test_damage_has_a_hint(tmp_path: Path, kind: str, damage: Callable[[Path], None]) -> None:
    path, error = error_of(tmp_path, kind, damage)
    assert type(error) is DamagedStateError
    assert error.message.startswith(f"`{path}` is damaged: ")
    assert error.hint == HINTS[kind]


@pytest.mark.parametrize("kind", HINTS)
def test_a_newer_format_is_not_damage(tmp_path: Path, kind: str) -> None:
    path, error = error_of(tmp_path, kind, newer)
    assert type(error) is NewerFormatError
    assert error.message.startswith(f"`{path}` was made by a newer envsync: its format is 99, but this envsync reads ")
    assert error.hint == NewerFormatError.cure


@pytest.mark.parametrize("kind", HINTS)
def test_what_the_system_does_not_let_us_read_is_not_damage(kind: str) -> None:
    with reachable_directory() as root:
        path, error = error_of(root, kind, lambda path: path.chmod(0), reading=unprivileged())
    assert type(error) is StateError
    assert error.message == f"`{path}` could not be read: Permission denied"
    assert error.hint == os_error_hint(PermissionError(errno.EACCES, ""))
