"""The file of hashes by inode is read as it was written; columns that do not fit are damage."""

import random
from array import array
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.state.columns_file import dump_columns
from reconciler.state.hashes_file import CODES, HashColumns, load_hashes
from reconciler.state.inode_hashes import hash_columns

UNSIGNED, SIGNED = st.integers(0, (1 << 64) - 1), st.integers(-(1 << 63), (1 << 63) - 1)
ONE = {(1, 2): (3, 4, 5, b"s" * 32)}


def written(file: Path, columns: dict[str, Any]) -> str:
    file.write_bytes(dump_columns(str(file), "inodes", columns))
    return str(file)


@given(
    hashes=st.dictionaries(
        st.tuples(UNSIGNED, UNSIGNED), st.tuples(UNSIGNED, SIGNED, SIGNED, st.binary(min_size=32, max_size=32))
    )
)
def test_hashes_are_read_as_they_were_written(hashes: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "inodes"
    assert load_hashes(written(file, hash_columns(hashes))) == hashes


def test_each_column_is_in_its_place(tmp_path: Path) -> None:
    """A time before 1970 is negative, and a device may have the highest bit."""
    columns = {
        name: array(code, [7 * number + 1, -number if code == "q" else (1 << 64) - 1 - number]).tobytes()
        for number, (name, code) in enumerate(CODES.items())
    }
    found = load_hashes(written(tmp_path / "inodes", {**columns, "sha256": b"a" * 32 + b"b" * 32}))
    top = (1 << 64) - 1
    assert found == {(1, 8): (15, 22, 29, b"a" * 32), (top, top - 1): (top - 2, -3, -4, b"b" * 32)}


def test_one_hash_is_found_for_its_device_inode_and_signature_only(tmp_path: Path) -> None:
    hashes = {(1, 2): (3, 4, 5, b"s" * 32), (1, 7): (8, 9, 10, b"t" * 32)}
    found = HashColumns(written(tmp_path / "inodes", hash_columns(hashes)))
    assert found.sha256(1, 2, (3, 4, 5)) == b"s" * 32
    assert found.sha256(1, 7, (8, 9, 10)) == b"t" * 32
    assert found.sha256(2, 2, (3, 4, 5)) is None
    assert found.sha256(1, 3, (3, 4, 5)) is None
    assert [found.sha256(1, 2, each) for each in ((0, 4, 5), (3, 0, 5), (3, 4, 0))] == [None] * 3


def test_an_empty_file_of_hashes_has_none(tmp_path: Path) -> None:
    assert load_hashes(written(tmp_path / "inodes", hash_columns({}))) == {}


@pytest.mark.parametrize("name", [*CODES, "sha256"])
def test_a_column_that_is_missing_shorter_or_longer_or_no_bytes_is_damage(name: str, tmp_path: Path) -> None:
    columns: dict[str, Any] = hash_columns(ONE)
    longer = columns[name] * 2
    wrong: list[Any] = [b"", longer, 3, None]
    if name != "sha256":  # a hash that is too short never equals that of a file
        wrong += [columns[name][:-1], longer + b"1", [1]]
    for each in wrong:
        with pytest.raises((ValueError, TypeError)):
            load_hashes(written(tmp_path / "inodes", {**columns, name: each}))
    del columns[name]
    with pytest.raises(KeyError):
        load_hashes(written(tmp_path / "inodes", columns))


def test_a_file_that_is_missing_or_damaged_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "inodes"
    with pytest.raises(FileNotFoundError):
        load_hashes(str(file))
    good = Path(written(file, hash_columns(ONE))).read_bytes()
    chance = random.Random(7)  # noqa: S311
    for _ in range(50):
        place = chance.randrange(len(good))
        file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(ValueError, match="envsync inodes file"):
            load_hashes(str(file))
