"""The code of a file depends on the key of the user, on the root, on the place in it and on the contents."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.fs import authentication
from reconciler.fs.authentication import (
    accept_everything,
    accepts_everything,
    authentication_code,
    forget_roots,
    is_authentic,
)
from reconciler.fs.user_key import key_path, read_user_key

CONTENT = b'{"format":1}'


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use a key that does not exist yet, and roots that this process has not met."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    forget_roots()
    yield
    forget_roots()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / ".envsync").mkdir(parents=True)
    return made


def place(root: Path, name: str = "environments/web.json") -> str:
    return f"{root}/.envsync/{name}"


def test_a_code_is_that_of_its_file_and_contents(root: Path) -> None:
    code = authentication_code(place(root), CONTENT)
    assert len(bytes.fromhex(code)) == 32
    assert code == authentication_code(place(root), CONTENT)
    assert is_authentic(place(root), CONTENT, code)
    assert is_authentic(place(root), memoryview(CONTENT), code)


def test_any_other_key_root_place_or_contents_has_a_different_code(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = authentication_code(place(root), CONTENT)
    others = [
        (place(root), CONTENT + b" "),
        (place(root), b""),
        (place(root, "environments/api.json"), CONTENT),
        (place(root, "web.json"), CONTENT),
        (place(tmp_path / "root2"), CONTENT),
        (place(root / "environments", "web.json"), CONTENT),  # the same characters, divided otherwise
        (place(root, "environments/web.json" + CONTENT.decode()), b""),
    ]
    assert not any(is_authentic(path, content, code) for path, content in others)
    codes = {authentication_code(path, content) for path, content in others}
    assert len(codes | {code}) == len(others) + 1
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state of someone else"))
    forget_roots()
    assert not is_authentic(place(root), CONTENT, code), "without a key"
    assert authentication_code(place(root), CONTENT) not in codes | {code}
    assert not is_authentic(place(root), CONTENT, code)


def test_the_end_of_a_root_cannot_be_moved_into_the_place_or_the_contents(tmp_path: Path) -> None:
    """The real path, the place and the contents have a byte between them that no path has."""
    (tmp_path / "a").mkdir()
    one = authentication_code(f"{tmp_path}/.envsync/a", b"b")
    assert one != authentication_code(f"{tmp_path}/.envsync/", b"ab")
    assert one != authentication_code(f"{tmp_path}/.envsync/ab", b"")
    assert authentication_code(f"{tmp_path}/a/.envsync/", b"") != authentication_code(f"{tmp_path}/.envsync/a", b"")


def test_a_root_has_the_same_codes_by_every_path(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = authentication_code(place(root), CONTENT)
    (tmp_path / "link").symlink_to("root")
    assert is_authentic(place(tmp_path / "link"), CONTENT, code)
    monkeypatch.chdir(tmp_path)
    assert is_authentic("root/.envsync/environments/web.json", CONTENT, code)


def test_a_root_with_a_name_that_is_not_utf_8_has_codes(tmp_path: Path) -> None:
    one, two = (place(tmp_path / name) for name in ("\udcff", "\udcfe"))
    assert is_authentic(one, CONTENT, authentication_code(one, CONTENT))
    assert not is_authentic(two, CONTENT, authentication_code(one, CONTENT))


@pytest.mark.parametrize("code", ["", "0", "0" * 64, "\u00e9" * 64, "\udcff"])
def test_any_other_text_is_not_a_code(code: str, root: Path) -> None:
    authentication_code(place(root), CONTENT)
    assert not is_authentic(place(root), CONTENT, code)


def test_checking_makes_no_key_and_making_a_code_does(root: Path) -> None:
    assert not is_authentic(place(root), CONTENT, "0" * 64)
    assert not os.path.exists(key_path())  # noqa: PTH110
    code = authentication_code(place(root), CONTENT)
    assert os.path.exists(key_path())  # noqa: PTH110
    assert is_authentic(place(root), CONTENT, code)


def test_a_key_that_cannot_be_made_is_an_error(root: Path, tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(NotADirectoryError):
        authentication_code(place(root), CONTENT)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files away")
def test_the_files_of_a_different_user_are_not_checked_because_only_that_user_has_the_key(root: Path) -> None:
    code = authentication_code(place(root), CONTENT)
    os.chown(root / ".envsync", 65534, -1)
    assert not is_authentic(place(root), CONTENT, "0" * 64), "the owner was asked for once"
    forget_roots()
    assert is_authentic(place(root), CONTENT, "0" * 64)
    os.chown(root / ".envsync", 0, -1)
    os.chown(root, 65534, -1)
    forget_roots()
    assert not is_authentic(place(root), CONTENT, "0" * 64), "the owner of the files counts"
    assert is_authentic(place(root), CONTENT, code)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files away")
def test_the_owner_of_a_link_is_not_that_of_its_target(root: Path, tmp_path: Path) -> None:
    """Otherwise a link to the directory of a different user would make every file count as authentic."""
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, -1)
    (root / ".envsync").rmdir()
    (root / ".envsync").symlink_to(tmp_path / "theirs")
    assert not is_authentic(place(root), CONTENT, "0" * 64)


def test_a_root_that_does_not_exist_yet_is_ones_own(tmp_path: Path) -> None:
    path = place(tmp_path / "nowhere")
    assert not is_authentic(path, CONTENT, "0" * 64)
    assert is_authentic(path, CONTENT, authentication_code(path, CONTENT))


def test_everything_is_accepted_only_for_as_long_as_someone_says_so(root: Path) -> None:
    assert not accepts_everything()
    before = accept_everything(True)
    try:
        assert before is False
        assert accepts_everything()
        assert is_authentic(place(root), CONTENT, "0" * 64)
        assert accept_everything(True) is True
    finally:
        accept_everything(before)
    assert not accepts_everything()
    assert not is_authentic(place(root), CONTENT, "0" * 64)


def test_owner_and_key_are_read_once_for_each_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted() -> bytes | None:
        read.append("key")
        return read_user_key()

    monkeypatch.setattr(authentication, "read_user_key", counted)
    code = authentication_code(place(root), CONTENT)
    for name in ("environments/web.json", "environments/api.json", "cache/inodes"):
        is_authentic(place(root, name), CONTENT, code)
    assert read == ["key"]
    forget_roots()
    is_authentic(place(root), CONTENT, code)
    assert read == ["key", "key"]
