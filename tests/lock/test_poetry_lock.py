"""The packages of a poetry.lock: pins of those from an index, and all others as PEP 751 writes them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LockError
from reconciler.lock.foreign_package import ForeignLock, PinnedPackage
from reconciler.lock.poetry_lock import declared_groups, read_poetry_lock
from reconciler.manifest.desired import LockSource

SHA256 = "a" * 64
FILES = [{"file": "own.whl", "hash": f"sha256:{SHA256}"}, {"file": "own.zip", "hash": "md5:0"}, {"file": "x"}, "x"]
HASHES = {"sha256": SHA256}
SOURCE = LockSource(path=Path("/srv/acme/poetry.lock"), relative="poetry.lock", tool="poetry", sha256=SHA256)
WINDOWS, POSIX = 'os_name == "nt"', 'os_name == "posix"'


def read(
    *packages: Any,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    declared: tuple[str, ...] = (),
    metadata: dict[str, str] | None = None,
) -> ForeignLock:
    document = {
        "metadata": metadata if metadata is not None else {"lock-version": "2.1"},
        "package": list(packages),
        "extras": {"Web_UI": ["own"], "docs": []},
    }
    return read_poetry_lock(document, replace(SOURCE, extras=extras, groups=groups), declared)


def package(**more: Any) -> dict[str, Any]:
    return {"name": "Own", "version": "1.0", "groups": ["main"], **more}


def pin(marker: str = "", **more: Any) -> PinnedPackage:
    return replace(PinnedPackage(name="own", version="1.0", marker=marker, hashes=frozenset()), **more)


@pytest.mark.parametrize(("markers", "marker"), [({}, {}), ({"markers": WINDOWS}, {"marker": WINDOWS})])
@pytest.mark.parametrize(
    ("entry", "table"),
    [
        (
            {"source": {"type": "directory", "url": "../lib"}, "develop": True},
            {"directory": {"path": "/srv/lib", "editable": True}},
        ),
        (
            {"source": {"type": "directory", "url": "lib", "subdirectory": "py"}, "develop": False},
            {"directory": {"path": "/srv/acme/lib", "subdirectory": "py"}},
        ),
        (
            {"source": {"type": "git", "url": "https://git.example/own", "resolved_reference": "b" * 40}},
            {"vcs": {"type": "git", "url": "https://git.example/own", "commit-id": "b" * 40}},
        ),
        (
            {"source": {"type": "git", "url": "https://git.example/own", "subdirectory": "py"}},
            {"vcs": {"type": "git", "url": "https://git.example/own", "commit-id": "", "subdirectory": "py"}},
        ),
        (
            {"source": {"type": "url", "url": "https://files.example/own.whl"}, "files": FILES},
            {"archive": {"url": "https://files.example/own.whl", "hashes": HASHES}},
        ),
        (
            {"source": {"type": "file", "url": "own.zip", "subdirectory": "py"}, "files": FILES},
            {"archive": {"path": "/srv/acme/own.zip", "hashes": HASHES, "subdirectory": "py"}},
        ),
        (
            {"source": {"type": "file", "url": "own.zip"}},
            {"archive": {"path": "/srv/acme/own.zip", "hashes": {"sha256": ""}}},
        ),
    ],
)
def test_a_package_that_is_not_from_an_index(
    entry: dict[str, Any], table: dict[str, Any], markers: dict[str, str], marker: dict[str, str]
) -> None:
    version = {} if "directory" in table else {"version": "1.0"}
    found = read(package(**entry, **markers))
    assert found == ForeignLock(pins=(), tables=({"name": "own", **version, **marker, **table},), python="")


@pytest.mark.parametrize("entry", [{}, {"source": {}}, {"source": {"type": "legacy", "url": "https://i.example"}}])
def test_a_package_of_an_index(entry: dict[str, Any]) -> None:
    metadata = {"lock-version": "2.1", "python-versions": ">=3.11,<4.0"}
    expected = ForeignLock(pins=(pin(hashes=frozenset({SHA256})),), tables=(), python="3.11")
    assert read(package(files=FILES, **entry), "not a table", metadata=metadata) == expected


@pytest.mark.parametrize(
    ("entry", "groups", "extras", "pins"),
    [
        ({"groups": ["dev"]}, (), (), ()),
        ({"groups": ["Dev_Tools"]}, ("dev-tools",), (), (pin(),)),
        ({"markers": WINDOWS}, (), (), (pin(WINDOWS),)),
        ({"markers": {"main": WINDOWS}}, (), (), (pin(WINDOWS),)),
        ({"groups": ["main", "dev"], "markers": {"main": WINDOWS}}, ("dev",), (), (pin(),)),
        ({"groups": ["main", "dev"], "markers": {"main": WINDOWS, "dev": POSIX}}, (), (), (pin(WINDOWS),)),
        (
            {"groups": ["main", "dev"], "markers": {"main": WINDOWS, "dev": POSIX}},
            ("dev",),
            (),
            (pin(f"({WINDOWS}) or ({POSIX})"),),
        ),
        ({"markers": 'extra == "web-ui"'}, (), (), ()),
        ({"markers": 'extra == "web-ui"'}, (), ("web-ui",), (pin(),)),
    ],
)
def test_groups_and_extras_choose_packages_and_their_markers(
    entry: dict[str, Any], groups: tuple[str, ...], extras: tuple[str, ...], pins: tuple[PinnedPackage, ...]
) -> None:
    assert read(package(**entry), groups=groups, extras=extras, declared=("dev",)).pins == pins


@pytest.mark.parametrize(
    ("extras", "groups", "message", "kind"),
    [
        (("web-ui", "nope"), (), "has no extra `nope`; it has `docs`, `web-ui`", "extras"),
        ((), ("dev", "nope"), "has no group `nope`; it has `dev`, `other`", "groups"),
        ((), ("main",), "has no group `main`; it has `dev`, `other`", "groups"),
    ],
)
def test_an_extra_or_a_group_that_the_lock_does_not_have_is_refused(
    extras: tuple[str, ...], groups: tuple[str, ...], message: str, kind: str
) -> None:
    with pytest.raises(LockError) as caught:
        read(package(groups=["main", "Other"]), declared=("dev",), extras=extras, groups=groups)
    assert caught.value.message == f"`poetry.lock` {message}"
    assert caught.value.hint == f"correct the {kind} in the manifest, or make the lock again with its tool"


@pytest.mark.parametrize(
    ("metadata", "entry", "shown"),
    [
        ({"lock-version": "2.0"}, package(), "2.0"),
        ({"lock-version": "1.1"}, package(), "1.1"),
        ({}, package(), "unknown"),
        ({"lock-version": "2.1"}, {"name": "own", "version": "1.0"}, "2.1"),
    ],
)
def test_an_older_format_is_refused(metadata: dict[str, str], entry: dict[str, Any], shown: str) -> None:
    with pytest.raises(LockError) as caught:
        read(package(), entry, metadata=metadata)
    assert caught.value.message == (f"`poetry.lock` has the format {shown}, without the groups and markers of packages")
    assert caught.value.hint == "run `poetry lock` with Poetry 2 or newer, which keeps the versions"


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("[tool.poetry.group.Dev_Tools.dependencies]\n[dependency-groups]\nDocs = []\n", {"dev-tools", "docs"}),
        ("[project]\nname = 'x'\n", set()),
        ("= 1", set()),
        (None, set()),
    ],
)
def test_the_groups_of_a_pyproject_toml(tmp_path: Path, text: str | None, groups: set[str]) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    assert declared_groups(tmp_path) == groups
