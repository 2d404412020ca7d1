"""The packages of another tool's lock in the lock of envsync: their files, paths and markers, and the project."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LockError
from reconciler.lock.foreign_lock import _chosen, _with_files, _with_project
from reconciler.lock.foreign_package import PinnedPackage
from reconciler.manifest.desired import DesiredEnvironment, LockSource
from tests.lock.workbench import local_project

HASH, OTHER = "a" * 64, "b" * 64
PIN = PinnedPackage(name="six", version="1.0", marker="", hashes=frozenset({HASH}))
SOURCE = LockSource(path=Path("/srv/acme/locks/pylock.toml"), relative="locks/pylock.toml", tool="pylock", sha256=HASH)
WEB = DesiredEnvironment(name="web", python="3.12")


def file(sha256: str, name: str = "a") -> dict[str, Any]:
    return {"url": f"https://i.example/{name}", "hashes": {"sha256": sha256}}


@pytest.mark.parametrize(
    ("pin", "package", "table"),
    [
        (PIN, {"wheels": [file(HASH), file(OTHER, "b")], "sdist": file(OTHER)}, {"wheels": [file(HASH)]}),
        (PIN, {"wheels": [file(OTHER)], "sdist": file(HASH)}, {"sdist": file(HASH)}),
        (PIN, {"sdist": file(HASH)}, {"sdist": file(HASH)}),
        (PIN, {"wheels": [file(HASH)], "sdist": file(HASH)}, {"sdist": file(HASH), "wheels": [file(HASH)]}),
        (replace(PIN, marker="x"), {"wheels": [file(HASH)]}, {"marker": "x", "wheels": [file(HASH)]}),
        # The index may write the version differently, and what it writes is kept.
        (PIN, {"version": "1", "wheels": [file(HASH)]}, {"version": "1", "wheels": [file(HASH)]}),
        (replace(PIN, version="o!"), {"version": "o!", "sdist": file(HASH)}, {"version": "o!", "sdist": file(HASH)}),
    ],
)
def test_a_package_has_the_files_with_the_hashes_of_its_lock(
    pin: PinnedPackage, package: dict[str, Any], table: dict[str, Any]
) -> None:
    found = {"name": "six", "version": "1.0", **package}
    others: list[dict[str, Any]] = [
        {"name": "other", "version": "1.0", "wheels": [file(HASH, "other")], "sdist": file(HASH, "other")},
        {"name": "six", "version": "2.0", "wheels": [file(HASH, "newer")], "sdist": file(HASH, "newer")},
        {"name": "six", "wheels": [file(HASH, "unknown")]},
    ]
    expected = {"name": "six", "version": pin.version, **table}
    assert _with_files(pin, [*others, found], SOURCE) == _with_files(pin, [found, *others], SOURCE) == expected


@pytest.mark.parametrize(
    "package",
    [
        {"name": "six", "version": "1.0", "wheels": [file(OTHER)], "sdist": {"hashes": {"md5": HASH}}},
        {"name": "six", "version": "1.0"},
        {"name": "six", "version": "2.0", "wheels": [file(HASH)]},
        {"name": "seven", "version": "1.0", "wheels": [file(HASH)]},
    ],
)
def test_a_package_without_a_file_that_its_lock_allows_is_refused(package: dict[str, Any]) -> None:
    with pytest.raises(LockError) as caught:
        _with_files(PIN, [package], SOURCE)
    assert caught.value.message == "no index has a file of `six` 1.0 with a hash that `locks/pylock.toml` allows"
    assert caught.value.hint == (
        "declare the index that the lock was made from in `indexes`; if the file was replaced there, make the lock "
        "again"
    )


def chosen(
    *packages: dict[str, Any], extras: tuple[str, ...] = (), groups: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    document = {"lock-version": "1.0", "created-by": "x", "extras": ["web-ui"], **more, "packages": list(packages)}
    return _chosen(document, replace(SOURCE, extras=extras, groups=groups))


def test_a_pylock_keeps_what_a_host_needs_and_gets_absolute_paths() -> None:
    more: dict[str, Any] = {
        "environments": ["os_name == 'posix'"],
        "requires-python": ">=3.11",
        "default-groups": ["dev"],
        "dependency-groups": ["dev"],
        "tool": {"x": 1},
    }
    wheel = {"name": "six-1.0-py3-none-any.whl", "path": "../w/six-1.0-py3-none-any.whl", "hashes": {"sha256": HASH}}
    sdist = {"name": "six-1.0.tar.gz", "path": "six-1.0.tar.gz", "hashes": {"sha256": HASH}}
    vcs = {"type": "git", "path": "../repository", "commit-id": "c" * 40}
    packages: list[dict[str, Any]] = [
        {"name": "six", "version": "1.0", "wheels": [wheel], "sdist": sdist, "tool": {"x": 1}},
        {"name": "lib", "directory": {"path": "../lib", "editable": True}},
        {"name": "zip", "archive": {"url": "https://i.example/a.zip", "hashes": {"sha256": HASH}}},
        {"name": "repository", "vcs": vcs, "attestation-identities": [{"kind": "x"}]},
    ]
    assert chosen(*packages, **more) == {
        "lock-version": "1.0",
        "environments": ["os_name == 'posix'"],
        "requires-python": ">=3.11",
        "packages": [
            {
                "name": "six",
                "version": "1.0",
                "wheels": [{**wheel, "path": "/srv/acme/w/six-1.0-py3-none-any.whl"}],
                "sdist": {**sdist, "path": "/srv/acme/locks/six-1.0.tar.gz"},
            },
            {"name": "lib", "directory": {"path": "/srv/acme/lib", "editable": True}},
            packages[2],
            {"name": "repository", "vcs": {**vcs, "path": "/srv/acme/repository"}},
        ],
    }


PACKAGE: dict[str, Any] = {"name": "lib", "directory": {"path": "/srv/lib"}}


@pytest.mark.parametrize(
    ("marker", "extras", "packages"),
    [
        ("'Web_UI' in extras", (), []),
        ("'Web_UI' in extras", ("web-ui",), [PACKAGE]),
        ("'Web_UI' not in extras and os_name == 'nt'", (), [{**PACKAGE, "marker": 'os_name == "nt"'}]),
        ("'Web_UI' in extras or os_name == 'nt'", ("web-ui",), [PACKAGE]),
    ],
)
def test_a_marker_keeps_what_depends_on_the_interpreter(
    marker: str, extras: tuple[str, ...], packages: list[dict[str, Any]]
) -> None:
    assert chosen({**PACKAGE, "marker": marker}, extras=extras)["packages"] == packages


def test_the_groups_of_a_pylock_need_not_be_normalized() -> None:
    known: dict[str, Any] = {"dependency-groups": ["Dev_Tools"]}
    marked = {**PACKAGE, "marker": "'Dev_Tools' in dependency_groups"}
    assert chosen(marked, groups=("dev-tools",), **known)["packages"] == [PACKAGE]
    with pytest.raises(LockError, match=r"^`locks/pylock.toml` has no group `docs`; it has `dev-tools`$"):
        chosen(marked, groups=("docs",), **known)


def test_a_pylock_that_is_not_valid_is_refused() -> None:
    with pytest.raises(LockError) as caught:
        chosen({"version": "1.0"})
    assert caught.value.message.startswith("locks/pylock.toml: not a valid lock: ")
    assert caught.value.hint == "make it again with its tool, or correct the path in the manifest"


LIB = local_project(Path("/srv/acme/lib"))


@pytest.mark.parametrize("editable", [False, True])
def test_the_project_of_the_environment_takes_the_place_of_its_own_directory(editable: bool) -> None:
    """Packages are in the order of name, version and marker; a directory has neither version nor marker."""
    others: list[dict[str, Any]] = [
        {"name": "other", "directory": {"path": "/srv/acme/other"}},
        {"name": "six", "directory": {"path": "/srv/acme/six"}},
        {"name": "six", "version": "0.9", "marker": "c"},
        {"name": "six", "version": "1.0"},
        {"name": "six", "version": "1.0", "marker": "a"},
        {"name": "six", "version": "1.0", "marker": "b"},
    ]
    named_differently = {"name": "x", "directory": {"path": "/srv/acme/lib"}}
    document = {"lock-version": "1.0", "packages": [named_differently, *reversed(others)]}
    assert _with_project(document, WEB) == document
    own = {"name": "lib", "directory": {"path": "/srv/acme/lib", **({"editable": True} if editable else {})}}
    assert _with_project(document, replace(WEB, project=replace(LIB, editable=editable))) == {
        "lock-version": "1.0",
        "packages": [own, *others],
    }


def test_a_project_whose_name_only_a_build_reveals_is_refused() -> None:
    with pytest.raises(LockError) as caught:
        _with_project({"packages": []}, replace(WEB, project=replace(LIB, name="")))
    assert caught.value.message == "the project in `lib` has no name that is known without a build"
    assert caught.value.hint == "write `name` in the `[project]` table of its pyproject.toml"
