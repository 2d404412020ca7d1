"""What a wheel's RECORD says about files is compared with the files of the environment, and never outside of it."""

import py_compile
import shutil
import sys
from pathlib import Path

import pytest

from reconciler.apply.verify_build import Record, read_records, verify_records
from reconciler.errors import ApplyError, RecordMismatchError
from reconciler.observe.actual import ActualEnvironment, Depth, Distribution, Occupant
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_scan import take_inventory
from tests.wheels import record_hash

INFO = "lib/python3.11/site-packages/tool-1.0.dist-info"


def built(directory: Path, *lines: str) -> tuple[list[Record], Inventory]:
    """Build a venv with a command, a module and these further lines of RECORD; return its records and inventory."""
    venv = directory / "venv"
    (venv / INFO).mkdir(parents=True)
    (venv / "bin").mkdir()
    (venv / "bin/tool").write_bytes(b"command")
    (venv / INFO).with_name("tool.py").write_bytes(b"module")
    rows = [f"tool.py,{record_hash(b'module')},6", f"../../../bin/tool,{record_hash(b'command')},7", *lines]
    (venv / INFO / "RECORD").write_text("\n".join([*rows, ""]))
    return read_records(venv, observed(venv)), take_inventory(venv, InodeHashes.load(directory / "inodes"))


def observed(venv: Path) -> ActualEnvironment:
    tool = Distribution(key="tool", name="tool", version="1.0", place=INFO)
    return ActualEnvironment(
        name="web", path=str(venv), occupant=Occupant.PUBLISHED, depth=Depth.FILES, distributions=(tool,)
    )


def test_files_with_their_recorded_hashes_are_verified(tmp_path: Path) -> None:
    verify_records(*built(tmp_path), compiled=None, replaced={})


@pytest.mark.parametrize(
    "path",
    ["../../../../outside", "../../../../../etc/passwd", "x/../../../../../outside"],
    ids=["next", "far", "through"],
)
def test_a_wheel_that_reaches_out_of_its_environment_is_refused(path: str, tmp_path: Path) -> None:
    """Also if the file there has the recorded contents; the message has the path as the wheel has it."""
    (tmp_path / "outside").write_bytes(b"theirs")
    with pytest.raises(RecordMismatchError) as caught:
        verify_records(*built(tmp_path, f"{path},{record_hash(b'theirs')},6"), compiled=None, replaced={})
    assert f"`{path}`" in caught.value.message
    assert caught.value.packages == ("tool",)


@pytest.mark.parametrize(
    "line", ["missing.py,{},6", "tool.py,{},6", "../../../bin/tool,{},7", "../../../bin/none,{},7"]
)
def test_a_file_that_is_missing_or_differs_is_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(RecordMismatchError):
        verify_records(*built(tmp_path, line.format(record_hash(b"other"))), compiled=None, replaced={})


@pytest.mark.parametrize(
    "content", [b"tool.py,sha256=\xff,6\n", b'../../../bin/tool,"sha256=\xff",7\n', b"a" * 200_000 + b",sha256=,1\n"]
)
def test_a_record_that_cannot_be_read_is_named(content: bytes, tmp_path: Path) -> None:
    built(tmp_path)
    (tmp_path / "venv" / INFO / "RECORD").write_bytes(content)
    with pytest.raises(ApplyError, match=r"tool-1\.0\.dist-info/RECORD` could not be read: "):
        read_records(tmp_path / "venv", observed(tmp_path / "venv"))


@pytest.mark.parametrize("missing", ["", "source", "bytecode", "header"])
def test_recorded_bytecode_may_differ_only_if_it_was_compiled_from_the_module_next_to_it(
    missing: str, tmp_path: Path
) -> None:
    """A wheel may contain bytecode, which the engine compiles again."""
    series = f"{sys.version_info.major}{sys.version_info.minor}"
    name = f"__pycache__/tool.cpython-{series}.pyc"
    built(tmp_path)
    site = (tmp_path / "venv" / INFO).parent
    py_compile.compile(str(site / "tool.py"), cfile=str(site / name), doraise=True)
    if missing == "header":
        (site / name).write_bytes(b"other")
    shutil.rmtree(site / INFO.rpartition("/")[2])
    venv = tmp_path / "venv"
    if missing == "bytecode":
        (site / name).unlink()
    (venv / INFO).mkdir()
    listed = [f"tool.py,{record_hash(b'module')},6", f"{name},{record_hash(b'as in the wheel')},9"]
    (venv / INFO / "RECORD").write_text("\n".join([*listed, ""]))
    if missing == "source":
        (site / "tool.py").unlink()
    inventory = take_inventory(venv, InodeHashes.load(tmp_path / "inodes"))
    records = read_records(venv, observed(venv))
    if not missing:
        verify_records(records, inventory, compiled=venv, replaced={})
        return
    with pytest.raises(RecordMismatchError) as caught:
        verify_records(records, inventory, compiled=venv, replaced={})
    assert any(each.endswith(name) for each in caught.value.contents)
