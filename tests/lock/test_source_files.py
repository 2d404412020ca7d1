"""Which files belong to a source directory outside of a repository, and the digest of their contents."""

import os
from pathlib import Path

import pytest

from reconciler.errors import LockError
from reconciler.lock.build_copy import copy_for_build
from reconciler.lock.source_files import real_directory, source_files, tracked_files
from tests.lock.nothing_generated import content_digest, metadata_digest
from tests.unprivileged import reachable_directory, unprivileged


def write(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(name)
    return directory


def test_every_file_counts_except_build_leftovers(tmp_path: Path) -> None:
    source = write(
        tmp_path, "pyproject.toml", "pkg/__init__.py", "pkg/build/x.py", "pkg/dist/x.py", "dist.py", "pkg/build.py",
        "build/lib/x.py", "dist/x.whl", "pkg/__pycache__/x.pyc", "pkg/x.pyc", "x.egg-info/PKG-INFO", ".venv/x",
        "venv/x", ".git/config", ".envs/web/x", "node_modules/x", ".tox/x", ".pdm-build/x", ".hidden",
        ".coverage", "pkg/native.cpython-311-x86_64-linux-gnu.so",
        "my-env/pyvenv.cfg", "my-env/lib/x.py", "elsewhere/.envsync/history.jsonl", "elsewhere/web/x",
    )  # fmt: skip
    assert source_files(source) == [
        ".hidden", "dist.py", "pkg/__init__.py", "pkg/build.py", "pkg/build/x.py", "pkg/dist/x.py", "pyproject.toml",
    ]  # fmt: skip


def test_the_cache_of_a_tool_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, "target/debug/own.so", "target/CACHEDIR.TAG", "data/CACHEDIR.TAG", "own.py")
    (tmp_path / "target/CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n# by cargo\n")
    assert source_files(tmp_path) == ["data/CACHEDIR.TAG", "own.py"]


def test_symbolic_links_count_and_are_not_followed(tmp_path: Path) -> None:
    source = write(tmp_path / "source", "a.py", "pkg/b.py")
    write(tmp_path, "outside/secret")
    (source / "file").symlink_to("../outside/secret")
    (source / "directory").symlink_to("../outside")
    (source / "dangling").symlink_to("gone")
    (source / "circle").symlink_to(".")
    assert source_files(source) == ["a.py", "circle", "dangling", "directory", "file", "pkg/b.py"]
    (tmp_path / "copy").mkdir()
    copy = copy_for_build(source, tmp_path / "copy")
    assert (copy / "directory").readlink() == Path("../outside")
    assert (copy / "file").read_text() == "outside/secret", "what is next to the source is next to the copy"
    assert content_digest(copy) == content_digest(source)


def test_pipes_and_sockets_are_not_sources_and_cause_no_waiting(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    os.mkfifo(tmp_path / "pipe")
    assert source_files(tmp_path) == ["a.py"]


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "gone", write(tmp_path, "file") / "file"):
        with pytest.raises(LockError, match=str(path)):
            content_digest(path)
        with pytest.raises(LockError):
            copy_for_build(path, tmp_path / "copy")


def test_an_empty_directory_has_a_digest(tmp_path: Path) -> None:
    assert content_digest(tmp_path).startswith("sha256:")


def test_the_digest_depends_on_names_contents_links_and_the_executable_bit(tmp_path: Path) -> None:
    source = write(tmp_path, "a.py", "b.py")
    seen = {content_digest(source)}

    def changed() -> bool:
        found = content_digest(source)
        new = found not in seen
        seen.add(found)
        return new

    (source / "a.py").write_text("other")
    assert changed()
    (source / "a.py").chmod(0o755)
    assert changed()
    (source / "a.py").rename(source / "c.py")
    assert changed()
    (source / "d.py").symlink_to("b.py")
    assert changed()
    (source / "d.py").unlink()
    (source / "d.py").symlink_to("c.py")
    assert changed()
    (source / "d.py").unlink()
    write(source, "d.py")
    assert changed()


def test_the_digest_does_not_depend_on_times_modes_and_paths(tmp_path: Path) -> None:
    one = write(tmp_path / "one", "a.py", "p/b.py")
    two = write(tmp_path / "somewhere/else", "p/b.py", "a.py")
    os.utime(two / "a.py", (1, 1))
    (two / "a.py").chmod(0o600)
    assert content_digest(one) == content_digest(two)


def test_a_missing_directory_has_a_metadata_digest_because_observation_reports_it(tmp_path: Path) -> None:
    assert metadata_digest(tmp_path / "gone") == metadata_digest(tmp_path / "also gone")


@pytest.mark.parametrize("closed", ["closed", "a.py"])
def test_an_unreadable_file_or_directory_is_an_error(closed: str) -> None:
    with reachable_directory() as source:
        write(source, "a.py", "closed/b.py")
        mode = (source / closed).stat().st_mode
        (source / closed).chmod(0)
        try:
            with unprivileged(), pytest.raises(LockError, match="Permission denied"):
                content_digest(source)
        finally:
            (source / closed).chmod(mode)


def test_a_file_that_metadata_names_may_be_missing(tmp_path: Path) -> None:
    """The build then fails, and says so."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "own"\ndynamic = ["version"]\n[tool.setuptools.dynamic]\nversion = {file = "VERSION"}\n'
    )
    before = metadata_digest(tmp_path)
    (tmp_path / "VERSION").write_text("1")
    assert metadata_digest(tmp_path) != before


def test_a_file_instead_of_a_source_directory_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "own.py")
    for ask in (real_directory, source_files, tracked_files):
        with pytest.raises(LockError) as caught:
            ask(tmp_path / "own.py")
        assert caught.value.message == f"{tmp_path}/own.py: not a directory"


def test_the_tracked_files_that_are_known_already_are_used(tmp_path: Path) -> None:
    write(tmp_path, "own.py", "build/own.py", "build/x.py")
    assert source_files(tmp_path, tracked=["build/own.py"]) == ["build/own.py", "own.py"]
    assert source_files(tmp_path) == ["own.py"]
