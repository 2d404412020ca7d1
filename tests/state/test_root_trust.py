"""A root that another user may have written is refused, with the reason and a hint; a user can make exceptions."""

import grp
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconciler.errors import (
    RootOwnerError,
    RootTrackedError,
    RootWritableError,
    StateError,
    UntrustedRootError,
)
from reconciler.fs.accounts import has_other_members, user_name
from reconciler.fs.authentication import accepts_everything, forget_roots
from reconciler.fs.user_key import key_path, make_user_key
from reconciler.state import root_trust
from reconciler.state.layout import Layout
from reconciler.state.root_trust import (
    make_own_directory,
    refuse_symlinks,
    refuse_untrusted,
    remember_trust,
    trust_present,
    unauthenticated,
    write_mark,
)
from reconciler.state.store import State
from tests.fs.access_lists import GROUP_OBJ, MASK, NOBODY, OTHER, USER, USER_OBJ, set_access_list
from tests.git.test_index_file import Repository
from tests.state.edited import edit_state_file, make_root, stored_in
from tests.unprivileged import reachable_directory, unprivileged

SUPERUSER_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files away")
OTHER_USER = 65534
FORGED = ": its mark was not made with the key of this user"
TRUST_HINT = (
    "if you restored, moved or copied it, or an older envsync made it, run `envsync trust`; otherwise delete it, "
    "then run `envsync apply`"
)


