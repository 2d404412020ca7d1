"""A file in `marshal` format is read only if its line and its checksum are right; else the error says what is wrong."""

import marshal
import zlib

import pytest

from reconciler.state.marshal_file import dump_marshalled, load_marshalled

VALUE = {"numbers": [1, 2, -(1 << 70)], "text": "\u00e9", "bytes": (b"\x00\n", None, True)}
CONTENT = dump_marshalled("inodes", VALUE)


def test_a_value_is_read_as_it_was_written() -> None:
    assert load_marshalled("inodes", CONTENT) == VALUE


def with_line(body: bytes) -> bytes:
    return b"envsync inodes 1 %08x\n" % zlib.crc32(body) + body


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("inodes", b"", "not an envsync inodes file"),
        ("inodes", b"no line end", "not an envsync inodes file"),
        ("inodes", b"x" * 300 + b"\n", "not an envsync inodes file"),
        ("agreed", CONTENT, "not an envsync agreed file"),
        ("inodes", CONTENT.replace(b"envsync", b"enveloped", 1), "not an envsync inodes file"),
        ("inodes", CONTENT.replace(b"inodes 1", b"inodes 1 1", 1), "not an envsync inodes file"),
        ("inodes", CONTENT.replace(b"inodes 1", b"inodes 2", 1), "envsync inodes file of format 2, not 1"),
        ("inodes", CONTENT.replace(b"inodes 1", b"inodes \xff", 1), "envsync inodes file of format \ufffd, not 1"),
        ("inodes", CONTENT[:-1], "damaged envsync inodes file: its checksum does not match"),
        ("inodes", CONTENT + b"\0", "damaged envsync inodes file: its checksum does not match"),
        ("inodes", with_line(b""), "damaged envsync inodes file: EOF read where object expected"),
        ("inodes", with_line(marshal.dumps("text")[:-1]), "damaged envsync inodes file: marshal data too short"),
    ],
)
def test_what_is_wrong_with_a_file_is_reported(kind: str, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=r"^(?!not enough)") as caught:
        load_marshalled(kind, content)
    assert str(caught.value) == message
