"""Two paths are exchanged at once, or not at all."""

import errno
from pathlib import Path

import pytest

from reconciler.fs.exchange import exchange


@pytest.fixture
def directories(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "one", tmp_path / "other"]
    for each in found:
        (each / "inner").mkdir(parents=True)
        (each / each.name).touch()
    return found


def test_two_directories_are_exchanged(directories: list[Path]) -> None:
    one, other = directories
    if not exchange(one, other):
        pytest.skip("the file system cannot exchange")
    assert (one / "other").is_file()
    assert (other / "one").is_file()


def test_a_missing_path_is_an_error_that_names_both(directories: list[Path]) -> None:
    one, other = directories[0], directories[0] / "none"
    with pytest.raises(FileNotFoundError) as caught:
        exchange(one, other)
    assert (caught.value.errno, caught.value.filename, caught.value.filename2) == (errno.ENOENT, str(one), str(other))


def test_what_the_system_cannot_exchange_is_left_as_it_is(directories: list[Path]) -> None:
    one, _ = directories
    assert exchange(one, one / "inner") is False  # EINVAL, as from a file system that cannot
    assert (one / "inner").is_dir()
