"""Who may write to a file besides its user and root: its owner, a group, an access control list, or everyone."""

import grp
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.fs.accounts import group_name, has_other_members, sudo_user, user_name
from reconciler.fs.writers import Writer, other_writer, writer_by_mode
from tests.fs.access_lists import GROUP, GROUP_OBJ, MASK, NOBODY, OTHER, USER, USER_OBJ, set_access_list
from tests.unprivileged import reachable_directory, unprivileged

SOME_USER = 65534
ME, BOB, ANN = os.geteuid(), 4242, 4243
DEVS, OTHERS, MINE, UNKNOWN = 5000, 5001, 5002, 4_000_001
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away")


@pytest.fixture(autouse=True)
def _groups_are_asked_again() -> Iterator[None]:
    has_other_members.cache_clear()
    yield
    has_other_members.cache_clear()


def writer(path: Path) -> str:
    return str(other_writer(str(path), path.lstat()) or "")


# By mode


@pytest.mark.parametrize(
    ("mode", "who"),
    [(0o755, ""), (0o700, ""), (0o4755, ""), (0o777, "every user"), (0o757, "every user"), (0o702, "every user")],
)
def test_others_may_write_if_the_mode_says_so(mode: int, who: str, tmp_path: Path) -> None:
    for path in (tmp_path / "file", tmp_path / "directory"):
        path.mkdir() if path.name == "directory" else path.touch()
        path.chmod(mode)
        assert writer(path) == who


def test_in_a_sticky_directory_only_the_owner_replaces_a_file(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert writer(tmp_path) == ""
    assert writer_by_mode(str(tmp_path), tmp_path.stat(), ME) == Writer(by="everyone")
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o1777)
    assert writer(tmp_path / "file") == "every user", "on a file the bit means nothing"


def test_a_link_has_no_mode_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/")
    assert writer(tmp_path / "link") == ""


# Owners


@needs_root
def test_an_owner_other_than_root_or_this_user_may_write(tmp_path: Path) -> None:
    for name in ("file", "link"):
        path = tmp_path / name
        path.symlink_to("/") if name == "link" else path.touch()
        os.chown(path, SOME_USER, -1, follow_symlinks=False)
        assert writer(path) == f"user `{user_name(SOME_USER)}`"
    os.chown(tmp_path / "file", 4_000_000, -1)
    assert writer(tmp_path / "file") == "user `4000000`", "it has no name"


@needs_root
def test_what_belongs_to_root_or_to_this_user_is_not_changed_by_others() -> None:
    with reachable_directory() as place:
        for name, owner in {"own": SOME_USER, "roots": 0, "others": 1}.items():
            (place / name).touch()
            os.chown(place / name, owner, -1)
        with unprivileged():
            assert [writer(place / name) for name in ("own", "roots")] == ["", ""]
            assert writer(place / "others") == f"user `{user_name(1)}`"


def test_accounts_without_a_name_have_their_number() -> None:
    assert (user_name(4_000_000), group_name(UNKNOWN), sudo_user(4_000_000)) == ("4000000", "4000001", "#4000000")
    assert user_name(os.geteuid()) == sudo_user(os.geteuid()) == pwd.getpwuid(os.geteuid()).pw_name


# Groups


def declare_accounts(
    monkeypatch: pytest.MonkeyPatch, *, users: dict[str, tuple[int, int]], groups: dict[str, tuple[int, list[str]]]
) -> None:
    """Let the system have these users (number and primary group) and groups (number and members), and no others."""
    by_name = {
        name: pwd.struct_passwd((name, "x", user, group, "", "/", "/bin/sh")) for name, (user, group) in users.items()
    }
    by_user = {each.pw_uid: each for each in by_name.values()}
    by_group = {number: grp.struct_group((name, "x", number, members)) for name, (number, members) in groups.items()}
    monkeypatch.setattr(pwd, "getpwall", lambda: list(by_name.values()))
    monkeypatch.setattr(pwd, "getpwnam", by_name.__getitem__)
    monkeypatch.setattr(pwd, "getpwuid", by_user.__getitem__)
    monkeypatch.setattr(grp, "getgrgid", by_group.__getitem__)


