"""What git tracks below a directory is what `git ls-files` lists, in repositories that the real git created."""

import hashlib
import itertools
import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.git import tracked_below as module
from reconciler.git.tracked_below import tracked_below
from tests.git.test_index_file import Repository
from tests.unprivileged import reachable_directory, unprivileged

SIMILAR = ("a", "a.b", "a-b", "ab", "a b", "b", "\u00fc", "\udcff", ".envs", ".envsync", "n" * 70)


def names(seed: int, count: int) -> list[str]:
    """Return paths, many of them with the same beginning; no path is the directory of a different path."""
    chance = random.Random(seed)  # noqa: S311
    found: set[str] = set()
    while len(found) < count:
        new = "/".join(chance.choices(SIMILAR, k=chance.randint(1, 4)))
        if not any(f"{each}/".startswith(f"{new}/") or f"{new}/".startswith(f"{each}/") for each in found):
            found.add(new)
    return sorted(found)


def expected(listed: list[str], place: str) -> str:
    """Return the first path at or below a place, of those that git lists."""
    below = (each for each in sorted(listed, key=os.fsencode) if f"{each}/".startswith(f"{place}/"))
    return next(below, "")


def places(listed: list[str]) -> Iterator[str]:
    """Yield all tracked paths and their directories, and paths that only begin or end like them."""
    for path in listed:
        for above in itertools.accumulate(path.split("/"), "{}/{}".format):
            yield from (above, f"{above}x", above[:-1], f"{above}/below", f"x{above}", above.partition("/")[2])


