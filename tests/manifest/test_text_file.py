"""Files that a user wrote: their encodings, their size, and what is said about one that cannot be read."""

import codecs
import hashlib
from pathlib import Path

import pytest

from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.reach import reach_of
from reconciler.manifest.text_file import LARGEST, UnreadableFileError, decode_text, limit_size, read_file

TEXT = "caf\u00e9\n"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_the_byte_order_mark_decides_only_if_that_is_allowed(mark: bytes, encoding: str, tmp_path: Path) -> None:
    content = mark + TEXT.encode(encoding)
    found = decode_text(content, any_unicode=True)
    assert (found.text, found.sha256) == (TEXT, hashlib.sha256(content).hexdigest())
    (tmp_path / "a.txt").write_bytes(content)
    assert InputFiles().text(tmp_path / "a.txt", any_unicode=True).text == TEXT
    if encoding == "utf-8":
        assert decode_text(content, any_unicode=False).text == TEXT
        return
    with pytest.raises(UnreadableFileError, match="not UTF-8"):
        decode_text(content, any_unicode=False)
    with pytest.raises(UnreadableFileError, match="not UTF-8"):
        InputFiles().text(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("content", "line", "column"), [(b"\xff", 1, 1), (b"a\xff", 1, 2), (b"a\nb\n\xc3\xa9\xff", 3, 2)]
)
def test_an_invalid_byte_has_a_place(content: bytes, line: int, column: int) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        decode_text(content, any_unicode=False)
    error = caught.value
    assert (error.message, error.hint, error.line, error.column) == ("not UTF-8", "save it in UTF-8", line, column)
    named = error.invalid_text("r.txt")
    assert (named.message, named.hint) == (f"r.txt:{line}:{column}: not UTF-8", "save it in UTF-8")


def test_a_file_has_at_most_one_mebibyte(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"#" * LARGEST)
    assert len(read_file(file)) == len(limit_size(b"#" * LARGEST)) == 1024 * 1024
    file.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(UnreadableFileError, match="larger than 1 MiB"):
        read_file(file)
    with pytest.raises(UnreadableFileError, match="larger than 1 MiB"):
        limit_size(b"#" * (LARGEST + 1))
    assert len(read_file(file, limit=LARGEST + 1)) == LARGEST + 1


def test_what_is_wrong_is_known(tmp_path: Path) -> None:
    for path, missing, is_directory in (
        (tmp_path / "none", True, False),
        (tmp_path / "none" / "x", True, False),
        (tmp_path / ("x" * 300), True, False),
        (tmp_path, False, True),
    ):
        with pytest.raises(UnreadableFileError) as caught:
            read_file(path)
        assert (caught.value.missing, caught.value.is_directory) == (missing, is_directory)
        assert caught.value.invalid_text("r.txt").message == f"r.txt: {caught.value.message}"


def test_a_file_is_read_once_and_its_absence_is_an_input(tmp_path: Path) -> None:
    files = InputFiles(reach_of(tmp_path))
    (tmp_path / "a.txt").write_text("first", encoding="utf-8")
    assert files.text(tmp_path / "a.txt").text == "first"
    (tmp_path / "a.txt").write_text("second", encoding="utf-8")
    assert files.text(tmp_path / "a.txt").text == "first"
    for _ in range(2):
        with pytest.raises(UnreadableFileError):
            files.text(tmp_path / "none.txt")
        (tmp_path / "none.txt").touch()
    assert files.names(tmp_path) == ("a.txt", "none.txt")
    assert files.names(tmp_path / "nowhere") == ()
    known = {each.path.name: each.sha256 for each in files.read_so_far()}
    assert known["a.txt"] == hashlib.sha256(b"first").hexdigest()
    assert known["none.txt"] == known["nowhere"] == ""
    assert known[tmp_path.name] == hashlib.sha256(b"a.txt\0none.txt").hexdigest()