@pytest.mark.parametrize(
    ("group", "members", "users", "who"),
    [
        pytest.param("me", [], {"me": (ME, DEVS)}, "", id="the private group of the user"),
        pytest.param("me", ["me"], {"me": (ME, DEVS)}, "", id="the private group that lists the user"),
        pytest.param("me", ["root"], {"me": (ME, DEVS)}, "", id="the private group that lists root"),
        pytest.param("me", ["bob"], {"me": (ME, DEVS), "bob": (BOB, 100)}, "devs", id="bob was added to it"),
        pytest.param("me", [], {"me": (ME, DEVS), "bob": (BOB, DEVS)}, "devs", id="it is the primary group of bob too"),
        pytest.param("users", [], {"me": (ME, DEVS)}, "devs", id="the primary group with another name"),
        pytest.param("staff", [], {"me": (ME, 100)}, "", id="a group without members"),
        pytest.param("devs", ["me"], {"me": (ME, 100)}, "", id="a group with only this user"),
        pytest.param("devs", ["root", "me"], {"me": (ME, 100), "root": (0, 0)}, "", id="only root and this user"),
        pytest.param("devs", ["gone"], {"me": (ME, 100)}, "", id="a member that does not exist"),
        pytest.param("devs", ["me", "bob"], {"me": (ME, 100), "bob": (BOB, 100)}, "devs", id="a group with bob"),
        pytest.param("bob", [], {"me": (ME, 100), "bob": (BOB, DEVS)}, "devs", id="the private group of bob"),
        pytest.param("root", [], {"root": (0, DEVS)}, "", id="a user without a name, and the group of root"),
        pytest.param("devs", ["bob"], {"bob": (BOB, 100)}, "devs", id="a user without a name, and a group with bob"),
        pytest.param(None, [], {"me": (ME, 100)}, "devs", id="a group that the system does not know"),
        pytest.param(None, [], {"me": (ME, DEVS)}, "devs", id="a primary group that the system does not know"),
    ],
)
def test_a_group_counts_if_others_are_in_it(
    group: str | None,
    members: list[str],
    users: dict[str, tuple[int, int]],
    who: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    declare_accounts(monkeypatch, users=users, groups={} if group is None else {group: (DEVS, members)})
    status = os.stat_result([0o40775, 1, 1, 2, ME, DEVS, 0, 0, 0, 0])
    expected = Writer(by="group", number=DEVS) if who else None
    assert other_writer(str(tmp_path), status) == writer_by_mode(str(tmp_path), status, ME) == expected
    assert writer_by_mode(str(tmp_path), status, ME, trusted=DEVS) is None
    assert writer_by_mode(str(tmp_path), status, ME, trusted=OTHERS) == expected
    assert str(expected or "") == (f"the group `{group or DEVS}`" if who else "")
    read_only = os.stat_result([0o40755, 1, 1, 2, ME, DEVS, 0, 0, 0, 0])
    assert writer_by_mode(str(tmp_path), read_only, ME) is None


@needs_root
def test_a_group_that_the_system_does_not_know_counts(tmp_path: Path) -> None:
    os.chown(tmp_path, -1, UNKNOWN)
    tmp_path.chmod(0o770)
    assert writer(tmp_path) == f"the group `{UNKNOWN}`"


# Access control lists


@pytest.mark.parametrize(
    ("named", "own_group", "mask", "who"),
    [
        pytest.param((USER, 7, BOB), 5, 7, "access list", id="bob may write"),
        pytest.param((USER, 7, BOB), 7, 5, "", id="the mask takes it away from all"),
        pytest.param((USER, 5, BOB), 7, 7, "", id="bob may read, and the private group may write"),
        pytest.param((USER, 5, BOB), 5, 7, "", id="bob may read"),
        pytest.param((USER, 7, ME), 5, 7, "", id="this user may write"),
        pytest.param((USER, 7, 0), 5, 7, "", id="root may write"),
        pytest.param((GROUP, 7, OTHERS), 5, 7, "access list", id="a group with bob may write"),
        pytest.param((GROUP, 7, UNKNOWN), 5, 7, "access list", id="an unknown group may write"),
        pytest.param((GROUP, 7, MINE), 5, 7, "", id="a group with only this user may write"),
        pytest.param((GROUP, 5, OTHERS), 5, 7, "", id="a group with bob may read"),
    ],
)
def test_an_access_control_list_may_give_write_permission(
    named: tuple[int, int, int], own_group: int, mask: int, who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path.stat().st_gid
    declare_accounts(
        monkeypatch,
        users={"me": (ME, private), "bob": (BOB, 100), "ann": (ANN, 100)},
        groups={"me": (private, []), "others": (OTHERS, ["me", "bob"]), "mine": (MINE, ["me"])},
    )
    for path in (tmp_path / "file", tmp_path / "directory"):
        path.mkdir() if path.name == "directory" else path.touch()
        rest = [(USER_OBJ, 7, NOBODY), (GROUP_OBJ, own_group, NOBODY), (MASK, mask, NOBODY), (OTHER, 5, NOBODY)]
        set_access_list(path, [named, *rest])
        found = other_writer(str(path), path.lstat())
        assert (found.by if found else "") == who
        if who:
            trusted = writer_by_mode(str(path), path.lstat(), ME, trusted=private)
            assert trusted == Writer(by="access list"), "the trusted group is not the one of the entry"
            assert writer(path) == "users in its access control list"
            subprocess.run(["chmod", "go-w", path], check=True)
            assert writer(path) == "", "what the hint says takes the permission away"


@needs_root
def test_the_group_of_a_file_counts_only_if_its_entry_permits_to_write(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    os.chown(file, -1, UNKNOWN)
    rest = [(USER_OBJ, 7, NOBODY), (USER, 5, BOB), (MASK, 7, NOBODY), (OTHER, 5, NOBODY)]
    set_access_list(file, [*rest, (GROUP_OBJ, 5, NOBODY)])
    assert file.stat().st_mode & 0o020, "the bit is the mask"
    assert writer(file) == ""
    set_access_list(file, [*rest, (GROUP_OBJ, 7, NOBODY)])
    assert writer(file) == f"the group `{UNKNOWN}`"