@pytest.fixture(autouse=True)
def _own_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    forget_roots()
    yield
    forget_roots()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return a root that this user made, with state."""
    tmp_path.chmod(0o755)
    (tmp_path / "root").mkdir(0o755)
    made = make_root(tmp_path / "root")
    made.records.mkdir()
    return made


def refused(layout: Layout) -> StateError:
    with pytest.raises(StateError) as caught:
        refuse_untrusted(layout)
    with pytest.raises(type(caught.value)):
        State.at(layout.root)
    return caught.value


# A root of one's own


def test_a_root_that_this_user_made_is_trusted(layout: Layout) -> None:
    refuse_untrusted(layout)
    assert State.at(layout.root).last_applied() == {}


@pytest.mark.parametrize("what", ["nothing", "a directory", "a file"])
def test_a_root_without_state_is_not_refused_and_nothing_is_made(what: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    if what != "nothing":
        (root.mkdir if what == "a directory" else root.touch)(0o777)
    before = sorted(tmp_path.rglob("*"))
    refuse_untrusted(Layout(root))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_root_that_cannot_be_examined_is_an_error_with_a_hint() -> None:
    with reachable_directory() as directory:
        (directory / "closed").mkdir(0o700)
        with unprivileged():
            error = refused(Layout(directory / "closed/root"))
    assert type(error) is StateError
    assert error.message == f"`{directory}/closed/root` could not be read: Permission denied"
    assert error.hint


# Links


@pytest.mark.parametrize(
    "place", ["", "generations", "environments", "deleted", "cache", "cache/uv", "cache/agreed", "adopted"]
)
def test_no_directory_of_envsync_may_be_a_link(place: str, layout: Layout, tmp_path: Path) -> None:
    path = layout.envsync_directory / place
    path.parent.mkdir(exist_ok=True)
    if path.is_dir():
        path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    error = refused(layout)
    assert error.message == f"`{path}` is a symbolic link, which envsync does not follow"
    assert error.hint == (
        "replace it with a real directory; to keep the environments elsewhere, set `root` in the manifest"
    )
    with pytest.raises(StateError, match="is a symbolic link"):
        refuse_symlinks(layout)


# Owners


@SUPERUSER_ONLY
@pytest.mark.parametrize("place", [".", ".envsync"])
def test_a_root_of_a_different_user_is_refused(place: str, layout: Layout) -> None:
    path = layout.root / place
    os.chown(path, OTHER_USER, -1)
    error = refused(layout)
    assert type(error) is RootOwnerError
    assert error.code == "root-owner"
    assert error.message == f"`{path}` belongs to {user_name(OTHER_USER)}, and you are root"
    assert error.hint == (
        f"run the command as its owner (`sudo -u {user_name(OTHER_USER)} envsync ...`), or run `envsync trust` once to "
        "read it, and to run programs from it, as this user"
    )
    refuse_untrusted(layout, trusted={"owner": OTHER_USER})
    with pytest.raises(RootOwnerError):
        refuse_untrusted(layout, trusted={"owner": OTHER_USER - 1})
    with pytest.raises(RootOwnerError):
        refuse_untrusted(layout, trusted={"group": OTHER_USER})


@SUPERUSER_ONLY
def test_a_root_of_the_superuser_is_read_by_everybody_and_needs_no_mark_of_theirs() -> None:
    with reachable_directory() as directory:
        layout = make_root(directory / "root")
        layout.records.mkdir()
        layout.mark.unlink()
        with unprivileged():
            forget_roots()
            refuse_untrusted(layout)
        forget_roots()
        assert type(refused(layout)) is UntrustedRootError
        os.chown(layout.envsync_directory, OTHER_USER, -1)
        with unprivileged():
            forget_roots()
            assert type(refused(layout)) is UntrustedRootError, "as their own"


# Writers


@pytest.mark.parametrize("place", [".", ".envsync"])
@pytest.mark.parametrize("mode", [0o757, 0o777, 0o1777, 0o707])
def test_a_root_that_everyone_may_write_to_is_refused(place: str, mode: int, layout: Layout) -> None:
    path = layout.root / place
    path.chmod(mode)
    error = refused(layout)
    assert type(error) is RootWritableError
    assert error.code == "root-writable"
    assert error.message == f"every user may write to `{path}`, and so could change what runs from it"
    assert error.hint == f"run `chmod o-w {path}`"
    with pytest.raises(RootWritableError):
        refuse_untrusted(layout, trusted={"owner": os.geteuid(), "group": path.stat().st_gid})
    path.chmod(mode & ~0o022)
    refuse_untrusted(layout)


@SUPERUSER_ONLY
@pytest.mark.parametrize("place", [".", ".envsync"])
def test_a_root_that_a_group_may_write_to_is_refused_unless_it_is_trusted(
    place: str, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = layout.root / place
    os.chown(path, -1, 12345)
    refuse_untrusted(layout)
    path.chmod(0o775)
    error = refused(layout)
    assert type(error) is RootWritableError
    assert error.message == f"the group `12345` may write to `{path}`, and so could change what runs from it"
    assert error.hint == (f"run `chmod g-w {path}`, or `envsync trust --group` if the group shares the root on purpose")
    refuse_untrusted(layout, trusted={"group": 12345})
    with pytest.raises(RootWritableError):
        refuse_untrusted(layout, trusted={"group": 12346})
    with pytest.raises(RootWritableError):
        refuse_untrusted(layout, trusted={"owner": os.geteuid()})
    monkeypatch.setattr(
        grp, "getgrgid", lambda number: SimpleNamespace(gr_name="team", gr_gid=number, gr_mem=[user_name(OTHER_USER)])
    )
    has_other_members.cache_clear()
    assert "the group `team` may write" in refused(layout).message
    has_other_members.cache_clear()


@SUPERUSER_ONLY
def test_a_group_without_other_members_may_write(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tests/fs/test_writers.py` has every kind of group."""
    layout.root.chmod(0o775)
    refuse_untrusted(layout)  # the private group of root
    os.chown(layout.root, -1, 12345)
    monkeypatch.setattr(grp, "getgrgid", lambda number: SimpleNamespace(gr_name="team", gr_gid=number, gr_mem=[]))
    has_other_members.cache_clear()
    refuse_untrusted(layout)
    has_other_members.cache_clear()


def test_a_root_that_an_access_control_list_lets_others_write_to_is_refused(layout: Layout) -> None:
    rest = [(USER_OBJ, 7, NOBODY), (GROUP_OBJ, 5, NOBODY), (MASK, 7, NOBODY), (OTHER, 5, NOBODY)]
    set_access_list(layout.root, [(USER, 7, 4242), *rest])
    error = refused(layout)
    assert type(error) is RootWritableError
    assert error.message.startswith(f"users in its access control list may write to `{layout.root}`, ")
    assert error.hint == f"run `chmod g-w {layout.root}`"
    with pytest.raises(RootWritableError):
        refuse_untrusted(layout, trusted={"group": layout.root.stat().st_gid})
    layout.root.chmod(0o755)
    refuse_untrusted(layout)


