"""The seal: written once, read as it was written, and None when it is not whole."""

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
def test_what_is_sealed_is_read_back(tmp_path_factory: pytest.TempPathFactory, what: Applied) -> None:
    path = tmp_path_factory.getbasetemp() / "seal.json"
    digest = write_seal(seal_of(what), path)
    assert read_seal(path) == seal_of(what, digest=digest)


def test_the_same_is_sealed_alike_and_anything_else_is_not(tmp_path: Path) -> None:
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


def test_any_edit_that_can_still_be_read_moves_the_digest(tmp_path: Path) -> None:
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
def test_what_is_no_seal_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "seal.json").write_bytes(content)
    assert read_seal(tmp_path / "seal.json") is None


def test_a_seal_that_is_not_there_or_no_file_is_none(tmp_path: Path) -> None:
    assert read_seal(tmp_path / "seal.json") is None
    assert read_seal(tmp_path) is None
    (tmp_path / "circle").symlink_to("circle")
    assert read_seal(tmp_path / "circle") is None


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_a_seal_that_was_cut_short_is_none(cut: float, tmp_path: Path) -> None:
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
def test_a_value_of_another_kind_is_no_seal(key: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    write_seal(seal_of(applied()), path)
    stored = json.loads(path.read_bytes())
    path.write_text(json.dumps(stored | {key: value}))
    assert read_seal(path) is None
    del stored[key]
    path.write_text(json.dumps(stored))
    assert read_seal(path) is None
