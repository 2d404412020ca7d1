"""Finds the source of a `.pyc` file and compares its header with that source (PEP 3147, PEP 552)."""

import _imp
import os
import re
import stat
import struct

from reconciler.fs.read import read_regular

CACHE = "__pycache__"
SUFFIXES = (".pyc", ".pyo")
_TAG = re.compile(r"^cpython-(\d)(\d+)t?$")
_HEADER_BYTES = 16
_HASHED, _CHECKED = 0b01, 0b10
# Magic numbers of the released series (importlib/_bootstrap_external.py); those of other series are not compared.
_MAGIC = {8: 3413, 9: 3425, 10: 3439, 11: 3495, 12: 3531, 13: 3571, 14: 3627}
_SIPHASH_13_SINCE = 11  # Python 3.11; older versions hash sources with SipHash-2-4


def bytecode_source(path: str) -> str:
    """Return the path of the source of a `.pyc` in `__pycache__`; empty for a file in any other directory."""
    directory, _, name = path.rpartition("/")
    parent, _, cache = directory.rpartition("/")
    if cache != CACHE or not name.endswith(SUFFIXES):
        return ""
    module = f"{name.partition('.')[0]}.py"
    return f"{parent}/{module}" if parent else module


def header_mismatch(bytecode: str, source: str) -> str:
    """Return why a `.pyc` cannot be what its interpreter compiled from `source`, empty if it can (absolute paths).

    It compares the magic number, and either the source's mtime and size or its hash. The hash is compared even if the
    header says that Python should not check it. Raises OSError if a file cannot be read.
    """
    status = os.lstat(source)
    content = read_regular(bytecode)
    if len(content) < _HEADER_BYTES:
        return "its header is incomplete"
    magic, flags, first, second = struct.unpack("<4sIII", content[:_HEADER_BYTES])
    match = _TAG.match(bytecode.rpartition("/")[2].split(".")[1])
    minor = int(match[2]) if match and match[1] == "3" else 0
    if minor in _MAGIC and magic != _MAGIC[minor].to_bytes(2, "little") + b"\r\n":
        return "its magic number is that of a different Python version"
    if flags & ~(_HASHED | _CHECKED):
        return "its flags are unknown"
    if not flags & _HASHED:
        if not stat.S_ISREG(status.st_mode):
            return ""
        fits = first == int(status.st_mtime) & 0xFFFFFFFF and second == status.st_size & 0xFFFFFFFF
        return "" if fits else "it was not compiled from the source next to it"
    if not minor:
        return ""
    wanted = source_hash(int.from_bytes(magic, "little"), read_regular(source), minor)
    return "" if content[8:_HEADER_BYTES] == wanted else "its hash is not that of the source"


def source_hash(key: int, source: bytes, minor: int) -> bytes:
    """Return the 8 bytes that Python 3.`minor` writes into a hash-based `.pyc` for `source` (PEP 552)."""
    if minor >= _SIPHASH_13_SINCE:
        return _imp.source_hash(key, source)
    return _siphash24(key, source)


def _siphash24(key: int, text: bytes) -> bytes:
    mask = (1 << 64) - 1
    v0, v1 = 0x736F6D6570736575 ^ key, 0x646F72616E646F6D
    v2, v3 = 0x6C7967656E657261 ^ key, 0x7465646279746573

    def rounds(count: int) -> None:
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0 = (v0 + v1) & mask
            v1 = ((v1 << 13 | v1 >> 51) & mask) ^ v0
            v0 = (v0 << 32 | v0 >> 32) & mask
            v2 = (v2 + v3) & mask
            v3 = ((v3 << 16 | v3 >> 48) & mask) ^ v2
            v0 = (v0 + v3) & mask
            v3 = ((v3 << 21 | v3 >> 43) & mask) ^ v0
            v2 = (v2 + v1) & mask
            v1 = ((v1 << 17 | v1 >> 47) & mask) ^ v2
            v2 = (v2 << 32 | v2 >> 32) & mask

    whole = len(text) - len(text) % 8
    last = (len(text) & 0xFF) << 56 | int.from_bytes(text[whole:], "little")
    for word in (*(value for (value,) in struct.iter_unpack("<Q", text[:whole])), last):
        v3 ^= word
        rounds(2)
        v0 ^= word
    v2 ^= 0xFF
    rounds(4)
    return (v0 ^ v1 ^ v2 ^ v3).to_bytes(8, "little")
