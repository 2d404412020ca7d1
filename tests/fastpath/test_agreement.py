"""Where the cache files of the fast path are, and whether what they depend on is unchanged."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.fastpath.agreement import (
    agreement_path,
    evidence_unchanged,
    machine_identity,
    manifest_inputs_unchanged,
    manifest_reading_path,
    own_columns_path,
    read_cache_file,
    record_unchanged,
    stat_signature,
)
from reconciler.state.columns_file import dump_columns


def test_each_manifest_and_environment_has_a_file_of_its_own() -> None:
    one, other = (manifest_reading_path("/root", f"/a/{name}") for name in ("envs.yaml", "other\udcff.yaml"))
    assert one != other
    assert one.startswith("/root/.envsync/cache/manifest-")
    assert one == manifest_reading_path("/root", "/a/envs.yaml")
    assert agreement_path("/root", "web") == "/root/.envsync/cache/agreed/web"
    assert own_columns_path("/root", "web") == "/root/.envsync/cache/agreed/web.own"


def test_a_signature_changes_with_every_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("one")
    status = (tmp_path / "file").stat()
    assert stat_signature(status) == [
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    ]


def test_the_machine_is_known_by_its_kernel_and_our_version(monkeypatch: pytest.MonkeyPatch) -> None:
    found = machine_identity()
    assert found[1:4] == [os.uname().release, os.uname().version, os.uname().machine]
    assert all(isinstance(each, str) for each in found)

    errors: list[Exception] = [ValueError("unrecognized configuration name"), OSError(22, "Invalid argument")]

    def unknown(_: str) -> str:
        raise errors.pop()

    with monkeypatch.context() as patched:
        patched.setattr(os, "confstr", unknown)
        assert [machine_identity(), machine_identity()] == [[*found[:4], ""]] * 2  # musl, and macOS
    if "CS_GNU_LIBC_VERSION" in os.confstr_names:
        assert found[4] == os.confstr("CS_GNU_LIBC_VERSION")


@pytest.mark.parametrize("content", [None, b"", b"damaged", dump_columns("/elsewhere", "agreed", {"a": 1})])
def test_a_cache_file_that_is_missing_or_damaged_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    assert read_cache_file(str(tmp_path / "file")) is None


def test_a_cache_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(dump_columns(str(tmp_path / "file"), "agreed", {"a": 1}))
    assert read_cache_file(str(tmp_path / "file")) == {"a": 1}


def inputs(*rows: tuple[Path, str, Any]) -> dict[str, Any]:
    return {"inputs": [(str(path), sha256, signature) for path, sha256, signature in rows]}


def test_the_files_of_a_manifest_are_unchanged_by_signature_or_contents(tmp_path: Path) -> None:
    one, gone = tmp_path / "one", tmp_path / "gone"
    one.write_text("text")
    sha256, signature = hashlib.sha256(b"text").hexdigest(), stat_signature(one.stat())
    assert manifest_inputs_unchanged(inputs())
    assert manifest_inputs_unchanged(inputs((one, "not looked at", signature), (gone, "", None)))
    assert manifest_inputs_unchanged(inputs((one, sha256, None)))
    assert not manifest_inputs_unchanged(inputs((one, "0" * 64, None)))
    assert not manifest_inputs_unchanged(inputs((one, "", signature)))  # it was missing
    assert not manifest_inputs_unchanged(inputs((gone, sha256, signature)))
    assert not manifest_inputs_unchanged(inputs((gone, "", None), (one, "", None)))
    assert not manifest_inputs_unchanged(inputs((one / "below", "", None)))
    assert not manifest_inputs_unchanged(inputs((tmp_path, sha256, None)))  # a directory now


def test_records_and_interpreters_are_compared_by_signature(tmp_path: Path) -> None:
    record, real, link = (tmp_path / name for name in ("record", "real", "link"))
    record.write_text("{}")
    real.write_text("python")
    link.symlink_to("real")
    own, target = stat_signature(record.lstat()), stat_signature(real.stat())
    agreement: dict[str, Any] = {
        "files": [(str(record), own), (str(link), stat_signature(link.lstat()))],
        "followed": [(str(link), target)],
    }
    assert record_unchanged(agreement)
    assert evidence_unchanged(agreement)
    assert not evidence_unchanged({**agreement, "followed": [(str(link), own)]})
    assert not evidence_unchanged({**agreement, "followed": [(str(tmp_path / "none"), target)]})
    assert not evidence_unchanged({**agreement, "files": [*agreement["files"], (str(real), own)]})
    assert not record_unchanged({"files": [(str(record), target)]})
    record.unlink()
    assert record_unchanged(agreement) is False
    assert evidence_unchanged(agreement) is False
