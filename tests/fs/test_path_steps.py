"""Every step on the way to a file, and who may change one of them: as `StrictModes` of sshd, through links too."""

import errno
import grp
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.fs import path_steps
from reconciler.fs.path_steps import other_writer, steps_to, user_name, writers_by_mode
from tests.unprivileged import reachable_directory, unprivileged

SOME_USER = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away")


@pytest.fixture(autouse=True)
def _groups_are_asked_again() -> Iterator[None]:
    path_steps._others_in_group.cache_clear()
    yield
    path_steps._others_in_group.cache_clear()


def steps(path: Path | str) -> list[str]:
    return [step for step, _ in steps_to(str(path))]


def writer(path: Path) -> str:
    return other_writer(str(path), path.lstat())


def test_every_directory_and_link_on_the_way_is_a_step(tmp_path: Path) -> None:
    (tmp_path / "real/bin").mkdir(parents=True)
    (tmp_path / "real/bin/python3.12").touch()
    (tmp_path / "real/bin/python3").symlink_to("python3.12")
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    (tmp_path / "relative").symlink_to("alias/../real/./bin")
    above = steps(tmp_path)
    top = str(tmp_path)
    assert above[0] == "/"
    assert above[-1] == top
    assert steps(tmp_path / "relative/python3") == [
        *above,
        f"{top}/relative",
        f"{top}/alias",
        *above[1:],
        f"{top}/real",
        f"{top}/real",
        f"{top}/real/bin",
        f"{top}/real/bin/python3",
        f"{top}/real/bin/python3.12",
    ]


def test_a_link_out_of_a_directory_counts_before_two_dots(tmp_path: Path) -> None:
    """`link/..` is above what the link points to, not above the link."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/file").touch()
    (tmp_path / "link").symlink_to("a/b")
    assert steps(tmp_path / "link/../file")[-1] == f"{tmp_path}/a/file"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("gone", errno.ENOENT),
        ("circle", errno.ELOOP),
        ("file/below", errno.ENOTDIR),
        ("n" * 300, errno.ENAMETOOLONG),
        ("\0", errno.ENOENT),
        ("\ud800", errno.ENOENT),
    ],
)
def test_a_path_without_a_file_is_an_error(name: str, error: int, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r".") as caught:
        steps(tmp_path / name)
    assert caught.value.errno == error


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
    assert writers_by_mode(str(tmp_path), tmp_path.stat()) == "every user"
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o1777)
    assert writer(tmp_path / "file") == "every user", "on a file the bit means nothing"


def test_a_link_has_no_mode_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/")
    assert writer(tmp_path / "link") == ""


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


class Accounts:
    """Groups and users as the system would report them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, members: list[str], primary: dict[str, tuple[int, int]]):
        users = {
            name: pwd.struct_passwd((name, "x", user, group, "", "/", "/bin/sh"))
            for name, (user, group) in primary.items()
        }

        def by_name(name: str) -> pwd.struct_passwd:
            return users[name]

        monkeypatch.setattr(pwd, "getpwall", lambda: list(users.values()))
        monkeypatch.setattr(pwd, "getpwnam", by_name)
        monkeypatch.setattr(grp, "getgrgid", lambda number: grp.struct_group(("devs", "x", number, members)))


@pytest.mark.parametrize(
    ("members", "primary", "who"),
    [
        ([], {"me": (os.geteuid(), 5000)}, ""),  # the private group of the user: umask 002 on many systems
        (["me"], {"me": (os.geteuid(), 100)}, ""),
        (["root", "me"], {"me": (os.geteuid(), 100), "root": (0, 0)}, ""),
        ([], {}, ""),  # it has no members, as `staff` of Debian
        (["gone"], {}, ""),
        (["bob"], {"bob": (4242, 100)}, "group `devs`"),
        ([], {"me": (os.geteuid(), 5000), "bob": (4242, 5000)}, "group `devs`"),
    ],
)
def test_a_group_counts_if_others_are_in_it(
    members: list[str],
    primary: dict[str, tuple[int, int]],
    who: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Accounts(monkeypatch, members=members, primary=primary)
    tmp_path.chmod(0o775)
    status = os.stat_result([0o40775, 1, 1, 2, os.geteuid(), 5000, 0, 0, 0, 0])
    assert other_writer(str(tmp_path), status) == who


@needs_root
def test_a_group_that_the_system_does_not_know_counts(tmp_path: Path) -> None:
    os.chown(tmp_path, -1, 4_000_001)
    tmp_path.chmod(0o770)
    assert writer(tmp_path) == "group `4000001`"


def test_an_access_control_list_may_give_write_permission(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    # Version 2: owner rwx, user 4242 rwx, group r-x, mask rwx, others r-x (linux/posix_acl_xattr.h).
    entries = [(1, 7, -1), (2, 7, 4242), (4, 5, -1), (0x10, 7, -1), (0x20, 5, -1)]
    content = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + bits.to_bytes(2, "little") + (number & 0xFFFFFFFF).to_bytes(4, "little")
        for tag, bits, number in entries
    )
    try:
        os.setxattr(file, "system.posix_acl_access", content)
    except (OSError, AttributeError):
        pytest.skip("this file system has no access control lists")
    assert writer(file) == "users in its access control list"
    subprocess.run(["chmod", "go-w", file], check=True)
    assert writer(file) == "", "what the hint says takes the permission away"
