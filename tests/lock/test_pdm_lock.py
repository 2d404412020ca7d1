"""The packages of a pdm.lock: pins of those from an index, and all others as PEP 751 writes them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LockError
from reconciler.lock.foreign_package import ForeignLock, PinnedPackage
from reconciler.lock.pdm_lock import read_pdm_lock
from reconciler.manifest.desired import LockSource

SHA256 = "a" * 64
FILES = [{"file": "own-1.0-py3-none-any.whl", "hash": f"sha256:{SHA256}"}]
HASHES = {"sha256": SHA256}
SOURCE = LockSource(path=Path("/srv/acme/pdm.lock"), relative="pdm.lock", tool="pdm", sha256=SHA256)


def read(
    *packages: Any,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    known: list[str] | None = None,
    targets: list[dict[str, str]] | None = None,
) -> ForeignLock:
    metadata: dict[str, Any] = {"strategy": ["inherit_metadata"], "groups": known or ["default", "Web_UI", "x"]}
    metadata |= {"targets": targets} if targets else {}
    source = replace(SOURCE, extras=extras, groups=groups)
    return read_pdm_lock({"metadata": metadata, "package": list(packages)}, source)


def pin(name: str, version: str, *, marker: str = "", hashes: frozenset[str] = frozenset()) -> PinnedPackage:
    return PinnedPackage(name=name, version=version, marker=marker, hashes=hashes)


@pytest.mark.parametrize("marker", [{}, {"marker": 'os_name == "nt"'}], ids=["", "marker"])
@pytest.mark.parametrize(
    ("package", "table"),
    [
        (
            {"git": "https://git.example/own", "revision": "b" * 40, "subdirectory": "lib"},
            {"vcs": {"type": "git", "url": "https://git.example/own", "commit-id": "b" * 40, "subdirectory": "lib"}},
        ),
        (
            {"url": "https://files.example/own.zip#x", "subdirectory": "lib", "files": FILES},
            {"archive": {"url": "https://files.example/own.zip", "hashes": HASHES, "subdirectory": "lib"}},
        ),
        (
            {"path": "./own-1.0-py3-none-any.whl", "files": FILES},
            {"archive": {"path": "/srv/acme/own-1.0-py3-none-any.whl", "hashes": HASHES}},
        ),
        ({"path": "./own"}, {"directory": {"path": "/srv/acme/own"}}),
        ({"path": "./own", "editable": True}, {"directory": {"path": "/srv/acme/own", "editable": True}}),
    ],
    ids=["git", "url", "archive", "directory", "editable"],
)
def test_a_package_that_is_not_from_an_index(
    package: dict[str, Any], table: dict[str, Any], marker: dict[str, str]
) -> None:
    version = {} if "directory" in table else {"version": "1.0"}
    found = read({"name": "Own", "version": "1.0", "groups": ["default"], **package, **marker})
    assert found == ForeignLock(pins=(), tables=({"name": "own", **version, **marker, **table},), python="")


def test_packages_of_an_index_are_those_of_the_chosen_groups_and_extras() -> None:
    """Two entries of one version are one package, with the marker of the entry without extras."""
    packages = [
        {"name": "Own", "version": "1.0", "groups": ["default"], "extras": ["x"], "files": FILES},
        {"name": "Own", "version": "1.0", "groups": ["default"], "marker": 'os_name == "nt"', "files": FILES},
        {"name": "Own", "version": "2.0", "groups": ["default"]},
        {"name": "web", "version": "1.0", "groups": ["Web_UI", "other"]},
        {"name": "never", "version": "1.0", "groups": ["default"], "marker": 'extra == "x"'},
        {"name": "other", "version": "1.0", "groups": ["other"]},
        {"name": "nowhere", "version": "1.0"},
        "not a table",
    ]
    old = pin("own", "1.0", marker='os_name == "nt"', hashes=frozenset({SHA256}))
    new, never, web = pin("own", "2.0"), pin("never", "1.0"), pin("web", "1.0")
    assert read(*packages) == ForeignLock(pins=(old, new), tables=(), python="")
    assert read(*packages, groups=("web-ui",)).pins == (old, new, web)
    assert read(*packages, extras=("x", "web-ui")).pins == (old, new, web, never)


def test_the_lowest_python_of_the_targets_counts() -> None:
    targets = [{"requires_python": ">=3.12"}, {"requires_python": ">=3.11,<4"}]
    assert read(targets=targets) == ForeignLock(pins=(), tables=(), python="3.11")
    assert read() == ForeignLock(pins=(), tables=(), python="")


def test_a_group_that_the_lock_does_not_have_is_refused() -> None:
    with pytest.raises(LockError) as caught:
        read(groups=("web-ui", "nope", "also"), known=["default", "Web_UI", "x"])
    assert caught.value.message == "`pdm.lock` has no group `also`, `nope`; it has `web-ui`, `x`"
    assert caught.value.hint == "correct the groups in the manifest, or make the lock again with its tool"
    with pytest.raises(LockError, match=r"^`pdm.lock` has no group `nope`; it has none$"):
        read(groups=("nope",), known=["default"])


@pytest.mark.parametrize("metadata", [{}, {"strategy": ["static_urls"]}])
def test_a_lock_without_groups_and_markers_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(LockError) as caught:
        read_pdm_lock({"metadata": metadata}, SOURCE)
    assert caught.value.message == (
        "`pdm.lock` was made without the strategy `inherit_metadata`, so it lacks groups and markers"
    )
    assert caught.value.hint == "run `pdm lock --update-reuse --strategy inherit_metadata`, which keeps the versions"
