"""The packages that a lock selects for one interpreter, and the document that is installed."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LockError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.build_copy import copy_for_build
from reconciler.lock.install_document import install_document, source_directories
from reconciler.lock.lock_file import parse_lock
from reconciler.lock.model import ArchiveFile, IndexFile, Lock, LockedPackage, SourceDirectory, VcsCommit
from reconciler.lock.select import select_artifacts
from reconciler.lock.toml_format import lock_text
from tests.engines.requests import install_request
from tests.lock.nothing_generated import content_digest, metadata_digest, select_packages
from tests.lock.workbench import Workbench, local, local_project, project_at, requiring

INDEX = "https://index.example/simple"
INTERPRETER = Interpreter(
    path="/usr/bin/python3.12",
    version="3.12.1",
    implementation="cpython",
    markers={
        "implementation_name": "cpython",
        "implementation_version": "3.12.1",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "6.1",
        "platform_system": "Linux",
        "platform_version": "#1 SMP",
        "python_full_version": "3.12.1",
        "python_version": "3.12",
        "sys_platform": "linux",
    },
    tags=("cp312-cp312-manylinux_2_17_x86_64", "cp312-abi3-linux_x86_64", "py3-none-any"),
)


def file(name: str, digit: str = "a") -> dict[str, Any]:
    return {"url": f"https://files.index.example/{name}", "hashes": {"sha256": digit * 64}}


def package(name: str = "alpha", *, wheels: tuple[str, ...] = (), sdist: str = "", **more: Any) -> dict[str, Any]:
    table: dict[str, Any] = {"name": name, "version": "1.0", "index": INDEX}
    if wheels:
        table["wheels"] = [file(each) for each in wheels]
    if sdist:
        table["sdist"] = file(sdist)
    return table | more


def lock_of(*packages: Mapping[str, Any], path: Path = Path("/m/locks/pylock.web.toml"), **head: Any) -> Lock:
    document = {"lock-version": "1.0", "created-by": "envsync", "packages": list(packages)}
    head = {key.replace("_", "-"): value for key, value in head.items()}
    return parse_lock(lock_text(document | head), path, "web")


def selected(
    *packages: Mapping[str, Any], interpreter: Interpreter = INTERPRETER, builds: Any = "allow"
) -> list[LockedPackage]:
    return list(select_packages(lock_of(*packages), requiring(builds=builds), interpreter))


def filename(*packages: Mapping[str, Any]) -> str:
    [found] = selected(*packages)
    assert isinstance(found.source, IndexFile)
    return found.source.filename


BINARY = "alpha-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"
WINDOWS = "alpha-1.0-cp312-cp312-win_amd64.whl"
PURE = "alpha-1.0-py3-none-any.whl"
SDIST = "alpha-1.0.tar.gz"


def test_the_best_wheel_for_this_interpreter_is_taken() -> None:
    assert filename(package(wheels=(PURE, WINDOWS, BINARY), sdist=SDIST)) == BINARY
    assert filename(package(wheels=(WINDOWS, PURE), sdist=SDIST)) == PURE


def test_the_source_distribution_is_the_last_resort() -> None:
    assert filename(package(wheels=(WINDOWS,), sdist=SDIST)) == SDIST
    assert filename(package(sdist=SDIST)) == SDIST


def test_a_package_has_its_index_file_and_hash() -> None:
    [found] = selected(package(wheels=(PURE,)))
    assert found == LockedPackage(
        name="alpha", version="1.0", source=IndexFile(index=INDEX, filename=PURE, sha256="a" * 64)
    )


def test_packages_are_sorted_by_name_and_markers_decide() -> None:
    found = selected(
        package("zeta", wheels=("zeta-1.0-py3-none-any.whl",)),
        package("beta", wheels=("beta-1.0-py3-none-any.whl",), marker="sys_platform == 'win32'"),
        package("alpha", version="1.0", wheels=(PURE,), marker="python_full_version < '3.12'"),
        package("alpha", version="2.0", wheels=("alpha-2.0-py3-none-any.whl",), marker="python_full_version >= '3.12'"),
    )
    assert [(each.name, each.version) for each in found] == [("alpha", "2.0"), ("zeta", "1.0")]


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        (lock_of(package(wheels=(WINDOWS,))), "No wheel found"),
        (lock_of(package(wheels=(PURE,)), requires_python=">=3.13"), "does not satisfy"),
        (lock_of(package(wheels=(PURE,), **{"requires-python": "<3.12"})), "'alpha'"),
        (lock_of(package(wheels=(PURE,)), environments=["sys_platform == 'win32'"]), "environments"),
        (lock_of(package(wheels=(PURE,)), package(wheels=(PURE,))), "Multiple packages"),
    ],
)
def test_a_lock_that_does_not_fit_is_an_error_with_the_reason(lock: Lock, message: str) -> None:
    with pytest.raises(LockError) as caught:
        select_packages(lock, requiring(), INTERPRETER)
    assert caught.value.message.startswith("pylock.web.toml: no file fits Python 3.12.1 (`/usr/bin/python3.12`): ")
    assert message in caught.value.message
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(
        "run `envsync lock --upgrade web` to look for a version that has a wheel for it"
    )


@pytest.mark.parametrize(("marker", "count"), [("platform_release >= '5'", 1), ("'x' in extras", 0)])
def test_a_marker_selects_or_does_not(marker: str, count: int) -> None:
    assert len(selected(package(wheels=(PURE,), marker=marker))) == count


@pytest.mark.parametrize("marker", ["extra == 'x'", "platform_version ~= 'x'"])
def test_a_marker_that_cannot_be_evaluated_is_a_lock_error(marker: str) -> None:
    with pytest.raises(LockError, match="no file fits Python"):
        selected(package(wheels=(PURE,), marker=marker))


def test_a_file_without_sha256_is_refused() -> None:
    table = package(wheels=(PURE,))
    table["wheels"][0]["hashes"] = {"md5": "0"}
    with pytest.raises(LockError, match="no `sha256` for `alpha`") as caught:
        selected(table)
    assert caught.value.hint == "delete the lock and run `envsync lock`"


# Builds


ARCHIVES = {
    "sdist": package(sdist=SDIST),
    "vcs": {"name": "alpha", "vcs": {"type": "git", "url": "https://index.example/r", "commit-id": "0" * 40}},
    "archive": {"name": "alpha", "version": "1.0", "archive": file(SDIST)},
}


@pytest.mark.parametrize("kind", sorted(ARCHIVES))
def test_denied_builds_are_refused_with_a_hint(kind: str) -> None:
    for builds in ("deny", ("beta",)):
        with pytest.raises(LockError) as caught:
            selected(ARCHIVES[kind], builds=builds)
        assert "pylock.web.toml: `alpha` has no wheel for this interpreter" in caught.value.message
        assert caught.value.hint
        assert "`builds: [alpha]`" in caught.value.hint
    for builds in ("allow", ("alpha",)):
        assert len(selected(ARCHIVES[kind], builds=builds)) == 1


def test_wheels_from_any_source_need_no_build() -> None:
    archive = {"name": "alpha", "version": "1.0", "archive": file(PURE)}
    for table in (package(wheels=(PURE,), sdist=SDIST), archive):
        assert len(selected(table, builds="deny")) == 1


# Other sources


def test_archives_have_their_hash_and_repositories_their_commit() -> None:
    [found] = selected({"name": "alpha", "version": "1.0", "archive": {**file(SDIST), "subdirectory": "sub"}})
    assert found.source == ArchiveFile(
        location=f"https://files.index.example/{SDIST}", sha256="a" * 64, subdirectory="sub"
    )
    [found] = selected(
        {
            "name": "alpha",
            "vcs": {
                "type": "git",
                "url": "https://index.example/r",
                "requested-revision": "main",
                "commit-id": "0" * 40,
                "subdirectory": "sub",
            },
        }
    )
    assert found == LockedPackage(
        name="alpha",
        version=None,
        source=VcsCommit(vcs="git", url="https://index.example/r", commit="0" * 40, subdirectory="sub"),
    )


def directory_lock(tmp_path: Path, *, editable: bool) -> tuple[Lock, Path]:
    source = project_at(tmp_path / "lib")
    (source / "code.py").write_text("x = 1\n")
    table = {"name": "lib", "directory": {"path": "../lib", "editable": editable}}
    return lock_of(table, path=tmp_path / "locks" / "pylock.web.toml"), source


def test_a_directory_has_the_digest_of_its_sources_or_if_editable_of_its_metadata(tmp_path: Path) -> None:
    for editable, digest in ((False, content_digest), (True, metadata_digest)):
        lock, source = directory_lock(tmp_path, editable=editable)
        [found] = select_packages(lock, requiring(), INTERPRETER)
        assert found.source == SourceDirectory(path="../lib", editable=editable, content=digest(source))
        assert found.version is None


def test_the_version_of_the_project_is_used_for_its_own_directory(tmp_path: Path) -> None:
    lock, source = directory_lock(tmp_path, editable=True)
    project = local_project(source.resolve(), version="1.2", editable=True)
    content = metadata_digest(source)
    [found] = select_packages(lock, requiring(project=project), INTERPRETER)
    assert found == LockedPackage(
        name="lib", version="1.2", source=SourceDirectory(path="../lib", editable=True, content=content)
    )
    [found] = select_packages(lock, requiring(project=replace(project, path=tmp_path / "other")), INTERPRETER)
    assert found.version is None


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    lock = lock_of({"name": "lib", "directory": {"path": "../gone"}}, path=tmp_path / "locks" / "pylock.web.toml")
    with pytest.raises(LockError, match=str(tmp_path / "gone")):
        select_packages(lock, requiring(), INTERPRETER)


# The document that is installed


def test_the_document_has_one_file_for_each_package_and_no_markers() -> None:
    lock = lock_of(
        package(wheels=(PURE, BINARY, WINDOWS), sdist=SDIST, marker="sys_platform == 'linux'"),
        package("beta", wheels=("beta-1.0-py3-none-any.whl",), marker="sys_platform == 'win32'"),
        requires_python=">=3.11",
        tool={"envsync": {"inputs": "sha256:1"}},
    )
    document = tomllib.loads(lock_text(install_document(lock, select_artifacts(lock, INTERPRETER), {})))
    assert document == {
        "lock-version": "1.0",
        "created-by": "envsync",
        "packages": [{"name": "alpha", "version": "1.0", "index": INDEX, "wheels": [file(BINARY)]}],
    }


def test_without_selected_packages_the_document_is_empty() -> None:
    lock = lock_of(package(wheels=(PURE,), marker="sys_platform == 'win32'"))
    assert tomllib.loads(lock_text(install_document(lock, select_artifacts(lock, INTERPRETER), {})))["packages"] == []


def test_paths_are_absolute_and_copies_replace_directories(tmp_path: Path) -> None:
    lib, ed = project_at(tmp_path / "lib"), project_at(tmp_path / "ed")
    archive = {"path": "../w/arch-1.0.tar.gz", "size": 5, "hashes": {"sha256": "0"}, "subdirectory": "s"}
    lock = lock_of(
        {"name": "lib", "directory": {"path": "../lib"}},
        {"name": "ed", "directory": {"path": "../ed", "editable": True}},
        {"name": "arch", "version": "1.0", "archive": archive},
        path=tmp_path / "locks" / "pylock.web.toml",
    )
    assert source_directories(lock, select_artifacts(lock, INTERPRETER)) == (lib,)
    copy = tmp_path / "copy"
    packages = {
        each["name"]: each
        for each in install_document(lock, select_artifacts(lock, INTERPRETER), {lib: copy})["packages"]
    }
    assert packages["lib"]["directory"]["path"] == str(copy)
    assert packages["ed"]["directory"] == {"path": str(ed), "editable": True}
    path, hashes = str(tmp_path / "w/arch-1.0.tar.gz"), {"sha256": "0"}
    assert packages["arch"]["archive"] == {"path": path, "size": 5, "hashes": hashes, "subdirectory": "s"}


def test_a_real_lock_is_selected_by_a_real_interpreter_and_installed(bench: Workbench, tmp_path: Path) -> None:
    lib = project_at(bench.directory / "lib")
    (lib / "backend.py").write_text(
        "import zipfile, os\n"
        "def build_wheel(directory, config_settings=None, metadata_directory=None):\n"
        "    open('was-built-here', 'w').close()\n"
        "    name = 'lib-1.0-py3-none-any.whl'\n"
        "    with zipfile.ZipFile(os.path.join(directory, name), 'w') as wheel:\n"
        "        info = 'lib-1.0.dist-info/'\n"
        "        wheel.writestr('lib.py', '')\n"
        "        wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: lib\\nVersion: 1.0\\n')\n"
        "        wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\n')\n"
        "        wheel.writestr(info + 'RECORD', '')\n"
        "    return name\n"
    )
    environment = requiring("alpha", "delta", "both ; sys_platform == 'win32'")
    environment = replace(environment, requirements=(*environment.requirements, local(lib)))
    lock = bench.written(bench.resolve(environment))
    packages = select_packages(lock, environment, bench.interpreter)
    assert [(each.name, each.version) for each in packages] == [
        ("alpha", "1.1"), ("beta", "2.0"), ("delta", "1.0"), ("lib", None),
    ]  # fmt: skip
    document = install_document(
        lock, select_artifacts(lock, bench.interpreter), {lib: copy_for_build(lib, tmp_path / "copy")}
    )
    pylock = tmp_path / "pylock.toml"
    pylock.write_text(lock_text(document))
    venv = tmp_path / "venv"
    bench.engine.create(venv, bench.interpreter, system_site_packages=False, prompt="web")
    bench.engine.install(install_request(venv, pylock, indexes=bench.indexes))
    site = venv / f"lib/python{bench.interpreter.series}/site-packages"
    assert sorted(path.name for path in site.glob("*.dist-info")) == [
        "alpha-1.1.dist-info", "beta-2.0.dist-info", "delta-1.0.dist-info", "lib-1.0.dist-info",
    ]  # fmt: skip
    assert not (lib / "was-built-here").exists()
