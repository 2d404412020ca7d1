"""Of a split index, the entries count that `git ls-files` lists: not those that its bitmap deletes."""

import os
import random
import struct
from pathlib import Path

import pytest

from reconciler.git.split_index import Link, find_link
from reconciler.git.tracked_below import tracked_below
from tests.git.test_index_file import Repository
from tests.git.test_tracked_below import names, places


def split(path: Path, algorithm: str, version: int, *, count: int) -> tuple[Repository, list[str]]:
    """Return a repository with a split index of a version of the format, and its files."""
    repository = Repository(path, f"--object-format={algorithm}")
    files = names(version, count)
    repository.write(*files)
    repository.commit()
    repository.git("config", "splitIndex.maxPercentChange", "100")
    repository.git("config", "index.version", str(version))
    repository.git("update-index", "--force-write-index", f"--index-version={version}")
    repository.git("update-index", "--split-index")
    return repository, files


def assert_lists_what_git_lists(repository: Repository, paths: list[str]) -> None:
    listed = repository.listed()
    for place in {each for each in places(paths) if each.strip("/")}:
        found = tracked_below(str(repository.path / place))
        wanted = [each for each in listed if f"{each}/".startswith(f"{place.strip('/')}/")]
        assert (found in wanted) if wanted else found == "", place


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("count", [40, 300])
def test_entries_are_added_removed_and_replaced(count: int, version: int, algorithm: str, tmp_path: Path) -> None:
    repository, files = split(tmp_path / "r", algorithm, version, count=count)
    chance = random.Random(version)  # noqa: S311
    removed = chance.sample(files, count // 4)
    repository.git("rm", "-q", "--cached", "--", *removed)
    changed = chance.sample([each for each in files if each not in removed], count // 4)
    for each in changed:
        (repository.path / each).write_text("changed")
    added = ["zz/new", "zz/newer"]
    repository.write(*added)
    flags = ["-N"] if version == 3 else []  # makes git write version 3
    repository.git("update-index", "--add", "--", *changed)
    repository.git("add", *flags, "--", *added)
    index = (repository.path / ".git/index").read_bytes()
    assert b"link\0" in index
    assert struct.unpack_from(">4sL", index)[1] == version
    assert not set(removed) & set(repository.listed())
    assert_lists_what_git_lists(repository, [*files, *added])
    repository.git("add", "--", *removed[:3])  # deleted in the shared index, and added again
    assert_lists_what_git_lists(repository, [*files, *added])


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("is_racy", [True, False])
def test_a_root_that_was_removed_from_a_split_index_is_not_tracked(
    is_racy: bool, algorithm: str, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "r", f"--object-format={algorithm}")
    repository.write("envs.yaml", ".envs/.envsync/root.json", ".envs/web/x")
    if not is_racy:  # then the split index has no entry of its own, so it can be read with names of both widths
        os.utime(repository.path / "envs.yaml", (1, 1))
    repository.commit()
    repository.git("config", "splitIndex.maxPercentChange", "100")
    repository.git("update-index", "--split-index")
    root = str(repository.path / ".envs")
    assert tracked_below(root)
    repository.git("rm", "-rq", "--cached", ".envs")
    assert list((repository.path / ".git").glob("sharedindex.*"))
    assert b"link\0" in (repository.path / ".git/index").read_bytes()
    assert tracked_below(root) == ""
    assert tracked_below(str(repository.path / "envs.yaml")) == "envs.yaml"


def test_if_the_bitmap_is_damaged_every_entry_of_a_shared_index_counts(tmp_path: Path) -> None:
    repository, files = split(tmp_path / "r", "sha1", 2, count=40)
    repository.git("rm", "-q", "--cached", "--", files[0])
    index = repository.path / ".git/index"
    content = index.read_bytes()
    at = content.index(b"link") + 8 + 20 + 4  # the number of words
    assert tracked_below(str(repository.path / files[0])) == ""
    index.write_bytes(content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :])
    assert tracked_below(str(repository.path / files[0])) == files[0]


def bitmap(*words: int) -> bytes:
    """Return an EWAH bitmap with these words."""
    return struct.pack(f">LL{len(words)}QL", len(words) * 64, len(words), *words, 0)


def marker(*, run: int = 0, bit: int = 0, literals: int = 0) -> int:
    return bit | run << 1 | literals << 33


@pytest.mark.parametrize(
    ("bits", "count", "deleted"),
    [
        (b"", 9, []),
        (bitmap(), 9, []),
        (bitmap(marker(literals=1), 0b101), 9, [0, 2]),
        (bitmap(marker(run=1, literals=1), 0b10), 99, [65]),
        (bitmap(marker(bit=1, run=1)), 70, list(range(64))),
        (bitmap(marker(bit=1, run=2**32 - 1)), 5, [0, 1, 2, 3, 4]),
        (bitmap(marker(literals=2), 1 << 63, 1, marker(bit=1, run=1)), 130, [63, 64, 128, 129]),
        (bitmap(marker(literals=1), 2**64 - 1), 3, [0, 1, 2]),
        (bitmap(marker(literals=1), 1) + bitmap(marker(literals=1), 2), 9, [0]),
    ],
)
def test_a_bitmap_is_read_up_to_the_number_of_entries(bits: bytes, count: int, deleted: list[int]) -> None:
    assert sorted(Link("", bits).deleted(count)) == deleted


@pytest.mark.parametrize(
    "bits", [b"\0", bytes(8), bitmap(marker(literals=1)), bitmap(marker(literals=2), 1), bitmap(1)[:-5], b"\xff" * 40]
)
def test_a_damaged_bitmap_is_an_error(bits: bytes) -> None:
    with pytest.raises(ValueError, match=r"bitmap|literals"):
        Link("", bits).deleted(9)


def extension(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">L", len(content)) + content


@pytest.mark.parametrize(
    ("index", "base"),
    [
        (b"", None),
        (extension(b"TREE", b"link"), None),
        (extension(b"TREE", b"x") + extension(b"link", b"\xab" * 20), "ab" * 20),
        (extension(b"link", b"\xab" + bytes(19)), "ab" + 19 * "00"),
        (extension(b"link", bytes(20)), None),
    ],
)
def test_the_shared_index_is_named_by_the_extension(index: bytes, base: str | None) -> None:
    link = find_link(index + bytes(20), 0, 20)
    assert (link and link.base) == base


@pytest.mark.parametrize(
    "index", [extension(b"link", b"short"), b"link\xff\xff\xff\xff", extension(b"TREE", b"x")[:-1]]
)
def test_damaged_extensions_are_an_error(index: bytes) -> None:
    with pytest.raises(ValueError, match=r"link|extension"):
        find_link(index + bytes(20), 0, 20)