def assert_equal_to_git(repository: Repository) -> None:
    listed = repository.listed()
    found = {each: tracked_below(str(repository.path / each)) for each in places(listed) if each.strip("/")}
    assert found == {each: expected(listed, each.strip("/")) for each in found}
    assert len(set(found.values())) > 5


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("version", [2, 3, 4])
def test_it_is_what_git_lists_in_every_version_of_the_index(version: int, algorithm: str, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository", f"--object-format={algorithm}")
    repository.write(*names(version, 40))
    if version == 3:
        repository.git("add", "-N", ".")  # makes git write version 3
    else:
        repository.git("add", "-A")
        repository.git("update-index", "--force-write-index", f"--index-version={version}")
    assert (repository.path / ".git/index").read_bytes()[7] == version
    assert_equal_to_git(repository)
    repository.git("-c", "index.skipHash=true", "update-index", "--force-write-index")
    assert_equal_to_git(repository)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.write("app/envs.yaml", "app/.envs/.envsync/root.json", "app/.envs/.envsync/cache/inodes", "other")
    made.commit()
    return made


def test_nothing_is_tracked_without_a_repository_or_without_an_index(tmp_path: Path) -> None:
    assert tracked_below(str(tmp_path)) == ""
    assert tracked_below("/") == ""
    Repository(tmp_path)
    (tmp_path / "x").touch()
    assert tracked_below(str(tmp_path / "x")) == ""
    assert tracked_below(str(tmp_path)) == ""


def test_the_directory_need_not_exist(repository: Repository) -> None:
    (repository.path / "other").unlink()
    assert tracked_below(str(repository.path / "other")) == "other"
    assert tracked_below(str(repository.path / "other/below")) == ""
    assert tracked_below(str(repository.path / "nowhere/else")) == ""


def asked(directory: Path) -> list[str]:
    """Return the paths that are asked about, if none counts."""
    found: list[str] = []

    def never(path: str) -> bool:
        found.append(path)
        return False

    assert tracked_below(str(directory), never) == ""
    return found


def test_a_path_counts_only_if_the_caller_says_so(repository: Repository) -> None:
    assert asked(repository.path / "app") == [".envs/.envsync/cache/inodes", ".envs/.envsync/root.json", "envs.yaml"]
    assert asked(repository.path / "other") == ["."]
    assert tracked_below(str(repository.path / "app"), lambda path: path.endswith("json")) == (
        "app/.envs/.envsync/root.json"
    )


def test_the_top_of_a_repository_has_everything_below_it(repository: Repository) -> None:
    assert tracked_below(str(repository.path)) == "app/.envs/.envsync/cache/inodes"
    assert tracked_below(str(repository.path), lambda path: path == "other") == "other"
    assert asked(repository.path) == repository.listed()


def test_a_link_is_followed_to_the_repository_that_has_its_target(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository.path / "app")
    assert tracked_below(str(tmp_path / "link/.envs")) == "app/.envs/.envsync/cache/inodes"
    (repository.path / "link").symlink_to(tmp_path)
    repository.commit()
    assert tracked_below(str(repository.path / "link")) == "link"
    assert tracked_below(str(repository.path / "link/below")) == ""
    outer = Repository(tmp_path / "outer")
    (outer.path / "root").symlink_to(tmp_path / "elsewhere")
    outer.commit()
    assert tracked_below(str(outer.path / "root")) == "root"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_split_index_has_the_paths_of_both_files(algorithm: str, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository", f"--object-format={algorithm}")
    repository.write("shared", "changed")
    repository.commit()
    repository.git("config", "splitIndex.maxPercentChange", "100")
    repository.git("update-index", "--split-index")
    assert list((repository.path / ".git").glob("sharedindex.*"))
    (repository.path / "changed").write_text("changed again")
    repository.write("later")
    repository.git("add", "-A")
    index = (repository.path / ".git/index").read_bytes()
    assert b"later\0" in index
    assert b"changed\0" not in index  # its entry has no path, because the other file has it
    for name in ("shared", "changed", "later"):
        assert tracked_below(str(repository.path / name)) == name
    assert tracked_below(str(repository.path / "nowhere")) == ""
    assert set(asked(repository.path)) == {"shared", "changed", "later"}


def test_of_a_split_index_whose_directory_cannot_be_listed_one_file_counts(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("config", "splitIndex.maxPercentChange", "100")
    repository.git("update-index", "--split-index")
    repository.write("later")
    repository.git("add", "-A")

    def refused(path: str) -> list[str]:
        raise PermissionError(path)

    monkeypatch.setattr(os, "listdir", refused)
    assert tracked_below(str(repository.path / "other")) == "other"  # it is found by its name
    monkeypatch.setattr(module, "_links", lambda _index: [])
    assert tracked_below(str(repository.path / "later")) == "later"
    assert tracked_below(str(repository.path / "other")) == ""


def test_a_linked_working_tree_has_an_index_of_its_own(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Repository.__new__(Repository)
    linked.path = tmp_path / "linked"
    assert (linked.path / ".git").is_file()
    linked.write("only/here")
    linked.git("add", "-A")
    for place in ("only", "app", "only/here", "nowhere"):
        assert tracked_below(str(linked.path / place)) == expected(linked.listed(), place)
    assert tracked_below(str(linked.path)) == expected(linked.listed(), "app")
    assert tracked_below(str(repository.path / "only")) == ""
    (linked.path / ".git").write_text((linked.path / ".git").read_text().rstrip() + "\r\n")
    assert tracked_below(str(linked.path / "only")) == "only/here"


def test_a_submodule_has_an_index_of_its_own_and_is_tracked_itself_before_it_is_fetched(
    repository: Repository, tmp_path: Path
) -> None:
    outer = Repository(tmp_path / "outer")
    outer.git("submodule", "add", "-q", str(repository.path), "inner")
    outer.commit()
    assert outer.listed() == [".gitmodules", "inner"]
    assert (outer.path / "inner/.git").read_text().startswith("gitdir: ../.git/modules")
    assert tracked_below(str(outer.path / "inner/app")) == "app/.envs/.envsync/cache/inodes"
    assert tracked_below(str(outer.path / "inner/nowhere")) == ""
    assert tracked_below(str(outer.path / "inner"), lambda path: path in {".", ".envsync"}) == ""
    outer.git("submodule", "deinit", "-q", "--all")
    assert tracked_below(str(outer.path / "inner")) == "inner"


def test_a_file_in_conflict_is_tracked(repository: Repository) -> None:
    for content in ("one", "two"):
        repository.git("checkout", "-q", "-B", content, "HEAD" if content == "one" else "one~")
        (repository.path / "other").write_text(content)
        repository.git("commit", "-qam", content)
    with pytest.raises(Exception, match="non-zero exit status"):
        repository.git("merge", "one")
    assert tracked_below(str(repository.path / "other")) == "other"


@pytest.mark.parametrize("version", ["2", "4"])
@pytest.mark.parametrize("length", [4094, 4095, 4096, 5000])
def test_a_path_may_be_longer_than_its_entry_can_say(version: str, length: int, repository: Repository) -> None:
    blob = repository.git("hash-object", "-w", "other").strip()
    long = ("d" * 99 + "/") * (length // 100) + "n" * (length % 100)
    long = long.rstrip("/").ljust(length, "n")
    repository.git("update-index", "--index-version", version, "--add", "--cacheinfo", f"100644,{blob},{long}")
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},z")
    assert tracked_below(f"{repository.path}/{'d' * 99}") == long
    assert tracked_below(f"{repository.path}/z") == "z"
    assert tracked_below(f"{repository.path}/{'d' * 98}") == ""


def test_names_of_objects_that_were_chosen_to_mislead_hide_nothing(tmp_path: Path) -> None:
    """A SHA-256 index, read as SHA-1, takes two bytes of the first name for the flags; a commit can choose them."""
    repository = Repository(tmp_path / "repository", "--object-format=sha256")
    place = repository.path / ".envs/.envsync"
    place.mkdir(parents=True)
    for number in itertools.count():
        content = b"%08d" % number
        found = hashlib.sha256(b"blob 8\0" + content).digest()
        if int.from_bytes(found[20:22], "big") & 0x4FFF == 0x0FFF:
            break
    (place / "root.json").write_bytes(content)
    repository.git("add", "-A")
    index = (repository.path / ".git/index").read_bytes()
    assert len(list(module._paths(index, 20))) == 1, "it can be read as SHA-1"
    assert tracked_below(str(repository.path / ".envs")) == ".envs/.envsync/root.json"


# What is not a valid index


@pytest.mark.parametrize("version", [2, 4])
def test_a_truncated_index_never_raises_an_error_and_hides_no_path_that_is_in_it(
    version: int, repository: Repository
) -> None:
    repository.git("update-index", "--force-write-index", f"--index-version={version}")
    index = repository.path / ".git/index"
    content = index.read_bytes()
    wanted = "app/.envs/.envsync/cache"
    where = content.index(wanted.encode())
    for end in range(len(content)):
        index.write_bytes(content[:end])
        found = tracked_below(str(repository.path / wanted))
        if end >= where + len(f"{wanted}/inodes\0"):
            assert found == f"{wanted}/inodes"
        else:
            assert found == (wanted if wanted.encode() in content[:end] else "")


@pytest.mark.parametrize("version", [2, 4])
def test_no_bytes_of_an_index_raise_an_error(version: int, repository: Repository) -> None:
    repository.git("update-index", "--force-write-index", f"--index-version={version}")
    index = repository.path / ".git/index"
    content = index.read_bytes()
    chance = random.Random(7)  # noqa: S311
    for _ in range(500):
        changed = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(4, len(content))] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        index.write_bytes(changed)
        found = tracked_below(str(repository.path / "other"))
        assert found in {"other", ""} or found.startswith("other/")


def test_a_wrong_length_or_a_prefix_that_is_too_long_is_damage(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    index = tmp_path / ".git/index"

    def entry(name: bytes, length: int) -> bytes:
        return bytes(60) + struct.pack(">H", length) + name

    index.write_bytes(struct.pack(">4sLL", b"DIRC", 2, 1) + entry(b"wanted/x\0", 8) + bytes(20))
    assert tracked_below(str(repository.path / "wanted")) == "wanted/x"
    index.write_bytes(struct.pack(">4sLL", b"DIRC", 2, 1) + entry(b"wanted/x\0", 7) + bytes(20))
    assert tracked_below(str(repository.path / "wanted")) == "wanted"
    index.write_bytes(struct.pack(">4sLL", b"DIRC", 4, 1) + entry(b"\0wanted/x\0", 8) + bytes(20))
    assert tracked_below(str(repository.path / "wanted")) == "wanted/x"
    index.write_bytes(struct.pack(">4sLL", b"DIRC", 4, 2) + entry(b"\0wanted/x\0", 8) + bytes(20))
    assert tracked_below(str(repository.path / "wanted")) == "wanted/x"
    assert tracked_below(str(repository.path / "wanted"), lambda _: False) == "wanted", "an entry is missing"
    assert tracked_below(str(repository.path / "elsewhere")) == ""


def test_a_large_prefix_of_a_compressed_path_is_read(repository: Repository) -> None:
    """Two bytes say how much of the path before is dropped."""
    blob = repository.git("hash-object", "-w", "other").strip()
    for name in ("a" * 300, "b/x"):
        repository.git("update-index", "--index-version", "4", "--add", "--cacheinfo", f"100644,{blob},{name}")
    content = (repository.path / ".git/index").read_bytes()
    assert content[content.index(b"pp/.envs/.envsync/cache") - 2] & 0x80, "the number has two bytes"
    assert tracked_below(str(repository.path / "b")) == "b/x"
    assert tracked_below(str(repository.path / "other")) == "other"


@pytest.mark.parametrize("what", ["directory", "pipe", "link to nothing", "too large", "empty", "text"])
def test_an_index_that_cannot_be_read_tracks_nothing(
    what: str, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = repository.path / ".git/index"
    assert tracked_below(str(repository.path / "other"))
    if what == "too large":
        monkeypatch.setattr(module, "_MOST_BYTES", index.stat().st_size - 1)
    else:
        index.unlink()
    if what == "directory":
        index.mkdir()
    elif what == "pipe":
        os.mkfifo(index)
    elif what == "link to nothing":
        index.symlink_to("nowhere")
    elif what in {"empty", "text"}:
        index.write_text("" if what == "empty" else "text")
    assert tracked_below(str(repository.path / "other")) == ""
    assert tracked_below(str(repository.path)) == ""
    if what == "too large":
        monkeypatch.setattr(module, "_MOST_BYTES", index.stat().st_size)
        assert tracked_below(str(repository.path / "other")) == "other"


@pytest.mark.parametrize("text", ["", "gitdir:", "gitdir: nowhere", "gitdir: \0", "gitdir: \udcff", "anything"])
def test_a_link_of_a_working_tree_that_points_to_nothing_tracks_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / ".git").write_text(text, errors="surrogateescape")
    assert tracked_below(str(tmp_path / "x")) == ""
    (tmp_path / ".git").unlink()
    (tmp_path / ".git").symlink_to("nowhere")
    assert tracked_below(str(tmp_path / "x")) == ""


def test_a_repository_that_may_not_be_read_tracks_nothing() -> None:
    with reachable_directory() as directory:
        repository = Repository(directory / "repository")
        repository.write("other")
        repository.git("add", "-A")
        assert tracked_below(str(repository.path / "other")) == "other"
        (repository.path / ".git/index").chmod(0)
        with unprivileged():
            assert tracked_below(str(repository.path / "other")) == ""


def test_an_index_that_becomes_shorter_or_unreadable_while_it_is_read_is_what_was_read(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.read
    with monkeypatch.context() as patched:
        patched.setattr(os, "read", lambda descriptor, size: read(descriptor, min(size, 7)))
        assert tracked_below(str(repository.path / "other")) == "other"
        patched.setattr(os, "read", lambda *_: b"")
        assert tracked_below(str(repository.path / "other")) == ""

        def fails(*_: object) -> bytes:
            raise OSError(5, "Input/output error")

        patched.setattr(os, "read", fails)
        assert tracked_below(str(repository.path / "other")) == ""
    opened = len(os.listdir("/proc/self/fd"))
    tracked_below(str(repository.path / "other"))
    assert len(os.listdir("/proc/self/fd")) == opened
