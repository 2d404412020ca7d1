"""A seal is read as it was written; one that is damaged or newer is an error, and never taken for a missing one."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from reconciler.errors import DamagedStateError, NewerFormatError, StateError
from reconciler.state.applied import Applied
from reconciler.state.seal import read_seal, write_seal
from tests.state.edited import edit_state_file, stored_in, write_stored
from tests.state.records import APPLIED, applied, seal_of
from tests.unprivileged import reachable_directory, unprivileged


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


def test_every_edit_is_damage_and_a_valid_change_has_another_digest(tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    digest = write_seal(seal_of(applied()), path)
    written = path.read_bytes()
    path.write_bytes(written.replace(b"/usr/bin", b"/evl/bin"))
    assert damage(path).endswith("it was not written by envsync as this user in this root")
    path.write_bytes(written + b" ")  # only the object counts
    found = read_seal(path)
    assert found is not None
    assert found.digest == digest
    edit_state_file(path, {"home": "/evl/bin"})
    found = read_seal(path)
    assert found is not None
    assert found.digest != digest


def test_a_copy_in_a_different_place_or_root_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "root/.envsync/generations/web/1/seal.json"
    path.parent.mkdir(parents=True)
    write_seal(seal_of(applied()), path)
    for place in ("root/.envsync/generations/web/2/seal.json", "other/.envsync/generations/web/1/seal.json"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_bytes(path.read_bytes())
        assert damage(tmp_path / place).endswith("it was not written by envsync as this user in this root")


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
        b'{"format": 0}',
        b'{"format": true}',
        b'{"format": 1.5}',
    ],
)
def test_any_other_file_is_damaged(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "seal.json").write_bytes(content)
    assert damage(tmp_path / "seal.json").startswith(f"`{tmp_path}/seal.json` is damaged: ")


def damage(path: Path) -> str:
    with pytest.raises(DamagedStateError) as caught:
        read_seal(path)
    assert caught.value.hint
    return caught.value.message


def test_only_a_missing_seal_is_none(tmp_path: Path) -> None:
    assert read_seal(tmp_path / "seal.json") is None
    assert read_seal(tmp_path / "nowhere" / "seal.json") is None
    (tmp_path / "file").write_text("")
    assert "Not a directory" in damage(tmp_path / "file" / "seal.json")
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in damage(tmp_path / "pipe")
    assert "directory" in damage(tmp_path)
    (tmp_path / "circle").symlink_to("circle")
    assert "symbolic links" in damage(tmp_path / "circle")


@pytest.mark.parametrize("number", [2, 3, 10**30])
def test_a_newer_format_is_named_whatever_else_the_file_has(number: int, tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    path.write_text(json.dumps({"format": number, "other": []}))
    with pytest.raises(NewerFormatError, match=f"made by a newer envsync: its format is {number},") as caught:
        read_seal(path)
    assert caught.value.hint == "use the envsync that made it, or a newer one"


def test_a_seal_that_may_not_be_read_is_neither_missing_nor_damaged() -> None:
    with reachable_directory() as directory:
        path = directory / "seal.json"
        write_seal(seal_of(applied()), path)
        path.chmod(0)
        with unprivileged(), pytest.raises(StateError, match="could not be read: Permission denied") as caught:
            read_seal(path)
        assert type(caught.value) is StateError


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_seal_is_damaged(cut: float, tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    write_seal(seal_of(applied()), path)
    os.truncate(path, int(path.stat().st_size * cut))
    assert damage(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 0), ("format", "1"), ("format", True), ("applied", None), ("applied", {}), ("plan", 3),
        ("created", None),
        ("inventory", ["x"]), ("home", 3), ("system_site_packages", "false"), ("lock", {}),
    ],
)  # fmt: skip
def test_a_value_of_a_wrong_type_is_damage(key: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    write_seal(seal_of(applied()), path)
    stored = stored_in(path)
    write_stored(path, stored | {key: value})
    assert damage(path)
    del stored[key]
    write_stored(path, stored)
    assert damage(path)