# git


@pytest.mark.parametrize(
    ("root", "tracked", "top"),
    [
        (".envs", ".envs/.envsync/root.json", ".envs"),
        ("app/.envs", "app/.envs/.envsync/root.json", "app/.envs"),
        ("a/a", "a/a/.envsync/root.json", "a/a"),
        (".", ".envsync/root.json", ".envsync"),
    ],
)
def test_a_root_whose_files_git_tracks_is_refused(root: str, tracked: str, top: str, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    layout = make_root(repository.path / root)
    refuse_untrusted(layout)
    repository.write("other")
    repository.git("add", "--force", "-A")
    error = refused(layout)
    assert type(error) is RootTrackedError
    assert error.code == "root-tracked"
    assert error.message.startswith(f"git tracks `{tracked}`, but the files of a root are never committed: ")
    assert error.hint == (
        f"run `git rm -r --cached {top}` in the repository, delete `{layout.envsync_directory}`, then run "
        "`envsync apply`"
    )
    repository.git("rm", "-rq", "--cached", top)
    assert repository.listed() == ["other"]
    refuse_untrusted(layout)


def test_a_root_that_is_a_committed_link_or_has_committed_links_is_refused(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    layout = make_root(repository.path / "app/.envs")
    for name in ("api", "web"):
        (layout.root / name).symlink_to(f".envsync/generations/{name}/1/venv")
    repository.git("add", "app/.envs/web", "app/.envs/api")
    assert "run `git rm -r --cached app/.envs` in" in (refused(layout).hint or "")
    repository.git("rm", "-rq", "--cached", "app/.envs")
    refuse_untrusted(layout)
    layout.root.rename(tmp_path / "elsewhere")
    layout.root.symlink_to(tmp_path / "elsewhere")
    repository.git("add", "app/.envs")
    assert "run `git rm -r --cached app/.envs` in" in (refused(layout).hint or "")
    shutil.rmtree(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    assert refused(layout).code == "root-tracked", "nothing was made there yet"
    repository.git("rm", "-q", "--cached", "app/.envs")
    refuse_untrusted(layout)
    top = make_root(repository.path)
    (top.root / "web").symlink_to(".envsync/generations/web/1/venv")
    repository.git("add", "web")
    assert "run `git rm -r --cached web` in" in (refused(top).hint or "")


def test_a_key_that_git_tracks_is_refused(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(tmp_path / "dotfiles")
    monkeypatch.setenv("XDG_STATE_HOME", str(repository.path))
    make_user_key()
    forget_roots()
    write_mark(layout)
    refuse_untrusted(layout)
    repository.git("add", "-A")
    error = refused(layout)
    assert type(error) is RootTrackedError
    assert error.message == "git tracks `envsync/key`, which is the key of this user"
    assert error.hint == f"delete `{key_path()}`, and run `git rm --cached envsync/key` in the repository"


# The mark


def test_the_mark_says_where_and_when_the_root_was_made(layout: Layout) -> None:
    stored = stored_in(layout.mark)
    assert stored.keys() == {"format", "root", "made"}
    assert (stored["format"], stored["root"]) == (1, str(layout.root))
    assert stored["made"].endswith("+00:00")
    assert layout.mark == layout.envsync_directory / "root.json"


def without(layout: Layout) -> None:
    layout.mark.unlink()


def damaged(layout: Layout) -> None:
    layout.mark.write_text("damaged")


def forged(layout: Layout) -> None:
    stored = json.loads(layout.mark.read_text())
    layout.mark.write_text(json.dumps({**stored, "made": "2020-01-01T00:00:00+00:00"}))


def of_another(layout: Layout) -> None:
    """Copy the mark of a different root."""
    other = make_root(layout.root.with_name("other"))
    layout.mark.write_bytes(other.mark.read_bytes())


def a_link(layout: Layout) -> None:
    layout.mark.rename(layout.root / "mark")
    layout.mark.symlink_to("../mark")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without, ": it has no mark"),
        (damaged, FORGED),
        (forged, FORGED),
        (a_link, FORGED),
        (of_another, ": it was made as `{other}`"),
        (lambda layout: layout.mark.write_text('{"root": 3, "format": 1}'), FORGED),
        (lambda layout: layout.mark.write_text("[" * 100_000), FORGED),
    ],
)
def test_a_root_without_a_mark_of_this_user_is_refused(
    change: Callable[[Layout], object], reason: str, layout: Layout
) -> None:
    change(layout)
    error = refused(layout)
    assert type(error) is UntrustedRootError
    assert error.code == "root-untrusted"
    expected = reason.format(other=layout.root.with_name("other"))
    assert error.message == f"`{layout.root}` was not made by envsync as this user at this place{expected}"
    assert error.hint == TRUST_HINT
    with unauthenticated():
        refuse_untrusted(layout)
    assert type(refused(layout)) is UntrustedRootError


def test_a_root_that_was_moved_says_where_it_was_made(layout: Layout, tmp_path: Path) -> None:
    layout.root.rename(tmp_path / "moved")
    moved = Layout(tmp_path / "moved")
    assert refused(moved).message.endswith(f": it was made as `{layout.root}`")
    write_mark(moved)
    refuse_untrusted(moved)


def test_a_root_of_a_user_with_a_different_key_is_refused(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    forget_roots()
    error = refused(layout)
    assert type(error) is UntrustedRootError
    assert error.message.endswith(FORGED), "it is the same place"


def test_a_mark_of_a_newer_envsync_is_an_error_of_its_own(layout: Layout) -> None:
    edit_state_file(layout.mark, {"format": 2})
    assert "was made by a newer envsync" in refused(layout).message


@pytest.mark.parametrize(
    ("names", "state"),
    [
        ([], False),
        (["lock", "lock.holder.json", ".root.json.123.0123456789abcdef.tmp"], False),
        (["lock", "cache"], True),
        (["environments"], True),
        (["history.jsonl"], True),
    ],
)
def test_what_a_run_that_was_killed_at_once_leaves_does_not_count_as_state(
    names: list[str], state: bool, tmp_path: Path
) -> None:
    layout = Layout(tmp_path / "root")
    layout.envsync_directory.mkdir(parents=True, mode=0o755)
    layout.root.chmod(0o755)
    for name in names:
        (layout.envsync_directory / name).touch()
    if state:
        assert type(refused(layout)) is UntrustedRootError
        with pytest.raises(UntrustedRootError):
            make_own_directory(layout)
        assert not layout.mark.exists()
    else:
        refuse_untrusted(layout)
        make_own_directory(layout)
        refuse_untrusted(layout)
        assert layout.mark.exists()


def test_a_file_in_the_place_of_envsync_s_directory_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "root")
    layout.root.mkdir(0o755)
    layout.envsync_directory.touch(0o644)
    assert type(refused(layout)) is UntrustedRootError


def test_a_mark_is_made_once(layout: Layout) -> None:
    before = layout.mark.stat()
    make_own_directory(layout)
    assert layout.mark.stat().st_ino == before.st_ino
    layout.mark.unlink()
    layout.mark.symlink_to("nowhere")
    make_own_directory(layout)
    assert layout.mark.is_symlink()


def test_everything_is_accepted_only_within_the_block(layout: Layout) -> None:
    layout.mark.unlink()
    with suppress(ZeroDivisionError), unauthenticated():
        with unauthenticated():
            pass
        assert accepts_everything()
        refuse_untrusted(layout)
        raise ZeroDivisionError
    assert not accepts_everything()
    assert type(refused(layout)) is UntrustedRootError


def test_a_key_that_cannot_be_made_or_used_is_an_error_with_a_hint_and_no_root_is_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "root")
    layout.root.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    with pytest.raises(StateError) as caught:
        make_own_directory(layout)
    assert caught.value.message == f"`{key_path()}`, the key of this user, could not be made: Not a directory"
    assert caught.value.hint == "set `XDG_STATE_HOME` to a directory that only this user may write to"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    make_user_key()
    Path(key_path()).chmod(0o644)
    with pytest.raises(StateError) as caught:
        make_own_directory(layout)
    assert caught.value.message == (
        f"`{key_path()}`, the key of this user, could not be used: it is not a key that only this user can read"
    )
    assert caught.value.hint == "run `envsync trust` after you deleted it: a new one is made"
    assert not layout.mark.exists()
    Path(key_path()).chmod(0o600)
    make_own_directory(layout)
    assert layout.mark.exists()


