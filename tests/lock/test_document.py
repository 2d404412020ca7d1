"""Reading and writing lock files, including invalid and untrusted ones."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import LockError, LockWriteError, NewerLockError
from reconciler.lock import lock_file
from reconciler.lock.lock_file import lock_path, parse_lock, read_lock, write_lock

HEAD = 'lock-version = "1.0"\ncreated-by = "pip"\n'
WHEEL = 'wheels = [{url = "https://index.example/a-1-py3-none-any.whl", hashes = {sha256 = "00"}}]\n'
OURS = f'{HEAD}packages = []\n[tool.envsync]\ninputs = "sha256:1"\n'


def refusal(text: str) -> LockError:
    with pytest.raises(LockError) as caught:
        parse_lock(text, Path("locks/pylock.web.toml"), "web")
    assert caught.value.message.startswith("locks/pylock.web.toml: ")
    assert caught.value.hint == "delete it and run `envsync lock web`"
    return caught.value


def test_the_path_of_a_lock() -> None:
    assert lock_path(Path("/m/locks"), "web-py311") == Path("/m/locks/pylock.web-py311.toml")


def test_a_missing_lock_is_none(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "no" / "pylock.web.toml", "web", reach=None) is None


def test_a_written_lock_is_read_again_and_its_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    lock = parse_lock(OURS, tmp_path / "new" / "pylock.web.toml", "web")
    write_lock(lock)
    again = read_lock(lock.path, "web", reach=None)
    assert again is not None
    assert (again.inputs, again.document, again.environment) == ("sha256:1", lock.document, "web")
    assert sorted(os.listdir(lock.path.parent)) == ["pylock.web.toml"]
    lock.path.write_text(lock.path.read_text() + "# a comment\n")
    edited = read_lock(lock.path, "web", reach=None)
    assert edited is not None
    assert edited.digest != again.digest


@pytest.mark.parametrize(
    "tool",
    [
        "",
        "[tool]\n",
        "[tool.pdm]\nx = 0.5\n",
        '[tool]\nenvsync = "x"\n',
        "[tool.envsync]\n",
        "[tool.envsync]\ninputs = 3\n",
    ],
)
def test_a_lock_of_a_different_tool_has_no_inputs(tool: str) -> None:
    lock = parse_lock(f'{HEAD}[[packages]]\nname = "a"\nversion = "1"\n{WHEEL}{tool}', Path("x"), "web")
    assert lock.inputs is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Missing required value"),
        ("<<<<<<< HEAD\n" + OURS, "line 1, column 1"),
        ("packages = []\n", "lock-version"),
        ('lock-version = "1.0"\npackages = []\n', "created-by"),
        (f"{HEAD}packages = 3\n", "packages"),
        (f"{HEAD}[[packages]]\nname = 3\n", "name"),
        (f'{HEAD}[[packages]]\nname = "a"\nversion = "one"\n{WHEEL}', "one"),
        (f'{HEAD}[[packages]]\nname = "a"\nmarker = "x =="\n{WHEEL}', "marker"),
        (f"{HEAD}packages = []\ntool = 3\n", "tool"),
        (f"{HEAD}packages = []\nx = {'[' * 5000}", ""),
        (f"{HEAD}packages = []\nx = {'9' * 5000}\n", ""),
        (f"{HEAD}packages = []\nx = 9999-99-99\n", ""),
        ("\0", ""),
        ("\ufeff" + OURS, ""),
    ],
)
def test_an_invalid_lock_is_refused_with_file_and_hint(text: str, message: str) -> None:
    assert message in refusal(text).message


@pytest.mark.parametrize("version", ["2.0", "2", "2.1rc1", "10.0"])
def test_a_lock_of_a_newer_version_is_refused_as_such(version: str) -> None:
    for rest in ('created-by = "x"\npackages = []\n', "", "other = 3\n"):
        with pytest.raises(NewerLockError, match="made by a newer envsync") as caught:
            parse_lock(f'lock-version = "{version}"\n{rest}', Path("x"), "web")
        assert version in caught.value.message
        assert caught.value.hint == "use the envsync that made it, or a newer one"


@given(st.dictionaries(st.sampled_from(["packages", "tool", "extras", "environments", "x"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab'\"", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["name", "version", "wheels", "hashes", "vcs", "directory", "envsync", "inputs", "marker"]),
        inner, max_size=3),
    max_leaves=6,
)))  # fmt: skip
@settings(max_examples=200)
def test_any_document_is_a_lock_or_a_lock_error(shape: dict[str, object]) -> None:
    def toml(value: object) -> str:
        match value:
            case None:
                return "1979-05-27"
            case bool():
                return str(value).lower()
            case list():
                return "[" + ", ".join(map(toml, value)) + "]"
            case dict():
                return "{" + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + "}"
            case str():
                return "'''" + value.replace("'", "") + "'''"
            case _:
                return str(value)

    text = HEAD + "".join(f"{key} = {toml(value)}\n" for key, value in shape.items())
    with suppress(LockError):
        parse_lock(text, Path("x"), "web")


def test_bytes_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pylock.web.toml"
    path.write_bytes(OURS.encode("utf-16"))
    with pytest.raises(LockError, match=r"pylock\.web\.toml: not UTF-8") as caught:
        read_lock(path, "web", reach=None)
    assert caught.value.hint == "delete it and run `envsync lock web`"


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pylock.web.toml"
    with path.open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(LockError, match="larger than 16 MiB"):
        read_lock(path, "web", reach=None)


def test_anything_but_a_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    for name, make in (("fifo", os.mkfifo), ("directory", os.mkdir)):
        make(tmp_path / name)
        with pytest.raises(LockError, match=rf"{name}: (not a regular file|a directory, not a file)"):
            read_lock(tmp_path / name, "web", reach=None)
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(LockError, match="not a regular file"):
        read_lock(tmp_path / "endless", "web", reach=None)
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(LockError, match="symbolic links"):
        read_lock(tmp_path / "circle", "web", reach=None)


def test_a_lock_that_cannot_be_written_is_an_error_and_the_old_one_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    lock = parse_lock(OURS, tmp_path / "file" / "pylock.web.toml", "web")
    with pytest.raises(LockWriteError, match=r"pylock\.web\.toml` could not be written"):
        write_lock(lock)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    old = parse_lock(OURS, tmp_path / "pylock.web.toml", "web")
    write_lock(old)
    before = old.path.read_bytes()
    monkeypatch.setattr(lock_file, "write_users_file", fails)
    with pytest.raises(LockWriteError, match="No space left on device") as caught:
        write_lock(old)
    assert caught.value.hint == "free disk space, then run the command again"
    assert old.path.read_bytes() == before
