"""A JSON file with a code is read as it was written; any other one is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.fs.authentic_json import NotAuthenticError, authentic_json, read_authentic_json, require_authentic
from tests.state.edited import write_stored

FORGED = "it was not written by envsync as this user in this root"
TEXT = st.text(st.characters(exclude_categories=[]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / ".envsync").mkdir()
    return tmp_path / ".envsync/file.json"


@given(stored=st.dictionaries(TEXT.filter(lambda key: key != "authentication"), VALUES, max_size=4))
def test_an_object_is_read_as_it_was_written(stored: dict[str, Any]) -> None:
    content = authentic_json("/root/.envsync/file", stored)
    assert content.endswith(b"\n")
    found = json.loads(content)
    assert set(found) == {*stored, "authentication"}
    assert require_authentic("/root/.envsync/file", found) == stored


def test_the_code_is_the_last_word_about_all_keys(file: Path) -> None:
    file.write_bytes(authentic_json(str(file), {"a": 1, "b": [2]}))
    assert read_authentic_json(str(file)) == {"a": 1, "b": [2]}
    stored = json.loads(file.read_bytes())
    given_before = dict(stored)
    for changed in ({**stored, "a": 2}, {**stored, "c": 3}, {key: stored[key] for key in ("a", "authentication")}):
        with pytest.raises(NotAuthenticError) as caught:
            require_authentic(str(file), changed)
        assert str(caught.value) == FORGED
    require_authentic(str(file), stored)
    assert stored == given_before, "the object of the caller is not changed"


def test_the_order_of_keys_and_white_space_do_not_matter(file: Path) -> None:
    stored = json.loads(authentic_json(str(file), {"a": 1, "b": {"c": 2, "d": 3}}))
    file.write_text(json.dumps(dict(reversed(stored.items())), indent=4))
    assert read_authentic_json(str(file)) == {"a": 1, "b": {"c": 2, "d": 3}}


@pytest.mark.parametrize("code", [None, 3, "", "0" * 64, ["x"], {}, "\u00e9", True])
def test_a_file_with_a_different_code_or_none_is_refused(code: Any, file: Path) -> None:
    for stored in ({"a": 1, "authentication": code}, {"a": 1}):
        file.write_text(json.dumps(stored))
        with pytest.raises(NotAuthenticError, match=FORGED):
            read_authentic_json(str(file))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"[]", b"3", b"null", b"[" * 100_000, b'{"a":' * 100_000, b'{"a": 1'], ids=repr
)
def test_what_is_not_an_object_is_a_value_error(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        read_authentic_json(str(file))


def test_a_list_is_refused_although_it_could_have_no_code(file: Path) -> None:
    file.write_bytes(b"[1]")
    with pytest.raises(ValueError, match="not an object"):
        read_authentic_json(str(file))


def test_a_copy_at_a_different_place_or_in_a_different_root_is_refused(file: Path, tmp_path: Path) -> None:
    write_stored(file, {"a": 1})
    other = tmp_path / "other/.envsync/file.json"
    other.parent.mkdir(parents=True)
    for copy in (file.with_name("copy.json"), other):
        copy.write_bytes(file.read_bytes())
        with pytest.raises(NotAuthenticError):
            read_authentic_json(str(copy))


def test_a_file_is_read_through_no_link_and_never_waited_for(file: Path, tmp_path: Path) -> None:
    write_stored(file, {"a": 1})
    file.rename(tmp_path / "outside")
    file.symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="symbolic links"):
        read_authentic_json(str(file))
    file.unlink()
    with pytest.raises(FileNotFoundError):
        read_authentic_json(str(file))
    os.mkfifo(file)
    with pytest.raises(OSError, match="not a regular file"):
        read_authentic_json(str(file))
