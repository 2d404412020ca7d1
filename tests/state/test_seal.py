"""A seal is read as it was written; an incomplete one is None."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from reconciler.state.applied import Applied
from reconciler.state.seal import read_seal, write_seal
from tests.state.records import APPLIED, applied, seal_of


@settings(max_examples=50)
@given(APPLIED)
def test_a_seal_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, what: Applied) -> None:
    path = tmp_path_factory.getbasetemp() / "seal.json"
    digest = write_seal(seal_of(what), path)
    assert read_seal(path) == seal_of(what, digest=digest)


def test_equal_seals_have_the_same_digest_and_others_do_not(tmp_path: Path) -> None:
    digest = write_seal(seal_of(applied()), tmp_path / "one")
    assert write_seal(seal_of(applied()), tmp_path / "two") == digest
    others = (
        seal_of(applied(generation=2)),
        seal_of(applied(), plan="sha256:other"),
        seal_of(applied(), inventory="sha256:other"),
        seal_of(applied(), home="/opt/bin"),
        seal_of(applied(), system_site_packages=True),
        seal_of(applied(), lock="sha256:other"),
    )
    assert len({digest, *(write_seal(each, tmp_path / "other") for each in others)}) == 1 + len(others)


def test_every_edit_changes_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    digest = write_seal(seal_of(applied()), path)
    for edited in (path.read_bytes() + b" ", path.read_bytes().replace(b"/usr/bin", b"/evl/bin")):
        path.write_bytes(edited)
        found = read_seal(path)
        assert found is not None
        assert found.digest != digest


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"3",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b'{"format": 1}',
        b'{"format": 2}',
    ],
)
def test_any_other_file_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "seal.json").write_bytes(content)
    assert read_seal(tmp_path / "seal.json") is None


def test_a_missing_seal_or_a_directory_is_none(tmp_path: Path) -> None:
    assert read_seal(tmp_path / "seal.json") is None
    assert read_seal(tmp_path) is None
    (tmp_path / "circle").symlink_to("circle")
    assert read_seal(tmp_path / "circle") is None


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_seal_is_none(cut: float, tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    write_seal(seal_of(applied()), path)
    os.truncate(path, int(path.stat().st_size * cut))
    assert read_seal(path) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2), ("format", "1"), ("applied", None), ("applied", {}), ("plan", 3), ("created", None),
        ("inventory", ["x"]), ("home", 3), ("system_site_packages", "false"), ("lock", {}),
    ],
)  # fmt: skip
def test_a_value_of_a_wrong_type_is_none(key: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    write_seal(seal_of(applied()), path)
    stored = json.loads(path.read_bytes())
    path.write_text(json.dumps(stored | {key: value}))
    assert read_seal(path) is None
    del stored[key]
    path.write_text(json.dumps(stored))
    assert read_seal(path) is None
