"""Where a distribution was installed from, as its direct_url.json says (PEP 610): every kind, with its fields."""

import json
from typing import Any

import pytest

from reconciler.observe.actual import InstalledFrom, OriginKind
from reconciler.observe.direct_url import parse_direct_url

GIT = {"vcs": "git", "commit_id": "abc", "requested_revision": "main"}


@pytest.mark.parametrize(
    ("content", "origin", "path"),
    [
        (
            {"url": "https://u:hidden@g.example/a", "vcs_info": GIT, "subdirectory": "src"},
            {"kind": OriginKind.VCS, "url": "https://****@g.example/a", "vcs": "git", "commit": "abc"},
            "",
        ),
        (
            {"url": "https://i.example/a.zip", "archive_info": {"hashes": {"sha256": "1"}}, "subdirectory": "src"},
            {"kind": OriginKind.ARCHIVE, "url": "https://i.example/a.zip", "hash": "sha256=1"},
            "",
        ),
        (
            {"url": "file:///a.zip", "archive_info": {}, "subdirectory": "src"},
            {"kind": OriginKind.ARCHIVE, "url": "file:///a.zip"},
            "",
        ),
        (
            {"url": "file:///a%20b", "dir_info": {}, "subdirectory": "src"},
            {"kind": OriginKind.DIRECTORY, "url": "file:///a%20b"},
            "",
        ),
        (
            {"url": "file:///a%20b", "dir_info": {"editable": True}, "subdirectory": "src"},
            {"kind": OriginKind.EDITABLE, "url": "file:///a%20b"},
            "/a b",
        ),
        (
            {"url": "file://localhost/a", "dir_info": {"editable": True}, "subdirectory": "src"},
            {"kind": OriginKind.EDITABLE, "url": "file://localhost/a"},
            "/a",
        ),
    ],
)
def test_every_kind_has_all_of_its_fields(content: dict[str, Any], origin: dict[str, Any], path: str) -> None:
    found = parse_direct_url(json.dumps(content).encode())
    assert found == (InstalledFrom(**origin, subdirectory="src"), path)
    del content["subdirectory"]
    assert parse_direct_url(json.dumps(content).encode()) == (InstalledFrom(**origin), path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "it must be an object"),
        ('{"url": ' + "[" * 100_000, "nested too deeply"),
        (
            '{"url": "file://host/a", "dir_info": {"editable": true}}',
            "the URL of an editable install names a different machine",
        ),
        ('{"url": "file:///a%00", "dir_info": {}}', "the URL of a directory contains a null character"),
    ],
)
def test_what_is_wrong_is_reported(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse_direct_url(text.encode())
