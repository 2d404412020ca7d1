"""Files and directories in a lock: relative there, absolute for an installation, and compared while they exist."""

from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import PackageWheel

from reconciler.errors import LockError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.directory_index import index_of, make_relative, with_url
from reconciler.lock.lock_file import lock_path, parse_lock, read_lock, write_lock
from reconciler.lock.model import ArchiveFile, IndexFile, Lock, LockState, SourceDirectory, VcsCommit
from reconciler.lock.renamed_lock import read_present_lock, with_present_name
from reconciler.lock.select import editable_directories, local_places
from reconciler.manifest.desired import DesiredState, Index
from tests.lock.nothing_generated import inputs_digest, select_packages
from tests.lock.workbench import project_at, requiring

HEAD = 'lock-version = "1.0"\ncreated-by = "envsync"\n'
SHA256 = "0" * 64
PYTHON = Interpreter(path="/python", version="3.12.1", implementation="cpython", markers={}, tags=("py3-none-any",))


def lock(locks: Path, text: str) -> Lock:
    return parse_lock(HEAD + text, lock_path(locks, "web"), "web")


def test_files_of_a_relative_directory_have_paths(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    local = (tmp_path / "wheels").as_uri()
    indexes = (Index(name="local", url=local, relative="wheels"), Index(name="far", url="https://far.example/simple"))
    packages: list[dict[str, Any]] = [
        {
            "name": "a",
            "index": f"{local}/",
            "wheels": [{"name": "w", "url": f"{local}/a-1.0.whl", "hashes": {}}],
            "sdist": {"url": f"{local}/a%20b.tar.gz"},
        },
        {"name": "b", "index": "https://far.example/simple", "wheels": [{"url": "https://far.example/b.whl"}]},
        {"name": "c", "directory": {"path": "."}},
    ]
    make_relative(packages, indexes, tmp_path / "locks")
    assert packages == [
        {
            "name": "a",
            "wheels": [{"path": "../wheels/a-1.0.whl", "name": "w", "hashes": {}}],
            "sdist": {"path": "../wheels/a b.tar.gz"},
        },
        {"name": "b", "index": "https://far.example/simple", "wheels": [{"url": "https://far.example/b.whl"}]},
        {"name": "c", "directory": {"path": "."}},
    ]
    assert [*packages[0]["wheels"][0]] == ["path", "name", "hashes"]


def test_an_installation_has_urls(tmp_path: Path) -> None:
    by_path = PackageWheel(path="../wheels/a.whl", hashes={"sha256": SHA256})
    found = with_url(by_path, tmp_path / "locks")
    assert (found.path, found.url) == (None, (tmp_path / "wheels/a.whl").as_uri())
    by_url = PackageWheel(url="https://x.example/a.whl", hashes={"sha256": SHA256})
    assert with_url(by_url, tmp_path) is by_url
    assert index_of(None, found) == (tmp_path / "wheels").as_uri()
    assert index_of("https://i.example", found) == "https://i.example"
    assert index_of(None, by_url) is None


def test_each_kind_of_source_is_selected(tmp_path: Path) -> None:
    project_at(tmp_path / "lib")
    locks = tmp_path / "locks"
    locks.mkdir()
    found = lock(
        locks,
        f"""
[[packages]]
name = "wheel"
version = "1.0"
index = "https://i.example/simple"
wheels = [{{url = "https://i.example/wheel-1.0-py3-none-any.whl", hashes = {{sha256 = "{SHA256}"}}}}]
[[packages]]
name = "source"
version = "1.0"
sdist = {{url = "https://i.example/source-1.0.tar.gz", hashes = {{sha256 = "{SHA256}"}}}}
[[packages]]
name = "archive"
archive = {{path = "../a.zip", subdirectory = "x", hashes = {{sha256 = "{SHA256}"}}}}
[[packages]]
name = "far"
archive = {{url = "https://i.example/f.zip", hashes = {{sha256 = "{SHA256}"}}}}
[[packages]]
name = "repository"
vcs = {{type = "git", url = "https://g.example/r.git", commit-id = "abc", subdirectory = "y"}}
[[packages]]
name = "lib"
directory = {{path = "../lib", editable = true}}
[[packages]]
name = "lib-too"
directory = {{path = "../lib"}}
""",
    )
    packages = {each.name: each for each in select_packages(found, requiring(), PYTHON)}
    assert [*packages] == sorted(packages)
    assert packages["wheel"].source == IndexFile(
        index="https://i.example/simple", filename="wheel-1.0-py3-none-any.whl", sha256=SHA256
    )
    assert packages["source"].source == IndexFile(index="", filename="source-1.0.tar.gz", sha256=SHA256)
    assert packages["archive"].source == ArchiveFile(location="../a.zip", sha256=SHA256, subdirectory="x")
    assert packages["far"].source == ArchiveFile(location="https://i.example/f.zip", sha256=SHA256, subdirectory="")
    assert packages["repository"].source == VcsCommit(
        vcs="git", url="https://g.example/r.git", commit="abc", subdirectory="y"
    )
    editable, plain = packages["lib"].source, packages["lib-too"].source
    assert isinstance(editable, SourceDirectory)
    assert isinstance(plain, SourceDirectory)
    assert (editable.editable, plain.editable, editable.path, plain.path) == (True, False, "../lib", "../lib")
    assert editable.content != plain.content
    assert packages["wheel"].version == "1.0"
    assert packages["lib"].version is None
    directory = str((tmp_path / "lib").resolve())
    assert editable_directories(found, PYTHON) == {"lib": directory}
    archive = str((tmp_path / "a.zip").resolve())
    assert local_places(found, PYTHON) == {"archive": archive, "lib": directory, "lib-too": directory}


@pytest.mark.parametrize(("builds", "refused"), [("allow", False), ("deny", True), (("tool",), False), (("x",), True)])
def test_a_build_that_the_manifest_denies_is_an_error(tmp_path: Path, builds: Any, refused: bool) -> None:
    package = f'[[packages]]\nname = "tool"\narchive = {{path = "t.%s", hashes = {{sha256 = "{SHA256}"}}}}\n'
    if refused:
        with pytest.raises(LockError, match="`tool` has no wheel for this interpreter") as caught:
            select_packages(lock(tmp_path, package % "zip"), requiring(builds=builds), PYTHON)
        assert caught.value.hint == "allow it with `builds: [tool]`, or require a version that has a wheel"
    else:
        assert len(select_packages(lock(tmp_path, package % "zip"), requiring(builds=builds), PYTHON)) == 1
    assert len(select_packages(lock(tmp_path, package % "whl"), requiring(builds=builds), PYTHON)) == 1


def test_a_file_without_its_hash_is_an_error(tmp_path: Path) -> None:
    package = '[[packages]]\nname = "tool"\narchive = {path = "t.zip", hashes = {md5 = "0"}}\n'
    with pytest.raises(LockError, match="the lock has no `sha256` for `tool`") as caught:
        select_packages(lock(tmp_path, package), requiring(), PYTHON)
    assert caught.value.hint == "delete the lock and run `envsync lock`"


def test_the_lock_of_a_renamed_environment_is_that_of_its_former_name(tmp_path: Path) -> None:
    environment = requiring("alpha", renamed_from="old")
    desired = DesiredState(
        project="acme",
        file=tmp_path / "envs.yaml",
        root=tmp_path / "r",
        locks=tmp_path,
        digest="",
        environments=(environment,),
    )
    assert read_present_lock(environment, desired) == (None, LockState.MISSING)
    digest = inputs_digest(environment, ())
    for inputs, state in ((digest, LockState.FRESH), ("sha256:other", LockState.MISSING)):
        text = f'{HEAD}packages = []\n[tool.envsync]\ninputs = "{inputs}"\n'
        lock_path(tmp_path, "old").write_text(text)
        former, found = read_present_lock(environment, desired)
        assert former is not None
        assert (former.path, former.environment, found) == (lock_path(tmp_path, "old"), "web", state)
    assert former is not None
    present = with_present_name(former)
    assert (present.path, present.document) == (lock_path(tmp_path, "web"), former.document)
    write_lock(present)
    own, found = read_present_lock(environment, desired)
    assert own is not None
    assert (own.path, found) == (lock_path(tmp_path, "web"), LockState.STALE)
    lock_path(tmp_path, "web").unlink()
    assert read_present_lock(requiring("alpha"), desired) == (None, LockState.MISSING)
    assert read_lock(lock_path(tmp_path, "old"), "web", reach=None) is not None
