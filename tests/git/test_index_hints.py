"""An index that cannot be read is an error whose hint says how to get one that can."""

import struct
from pathlib import Path

import pytest

from reconciler.errors import LockError
from reconciler.git.index_file import tracked_paths
from tests.git.test_index_file import index_with_paths, resealed

VERSION_2 = b"DIRC" + struct.pack(">LL", 2, 0)
AGAIN = "delete it and run `git reset`, which creates it again without staged changes"
CASES = [
    (b"", "not a git index", AGAIN),
    (b"DIRD" + VERSION_2[4:] + bytes(20), "not a git index", AGAIN),
    (
        resealed(b"DIRC" + struct.pack(">LL", 5, 0)),
        "a git index of version 5, but envsync reads versions 2 to 4",
        "run `git update-index --index-version 2` with the git that wrote it",
    ),
    (resealed(b"DIRC" + struct.pack(">LL", 2, 1)), "the git index is damaged", AGAIN),
    (VERSION_2 + b"x" * 20, "the git index is damaged", AGAIN),
    (
        resealed(VERSION_2 + b"link" + struct.pack(">L", 0)),
        "a split git index, which envsync does not read",
        "run `git update-index --no-split-index`",
    ),
    (index_with_paths(b"../a"), "the git index is damaged: it has a path outside the working tree", AGAIN),
]


@pytest.mark.parametrize(("content", "message", "hint"), CASES)
def test_an_index_that_cannot_be_read_has_a_hint(tmp_path: Path, content: bytes, message: str, hint: str) -> None:
    index = tmp_path / "index"
    index.write_bytes(content)
    with pytest.raises(LockError) as caught:
        tracked_paths(index)
    assert (caught.value.message, caught.value.hint) == (f"{index}: {message}", hint)