# Exceptions


def test_what_there_is_to_trust_is_the_owner_and_on_request_the_group(layout: Layout) -> None:
    status = layout.root.stat()
    assert trust_present(layout, group=False) == {"owner": status.st_uid}
    assert trust_present(layout, group=True) == {"owner": status.st_uid, "group": status.st_gid}
    with pytest.raises(FileNotFoundError):
        trust_present(Layout(layout.root / "nowhere"), group=False)


@SUPERUSER_ONLY
def test_an_exception_is_remembered_for_one_root(layout: Layout, tmp_path: Path) -> None:
    others = [make_root(tmp_path / name) for name in ("other", "third")]
    for each in (layout, *others):
        os.chown(each.root, OTHER_USER, 12345)
    assert type(refused(layout)) is RootOwnerError
    (tmp_path / "link").symlink_to(layout.root)
    remember_trust(Layout(tmp_path / "link"), trust_present(layout, group=False))
    refuse_untrusted(layout)
    assert type(refused(others[0])) is RootOwnerError
    layout.root.chmod(0o775)
    assert type(refused(layout)) is RootWritableError
    remember_trust(others[0], {"owner": OTHER_USER})
    remember_trust(layout, trust_present(layout, group=True))
    refuse_untrusted(layout)
    refuse_untrusted(others[0])
    assert type(refused(others[1])) is RootOwnerError
    file = tmp_path / "state/envsync/trusted-roots.json"
    assert json.loads(file.read_text()) == {
        str(layout.root): {"owner": OTHER_USER, "group": 12345},
        str(others[0].root): {"owner": OTHER_USER},
    }
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@SUPERUSER_ONLY
@pytest.mark.parametrize(
    "change",
    [
        "a group may write",
        "everyone may write",
        "different owner",
        "link",
        "pipe",
        "damaged",
        "list",
        "deep",
        "number",
        "tracked",
    ],
)
def test_a_file_of_exceptions_that_others_may_have_written_has_none(
    change: str, layout: Layout, tmp_path: Path
) -> None:
    os.chown(layout.root, OTHER_USER, -1)
    remember_trust(layout, {"owner": OTHER_USER})
    refuse_untrusted(layout)
    file = tmp_path / "state/envsync/trusted-roots.json"
    if change == "a group may write":
        file.chmod(0o620)
    elif change == "everyone may write":
        file.chmod(0o602)
    elif change == "different owner":
        os.chown(file, OTHER_USER, -1)
    elif change == "link":
        file.rename(tmp_path / "outside")
        file.symlink_to(tmp_path / "outside")
    elif change == "pipe":
        file.unlink()
        os.mkfifo(file, 0o600)
    elif change == "tracked":
        Repository(tmp_path / "state").git("add", "envsync/trusted-roots.json")
    else:
        content = {"damaged": "{", "list": "[1]", "deep": "[" * 100_000, "number": f'{{"{layout.root}": 3}}'}[change]
        file.write_text(content)
    assert type(refused(layout)) is RootOwnerError
    assert root_trust._trusted(layout.root) == {}


def test_an_exception_is_forgotten_with_a_damaged_file_and_can_be_made_again(layout: Layout, tmp_path: Path) -> None:
    remember_trust(layout, {"owner": 1})
    (tmp_path / "state/envsync/trusted-roots.json").write_text("damaged")
    remember_trust(layout, {"owner": 2})
    assert root_trust._trusted(layout.root) == {"owner": 2}
