"""A file of columns is read only if its first line and its code are right; else the error says what is wrong."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.fs.authentication import authentication_code
from reconciler.state.columns_file import dump_columns, load_columns, parse_columns

PATH = "/root/.envsync/cache/inodes"
VALUE: dict[str, Any] = {
    "numbers": [1, 2, -(1 << 70), 0.5, True, None],
    "text": "\u00e9",
    "long": "\udcff\0line\n" * 100,
    "bytes": b"\x00\n" * 3,
    "empty": b"",
    "inner": {"": [1], "column": b"column", "more": {"deep": b"deep"}},
}
CONTENT = dump_columns(PATH, "inodes", VALUE)
JSON = CONTENT.split(b"\n")[1]


def test_a_value_is_read_as_it_was_written() -> None:
    assert parse_columns(PATH, "inodes", CONTENT) == VALUE


def test_tuples_are_read_as_lists() -> None:
    content = dump_columns(PATH, "agreed", {"files": (("a", (1, 2)),)})
    assert parse_columns(PATH, "agreed", content) == {"files": [["a", [1, 2]]]}


_KEYS = st.text(max_size=5).filter(lambda key: key != "\0")
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner | st.binary(max_size=50), max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(_KEYS, _VALUES | st.binary(), max_size=5))
def test_any_value_is_read_as_it_was_written(value: dict[str, Any]) -> None:
    assert parse_columns(PATH, "agreed", dump_columns(PATH, "agreed", value)) == value


def with_code(body: bytes) -> bytes:
    return f"envsync inodes 2 {authentication_code(PATH, body)}\n".encode() + body


FORGED = "damaged envsync inodes file: it was not written by envsync as this user in this root"


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("inodes", b"", "not an envsync inodes file"),
        ("inodes", b"no line end", "not an envsync inodes file"),
        ("inodes", b"x" * 300 + b"\n", "not an envsync inodes file"),
        ("agreed", CONTENT, "not an envsync agreed file"),
        ("inodes", CONTENT.replace(b"envsync", b"enveloped", 1), "not an envsync inodes file"),
        ("inodes", CONTENT.replace(b"inodes 2", b"inodes 2 2", 1), FORGED),
        ("inodes", CONTENT.replace(b"inodes 2", b"inodes 3", 1), "envsync inodes file of format 3, not 2"),
        ("inodes", CONTENT.replace(b"inodes 2", b"inodes \xff", 1), "envsync inodes file of format \ufffd, not 2"),
        ("inodes", CONTENT[:-1], FORGED),
        ("inodes", CONTENT + b"\0", FORGED),
        ("inodes", CONTENT.replace(b"inodes 2 ", b"inodes 2 \xff", 1), FORGED),
        ("inodes", b"envsync inodes 2 \n" + JSON, FORGED),
        ("inodes", with_code(b""), "damaged envsync inodes file: its object is not complete"),
        ("inodes", with_code(b"[1]\n"), "damaged envsync inodes file: not an object"),
        ("inodes", with_code(b"{}"), "damaged envsync inodes file: its object is not complete"),
        ("inodes", with_code(b"{} \n"), "damaged envsync inodes file: something follows the object"),
        ("inodes", with_code(b'{"a":NaN}\n'), "damaged envsync inodes file: NaN is not JSON"),
        ("inodes", with_code(b'{"\\u0000":{"a":[1,0,4]}}\nabc'), "damaged envsync inodes file: a column is missing"),
        ("inodes", with_code(b'{"\\u0000":{"a":[1,2,1]}}\nabc'), "damaged envsync inodes file: a column is missing"),
        ("inodes", with_code(b'{"\\u0000":{"a":[1,-1,1]}}\nabc'), "damaged envsync inodes file: a column is missing"),
    ],
)
def test_what_is_wrong_with_a_file_is_reported(kind: str, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=r"^(?!not enough)") as caught:
        parse_columns(PATH, kind, content)
    assert str(caught.value) == message


@pytest.mark.parametrize("path", ["/other/.envsync/cache/inodes", "/root/.envsync/cache/other", "/root/cache/inodes"])
def test_a_copy_at_a_different_place_or_in_a_different_root_is_not_read(path: str) -> None:
    with pytest.raises(ValueError, match="not written by envsync as this user in this root"):
        parse_columns(path, "inodes", CONTENT)


def test_bytes_that_a_forger_could_choose_never_do_more_than_raise_an_error() -> None:
    """Give each its right code, so that it reaches the parser."""
    chance = random.Random(7)  # noqa: S311
    body = CONTENT.partition(b"\n")[2]
    hostile = [b"[" * 100_000 + b"\n", b'{"a":' * 100_000 + b"\n", b'{"a":' + b"9" * 5000 + b"}\n", b'{"\\u0000":7}\n']
    for _ in range(300):
        changed = bytearray(body)
        for _ in range(3):
            changed[chance.randrange(len(JSON))] = chance.randrange(256)
        hostile.append(bytes(changed))
    for each in hostile:
        try:
            found = parse_columns(PATH, "inodes", with_code(each))
        except ValueError:
            continue
        assert isinstance(found, dict)


def test_a_file_is_read_through_no_link(tmp_path: Path) -> None:
    own = tmp_path / ".envsync"
    (own / "cache").mkdir(parents=True)
    (own / "cache/inodes").write_bytes(dump_columns(str(own / "cache/inodes"), "inodes", {"a": 1}))
    assert load_columns(str(own / "cache/inodes"), "inodes") == {"a": 1}
    (own / "cache").rename(tmp_path / "elsewhere")
    (own / "cache").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        load_columns(str(own / "cache/inodes"), "inodes")
