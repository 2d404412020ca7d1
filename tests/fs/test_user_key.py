"""The key of the user is made once, no other user may read it, and an unusable one is never used or replaced."""

import errno
import os
import pwd
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconciler.fs import user_key
from reconciler.fs.user_key import KEY_BYTES, key_path, make_user_key, read_user_key, state_directory


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the key of a user whose state directory does not exist yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "deep/state"))
    return tmp_path / "deep/state/envsync/key"


def written(key: Path, content: bytes = b"k" * KEY_BYTES, mode: int = 0o600) -> None:
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_bytes(content)
    key.chmod(mode)


# Where it is


@pytest.mark.parametrize(
    ("xdg", "home", "directory"),
    [
        ("/state", "own", "/state/envsync"),
        ("", "own", "{own}/.local/state/envsync"),
        (None, "own", "{own}/.local/state/envsync"),
        ("relative", "own", "{own}/.local/state/envsync"),
        ("", ".", "/home/named/.local/state/envsync"),  # its owner does not matter: it is relative
        (None, "", "/home/named/.local/state/envsync"),
        (None, None, "/home/named/.local/state/envsync"),
        (None, "nowhere", "/home/named/.local/state/envsync"),
        (None, "of a different user", "/home/named/.local/state/envsync"),
        ("/state", "of a different user", "/state/envsync"),
    ],
)
def test_it_is_in_the_state_directory_of_the_user(
    xdg: str | None, home: str | None, directory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users: list[int] = []

    def named(user: int) -> SimpleNamespace:
        users.append(user)
        return SimpleNamespace(pw_dir="/home/named")

    monkeypatch.setattr(pwd, "getpwuid", named)
    if home == "of a different user":  # as sudo may leave it
        monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    for name, value in (("XDG_STATE_HOME", xdg), ("HOME", home)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, str(tmp_path) if value in {"own", "of a different user"} else value)
    if home == "nowhere":
        monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert state_directory() == directory.format(own=tmp_path)
    assert key_path() == f"{state_directory()}/key"
    assert set(users) <= {os.geteuid()}


def test_a_user_without_a_name_and_a_home_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert state_directory() == "/nonexistent/.local/state/envsync"
    assert read_user_key() is None


# Reading


def test_without_a_file_there_is_none_and_reading_makes_nothing(key: Path) -> None:
    assert read_user_key() is None
    assert not key.parent.parent.exists()


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_that_only_the_user_may_read_is_the_key(mode: int, key: Path) -> None:
    written(key, mode=mode)
    assert read_user_key() == b"k" * KEY_BYTES


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o666])
def test_a_file_that_others_may_read_write_or_execute_is_not_used(mode: int, key: Path) -> None:
    written(key, mode=mode)
    assert read_user_key() is None


@pytest.mark.parametrize("length", [0, 1, KEY_BYTES - 1, KEY_BYTES + 1, 1000])
def test_a_file_of_a_different_length_is_not_used(length: int, key: Path) -> None:
    written(key, b"k" * length)
    assert read_user_key() is None


def test_only_a_regular_file_is_used_and_nothing_is_waited_for(key: Path, tmp_path: Path) -> None:
    key.parent.mkdir(parents=True)
    written(tmp_path / "elsewhere")
    for make in (Path.mkdir, os.mkfifo, lambda path: path.symlink_to(tmp_path / "elsewhere")):
        make(key)
        key.chmod(0o600)
        assert read_user_key() is None
        if key.is_dir():
            key.rmdir()
        else:
            key.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files away")
def test_the_file_of_a_different_user_is_not_used(key: Path) -> None:
    written(key)
    os.chown(key, 65534, -1)
    assert read_user_key() is None


def test_a_path_that_no_system_can_have_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_key, "key_path", lambda: "\0")
    assert read_user_key() is None


def test_an_error_while_reading_is_none_and_no_descriptor_stays_open(
    key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(key)
    before = os.listdir("/proc/self/fd")

    def fails(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "read", fails)
        assert read_user_key() is None
    assert read_user_key() == b"k" * KEY_BYTES
    assert os.listdir("/proc/self/fd") == before


# Making


@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_it_is_made_once_and_only_the_user_may_read_it(umask: int, key: Path) -> None:
    key.parent.parent.mkdir(parents=True)
    before = os.umask(umask if os.geteuid() == 0 else umask & 0o077)
    try:
        made = make_user_key()
    finally:
        os.umask(before)
    assert len(made) == KEY_BYTES
    assert key.read_bytes() == made
    assert key.stat().st_mode & 0o777 in {0o600, 0o600 & ~umask}
    assert key.parent.stat().st_mode & 0o077 == 0
    assert os.listdir(key.parent) == ["key"]
    assert make_user_key() == made == read_user_key()


def test_each_user_has_a_different_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for name in ("one", "two", "three"):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / name))
        found.add(make_user_key())
    assert len(found) == 3


def test_it_is_on_the_disk_before_it_is_used(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    make_user_key()
    assert sizes == [KEY_BYTES]


def test_the_first_of_two_processes_makes_it(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def slow(source: str, target: str) -> None:
        written(key, b"f" * KEY_BYTES)
        link(source, target)

    monkeypatch.setattr(os, "link", slow)
    assert make_user_key() == b"f" * KEY_BYTES
    assert os.listdir(key.parent) == ["key"]


def test_many_processes_get_the_same(key: Path) -> None:
    program = "from reconciler.fs.user_key import make_user_key; print(make_user_key().hex())"
    started = [
        subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    found = {each.communicate()[0] for each in started}
    assert found == {f"{make_user_key().hex()}\n".encode()}


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_an_unusable_file_is_an_error_and_is_kept(mode: int, key: Path) -> None:
    content = b"k" * (KEY_BYTES if mode == 0o644 else 3)
    written(key, content, mode)
    with pytest.raises(PermissionError, match="it is not a key that only this user can read") as caught:
        make_user_key()
    assert caught.value.filename == str(key)
    assert key.read_bytes() == content
    assert os.listdir(key.parent) == ["key"]


@pytest.mark.parametrize("step", ["write", "link"])
def test_nothing_is_left_if_it_cannot_be_made(step: str, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync" if step == "write" else "link", fails)
    with pytest.raises(OSError, match="No space left"):
        make_user_key()
    assert os.listdir(key.parent) == []


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV])
def test_it_is_made_on_a_file_system_without_hard_links(
    number: int, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refused)
    made = make_user_key()
    assert key.read_bytes() == made == make_user_key()
    assert os.listdir(key.parent) == ["key"]


def test_a_link_that_was_put_in_the_place_of_the_temporary_file_is_not_followed(
    key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)  # so that the name can be foreseen
    key.parent.mkdir(parents=True)
    (key.parent / f"key.{'00' * 8}.tmp").symlink_to(tmp_path / "outside")
    with pytest.raises(FileExistsError):
        make_user_key()
    assert not (tmp_path / "outside").exists()


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(NotADirectoryError):
        make_user_key()
