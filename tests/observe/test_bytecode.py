"""Where the source of bytecode is, and whether its header fits that source."""

import os
import py_compile
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.observe.bytecode import bytecode_source, header_mismatch

TAG = "cpython-312"
MAGIC = (3531).to_bytes(2, "little") + b"\r\n"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a/__pycache__/b.cpython-312.pyc", "a/b.py"),
        ("__pycache__/b.cpython-312.opt-1.pyc", "b.py"),
        ("a/__pycache__/b.pyo", "a/b.py"),
        ("a/b.pyc", ""),
        ("a/__pycache__/b.txt", ""),
        ("a/__pycache__/c/b.pyc", ""),
    ],
)
def test_the_source_of_bytecode(path: str, source: str) -> None:
    assert bytecode_source(path) == source


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "b.py"
    made.write_text("B = 1\n")
    os.utime(made, (1_700_000_000.5, 1_700_000_000.5))
    return made


def mismatch(source: Path, content: bytes, tag: str = TAG) -> str:
    bytecode = source.with_name(f"b.{tag}.pyc")
    bytecode.write_bytes(content)
    return header_mismatch(str(bytecode), str(source))


def header(flags: int = 0, first: int = 1_700_000_000, second: int = 6, magic: bytes = MAGIC) -> bytes:
    return struct.pack("<4sIII", magic, flags, first, second)


OTHER_VERSION = "its magic number is that of a different Python version"
OTHER_SOURCE = "it was not compiled from the source next to it"


@pytest.mark.parametrize(
    ("content", "tag", "problem"),
    [
        (header(), TAG, ""),
        (header(), "cpython-312t", ""),
        (header()[:15], TAG, "its header is incomplete"),
        (header(first=1), TAG, OTHER_SOURCE),
        (header(second=7), TAG, OTHER_SOURCE),
        (header(), "cpython-311", OTHER_VERSION),
        (header(magic=b"\0\0\r\n"), TAG, OTHER_VERSION),
        (header(magic=MAGIC[:2] + b"xx"), TAG, OTHER_VERSION),
        (header(magic=b"\0\0\r\n"), "cpython-399", ""),
        (header(magic=b"\0\0\r\n"), "pypy310", ""),
        (header(magic=b"\0\0\r\n"), "cpython-27", ""),
        (header(flags=4), TAG, "its flags are unknown"),
        (header(flags=2), TAG, ""),
        (header(flags=1), TAG, "its hash is not that of the source"),
        (header(flags=3), TAG, "its hash is not that of the source"),
        (header(flags=1), "pypy310", ""),
    ],
)
def test_a_header_that_does_not_fit(source: Path, content: bytes, tag: str, problem: str) -> None:
    assert mismatch(source, content, tag) == problem


def test_the_hash_of_the_source_is_compared(source: Path) -> None:
    made = source.with_name(f"b.{sys.implementation.cache_tag}.pyc")
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(made), doraise=True, invalidation_mode=mode)
    assert header_mismatch(str(made), str(source)) == ""
    source.write_text("B = 2\n")
    assert header_mismatch(str(made), str(source)) == "its hash is not that of the source"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["directory", "pipe"])
def test_a_source_that_is_not_a_file_is_not_compared_by_its_time(source: Path, make: Callable[[Path], None]) -> None:
    source.unlink()
    make(source)
    assert mismatch(source, header(first=1)) == ""
