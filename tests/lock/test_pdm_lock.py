"""Packages of a pdm.lock that do not come from an index, as PEP 751 writes them."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.lock.pdm_lock import read_pdm_lock
from reconciler.manifest.desired import LockSource

SHA256 = "a" * 64
FILES = [{"file": "own-1.0-py3-none-any.whl", "hash": f"sha256:{SHA256}"}]
HASHES = {"sha256": SHA256}


@pytest.mark.parametrize(
    ("package", "table"),
    [
        (
            {"git": "https://git.example/own", "revision": "b" * 40, "subdirectory": "lib"},
            {"vcs": {"type": "git", "url": "https://git.example/own", "commit-id": "b" * 40, "subdirectory": "lib"}},
        ),
        (
            {"url": "https://files.example/own-1.0-py3-none-any.whl#x", "files": FILES},
            {"archive": {"url": "https://files.example/own-1.0-py3-none-any.whl", "hashes": HASHES}},
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
def test_a_source_of_a_package(package: dict[str, Any], table: dict[str, Any]) -> None:
    source = LockSource(path=Path("/srv/acme/pdm.lock"), relative="pdm.lock", tool="pdm", sha256=SHA256)
    document = {
        "metadata": {"strategy": ["inherit_metadata"], "lock_version": "4.5.0", "groups": ["default"]},
        "package": [{"name": "own", "version": "1.0", "groups": ["default"], **package}],
    }
    found = read_pdm_lock(document, source)
    assert [{key: each[key] for key in table} for each in found.tables] == [table]
