"""A directory that cannot be moved (a lower layer of an image) is copied: wherever a run is killed, none is lost."""

import datetime as dt
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.apply import copy_directory as module
from reconciler.apply import publish, restore_adopted
from reconciler.apply.copy_directory import clear_unfinished_copy, copy_directory
from reconciler.apply.publish import adopt, finish_adoptions
from reconciler.errors import ApplyError
from reconciler.state.adopted import Adopted
from reconciler.state.layout import Layout
from tests.state.records import applied, sealed


class KilledError(BaseException):
    """The process ends here."""


def own(path: Path) -> Path:
    """Make a directory of the user with a link, two names of one file, an odd mode and an old time."""
    (path / "bin").mkdir(parents=True)
    (path / "bin/python").symlink_to("/usr/bin/python3")
    (path / "own.txt").write_text("precious")
    (path / "again.txt").hardlink_to(path / "own.txt")
    (path / "own.txt").chmod(0o640)
    os.utime(path / "own.txt", ns=(10**18, 10**18))
    return path


def contents(path: Path) -> dict[str, tuple[int, int, str]]:
    return {
        str(each.relative_to(path)): (
            each.lstat().st_mode,
            each.lstat().st_nlink,
            str(each.readlink()) if each.is_symlink() else each.read_text() if each.is_file() else "",
        )
        for each in path.rglob("*")
    }


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Return a root whose directories of the user cannot be renamed, as those of a lower layer."""
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if (self / "own.txt").exists() and self.name in {"web", "venv"}:
            raise OSError(errno.EXDEV, "Invalid cross-device link", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    for each in (publish, restore_adopted):
        monkeypatch.setattr(each, "exchange", lambda *_: False)
    layout = Layout(tmp_path / "root")
    layout.root.mkdir()
    sealed(layout, applied(generation=2))
    return layout


def adopt_web(layout: Layout) -> None:
    adopt(layout, "web", 2, Adopted.now(dt.timedelta(days=7)))


def test_it_is_adopted_as_a_copy_that_is_equal(layout: Layout) -> None:
    before = contents(own(layout.environment("web")))
    adopt_web(layout)
    kept = layout.adopted_generation("web", 1)
    assert contents(kept.venv) == before
    assert (kept.venv / "own.txt").stat().st_mtime_ns == 10**18
    assert layout.published_number("web") == 2
    assert layout.adopted_numbers("web") == [1]
    assert sorted(os.listdir(kept.directory)) == ["adopted.json", "made", "venv"]
    assert finish_adoptions(layout) == []


def killed_at(monkeypatch: pytest.MonkeyPatch, name: str, *, before: bool) -> None:
    owner = module if name in {"sync_filesystem", "_copy"} else publish
    call: Callable[..., object] = getattr(owner, name)

    def killed(*arguments: object) -> None:
        if not before:
            call(*arguments)
        raise KilledError

    monkeypatch.setattr(owner, name, killed)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    "name", ["_copy", "sync_filesystem", "_put_link_in_place", "remove_tree", "_complete_adoption"]
)
def test_a_killed_adoption_is_undone_or_finished(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, name: str, before: bool
) -> None:
    expected = contents(own(layout.environment("web")))
    with monkeypatch.context() as patch:
        killed_at(patch, name, before=before)
        with pytest.raises(KilledError):
            adopt_web(layout)
    assert finish_adoptions(layout) == []
    if layout.published_number("web") == 2:
        assert contents(layout.adopted_generation("web", 1).venv) == expected
        assert layout.adopted_numbers("web") == [1]
    else:
        assert contents(layout.environment("web")) == expected
        assert not layout.adopted.exists() or list(layout.adopted.rglob("*.txt")) == []
        adopt_web(layout)
    assert (layout.published_number("web") == 2) is True


def test_half_of_the_original_that_is_left_is_deleted(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = contents(own(layout.environment("web")))

    def half(parent: Path, name: str) -> None:
        (parent / name / "own.txt").unlink()
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(publish, "remove_tree", half)
        with pytest.raises(KilledError):
            adopt_web(layout)
    assert not (layout.environment("web") / "own.txt").exists()
    assert finish_adoptions(layout) == []
    assert contents(layout.adopted_generation("web", 1).venv) == expected
    assert layout.published_number("web") == 2


def test_a_copy_that_fails_leaves_the_original_alone(layout: Layout, tmp_path: Path) -> None:
    expected = contents(own(layout.environment("web")))
    layout.adopted_generation("web", 1).directory.mkdir(parents=True)
    with pytest.raises(ApplyError) as caught:
        copy_directory(tmp_path / "missing", tmp_path / "copy", tmp_path)
    assert caught.value.message == f"`{tmp_path}/missing` could not be copied"
    assert "No such file or directory" in caught.value.details[-1]
    assert not (tmp_path / "copied").exists()
    assert contents(layout.environment("web")) == expected


def test_what_a_killed_copy_left_is_deleted(tmp_path: Path) -> None:
    own(tmp_path / "copied")
    clear_unfinished_copy(tmp_path)
    clear_unfinished_copy(tmp_path)
    assert os.listdir(tmp_path) == []
