"""Reading git's index without git gives the list that git prints, in repositories that the real git created."""

import hashlib
import os
import struct
import subprocess
from pathlib import Path

import pytest

from reconciler.errors import LockError
from reconciler.git.index_file import index_entries, index_file_path, tracked_paths
from reconciler.lock.build_copy import copy_for_build
from reconciler.lock.source_files import source_files, tracked_files
from tests.lock.nothing_generated import content_digest
from tests.lock.workbench import git_environment


class Repository:
    """A repository that the real git creates."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", *options)

    def git(self, *words: str) -> str:
        plain = ["-c", "protocol.file.allow=always", "-c", "core.fsmonitor=false"]
        done = subprocess.run(
            ["git", *plain, *words], cwd=self.path, env=git_environment(), check=True, capture_output=True
        )
        return os.fsdecode(done.stdout)

    def write(self, *names: str) -> None:
        for name in names:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_bytes(os.fsencode(name))

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "x")

    def listed(self) -> list[str]:
        return sorted(set(filter(None, self.git("ls-files", "-z").split("\0"))))


def listed(directory: Path) -> list[str]:
    return sorted(tracked_files(directory))


NAMES = (
    "a",
    "b/c",
    "b/c.d",
    "b/d/e",
    "ünïcödé",
    "with space",
    "b/" + "n" * 200,
    "setup.py",
    "\u65e5\u672c.txt",
    "q'\"",
)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.write(*NAMES)
    made.commit()
    return made


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_every_version_of_the_index_gives_the_list_of_git(version: str, repository: Repository) -> None:
    repository.write("later", "b/later")
    if version == "3":
        repository.git("add", "--intent-to-add", "later", "b/later")  # makes git write version 3
    else:
        repository.git("add", "-A")
        repository.git("update-index", "--force-write-index", f"--index-version={version}")
    index = (repository.path / ".git/index").read_bytes()
    assert struct.unpack_from(">4sL", index) == (b"DIRC", int(version))
    assert listed(repository.path) == repository.listed()
    assert "later" in listed(repository.path)


def test_names_of_any_bytes_and_many_files_are_listed(repository: Repository) -> None:
    odd = os.fsdecode(b"latin-\xe9")
    repository.write(odd, "new\nline", "tab\t", "-rf", *(f"many/{number:04}/file" for number in range(600)))
    repository.commit()
    assert listed(repository.path) == repository.listed()
    for version in ("2", "4"):
        repository.git("update-index", "--force-write-index", f"--index-version={version}")
        assert listed(repository.path) == repository.listed()
    assert odd in listed(repository.path)


def test_a_sha256_repository_is_read(tmp_path: Path) -> None:
    made = Repository(tmp_path / "r", "--object-format=sha256")
    made.write(*NAMES)
    made.commit()
    assert listed(made.path) == made.listed() == sorted(NAMES)


def test_an_index_without_its_checksum_is_read(tmp_path: Path) -> None:
    for algorithm, width in (("sha1", 20), ("sha256", 32)):
        made = Repository(tmp_path / algorithm, f"--object-format={algorithm}")
        made.write(*NAMES)
        made.commit()
        index = made.path / ".git/index"
        index.write_bytes(index.read_bytes()[:-width] + bytes(width))  # like with index.skipHash
        assert listed(made.path) == sorted(NAMES)


def test_untracked_and_deleted_files_are_left_out(repository: Repository) -> None:
    repository.write("untracked", "b/untracked")
    (repository.path / "a").unlink()
    (repository.path / "b/d/e").unlink()
    (repository.path / "b/d").rmdir()
    assert listed(repository.path) == sorted(set(NAMES) - {"a", "b/d/e"})


def test_a_directory_of_a_repository_has_its_own_files(repository: Repository) -> None:
    repository.write("b-side/x")
    repository.commit()
    assert listed(repository.path / "b") == ["c", "c.d", "d/e", "n" * 200]
    assert listed(repository.path / "b" / "d") == ["e"]


def test_a_directory_without_tracked_files_is_read_from_the_disk(repository: Repository) -> None:
    repository.write("vendored/pyproject.toml", "vendored/code.py", "vendored/code.pyc")
    assert source_files(repository.path / "vendored") == ["code.py", "pyproject.toml"]


def test_a_linked_working_tree_is_read(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "-q", str(tmp_path / "tree"))
    tree = tmp_path / "tree"
    assert (tree / ".git").is_file()
    (tree / "untracked").write_text("")
    (tree / "a").unlink()
    assert listed(tree) == sorted(set(NAMES) - {"a"})
    assert listed(tree / "b") == listed(repository.path / "b")


def test_the_link_file_and_the_index_may_be_symbolic_links(repository: Repository, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    repository.git("worktree", "add", "-q", str(tree))
    for file in (index_file_path(tree), tree / ".git"):
        file.rename(tmp_path / file.name)
        file.symlink_to(tmp_path / file.name)
    assert index_file_path(tree) == repository.path / ".git/worktrees/tree/index"
    assert listed(tree) == sorted(NAMES)


def test_a_submodule_is_read_alone_and_as_a_part_of_its_repository(repository: Repository, tmp_path: Path) -> None:
    inner = Repository(tmp_path / "inner")
    inner.write("lib.py", "pkg/mod.py")
    inner.commit()
    repository.git("submodule", "--quiet", "add", str(inner.path), "libs/inner")
    repository.commit()
    module = repository.path / "libs/inner"
    assert (module / ".git").is_file()
    (module / "untracked").write_text("")
    assert listed(module) == ["lib.py", "pkg/mod.py"]
    assert listed(repository.path) == sorted({*NAMES, ".gitmodules", "libs/inner/lib.py", "libs/inner/pkg/mod.py"})
    repository.git("submodule", "--quiet", "deinit", "-f", "libs/inner")
    assert listed(repository.path) == sorted({*NAMES, ".gitmodules"})


def test_a_file_in_conflict_is_listed_once(repository: Repository) -> None:
    repository.git("checkout", "-qb", "other")
    (repository.path / "a").write_text("one")
    repository.commit()
    repository.git("checkout", "-q", "-")
    (repository.path / "a").write_text("two")
    repository.commit()
    with pytest.raises(subprocess.CalledProcessError):
        repository.git("merge", "other")
    assert listed(repository.path) == sorted(NAMES)


def test_a_repository_without_an_index_is_read_from_the_disk(tmp_path: Path) -> None:
    made = Repository(tmp_path / "r")
    made.write("code.py", "__pycache__/x.py")
    assert source_files(made.path) == ["code.py"]


def test_a_directory_can_be_named_by_a_symbolic_link(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(repository.path / "b")
    assert listed(tmp_path / "alias") == listed(repository.path / "b")


def test_files_behind_a_symbolic_link_are_not_sources(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "c").write_text("secret")
    (outside / "d").mkdir()
    (outside / "d/e").write_text("secret")
    for path in sorted((repository.path / "b").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (repository.path / "b").rmdir()
    (repository.path / "b").symlink_to(outside)
    assert [name for name in listed(repository.path) if name.startswith("b")] == []


def test_a_split_index_is_refused_with_a_hint(repository: Repository) -> None:
    repository.git("update-index", "--split-index")
    with pytest.raises(LockError, match="a split git index") as caught:
        listed(repository.path)
    assert caught.value.hint == "run `git update-index --no-split-index`"
    repository.git("update-index", "--no-split-index")
    assert listed(repository.path) == sorted(NAMES)


def test_sparse_and_skipped_entries_are_left_out(repository: Repository) -> None:
    repository.git("sparse-checkout", "set", "--cone", "--sparse-index", "b/d")
    repository.git("status")
    assert listed(repository.path) == sorted(name for name in NAMES if (repository.path / name).is_file())


def test_extensions_of_the_index_are_skipped(repository: Repository) -> None:
    repository.git("update-index", "--untracked-cache", "--force-write-index")
    repository.git("status")
    assert listed(repository.path) == repository.listed()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:0],
        lambda content: content[:4],
        lambda content: b"XXXX" + content[4:],
        lambda content: content[:4] + struct.pack(">L", 5) + content[8:],
        lambda content: content[:-100],
        lambda content: content[: len(content) // 2],
        lambda content: content[:40] + b"\xff" + content[41:],
        lambda content: content + b"more",
        lambda content: content[:-20] + b"\0" + b"\1" * 19,
        lambda content: resealed(content[:8] + struct.pack(">L", 2**32 - 1) + content[12:-20]),
        lambda content: resealed(content[:8] + struct.pack(">L", 1) + content[12:-20]),
    ],
)
def test_a_damaged_index_is_an_error_that_names_it(damage: object, repository: Repository) -> None:
    assert callable(damage)
    index = repository.path / ".git/index"
    index.write_bytes(damage(index.read_bytes()))
    with pytest.raises(LockError, match=r"\.git/index: "):
        listed(repository.path)


@pytest.mark.parametrize("size", [0, 4, 12])
def test_a_file_without_entries_and_checksum_is_not_an_index(size: int, repository: Repository) -> None:
    index = repository.path / ".git/index"
    index.write_bytes(index.read_bytes()[:size])
    with pytest.raises(LockError, match="not a git index"):
        index_entries(index)


def test_the_entries_have_what_git_compares(repository: Repository) -> None:
    repository.write("later")
    repository.git("add", "--intent-to-add", "later")
    (repository.path / "setup.py").chmod(0o755)
    (repository.path / "link").symlink_to("a")
    repository.git("add", "setup.py", "link")
    repository.git("update-index", "--skip-worktree", "b/d/e")
    repository.git("update-index", "--assume-unchanged", "b/c")
    entries = {os.fsdecode(each.path): each for each in index_entries(repository.path / ".git/index")}
    assert {name for name, each in entries.items() if each.assumed} == {"b/c", "b/d/e"}
    modes = {"setup.py": 0o100755, "link": 0o120000}
    assert {name: each.mode for name, each in entries.items()} == {name: modes.get(name, 0o100644) for name in entries}
    status = (repository.path / "a").stat()
    assert (entries["a"].mtime, entries["a"].size) == (status.st_mtime_ns, status.st_size)
    assert entries["a"].object_name == repository.git("hash-object", "a").strip()


def test_the_index_of_a_working_tree_whose_git_directory_has_a_name_of_any_bytes_is_found(tmp_path: Path) -> None:
    (tmp_path / ".git").write_bytes(b"gitdir: /r\xe9po/.git/worktrees/x\r\n")
    assert os.fsencode(index_file_path(tmp_path)) == b"/r\xe9po/.git/worktrees/x/index"


def resealed(body: bytes) -> bytes:
    """Return an index with a correct checksum."""
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def index_with_paths(*names: bytes) -> bytes:
    """Return an index of version 2 with the given paths."""
    body = b"DIRC" + struct.pack(">LL", 2, len(names))
    for name in names:
        entry = bytes(60) + struct.pack(">H", min(len(name), 0xFFF)) + name
        body += entry + bytes(8 - len(entry) % 8)
    return resealed(body)


@pytest.mark.parametrize(
    "name", [b"../outside", b"/etc/hostname", b"a/../../outside", b"./a", b"a//b", b".git/config", b"a/.git/x", b""]
)
def test_a_path_outside_of_the_working_tree_is_an_error(name: bytes, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    (tmp_path / "outside").write_text("secret")
    (repository.path / ".git/index").write_bytes(index_with_paths(b"fine", name))
    for read in (source_files, content_digest):
        with pytest.raises(LockError, match="outside the working tree"):
            read(repository.path)
    with pytest.raises(LockError):
        copy_for_build(repository.path, tmp_path / "copy")


def test_version_4_with_a_prefix_longer_than_the_previous_path_is_an_error(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.write_bytes(resealed(b"DIRC" + struct.pack(">LL", 4, 1) + bytes(62) + b"\x05a\0"))
    with pytest.raises(LockError, match="damaged"):
        tracked_paths(index)


@pytest.mark.parametrize("text", ["", "gitdir:", "gitdir: /no/such", "garbage", "gitdir: \0", "gitdir: ../loop/.git\n"])
def test_a_git_file_with_a_missing_target_is_not_a_repository(text: str, tmp_path: Path) -> None:
    (tmp_path / ".git").write_text(text)
    (tmp_path / "code.py").write_text("")
    assert source_files(tmp_path) == ["code.py"]


def test_a_large_index_is_read_and_a_large_git_file_is_not(tmp_path: Path) -> None:
    header, size = struct.pack(">4sLL", b"DIRC", 2, 0), 33 * 1024**2
    content = header + struct.pack(">4sL", b"TREE", size) + bytes(size)
    index = tmp_path / "index"
    index.write_bytes(content + hashlib.sha1(content, usedforsecurity=False).digest())
    assert index_entries(index) == []
    index.unlink()
    with index.open("wb") as file:
        file.truncate(1024**3 + 1)
    with pytest.raises(OSError, match="larger than 1024 MiB"):
        index_entries(index)
    for spaces, found in ((64 * 1024 - 8, True), (64 * 1024 - 7, False)):
        (tmp_path / ".git").write_text("gitdir:" + " " * spaces + "x")
        if found:
            assert index_file_path(tmp_path) == tmp_path / "x/index"
        else:
            with pytest.raises(OSError, match="larger than"):
                index_file_path(tmp_path)
