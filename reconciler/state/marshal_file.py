"""Files in `marshal` format, which loads fastest, after a line that is checked first: `envsync KIND FORMAT CRC32`.

`marshal` must never get damaged bytes, so the line has a checksum. It detects accidents, not attacks: who can write
these files can write all other files of envsync too. Imports only modules that load fast.
"""

from __future__ import annotations

import marshal
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Increase the number when the contents of such a file change. Files of a different format are not read.
_FORMATS = {"agreed": 5, "inodes": 1, "inventory": 3}


def dump_marshalled(kind: str, value: Any) -> bytes:
    """Return the file's bytes; `value` consists of numbers, text, bytes, tuples, lists and dictionaries."""
    body = marshal.dumps(value, 4)
    return _head(kind, body) + body


def load_marshalled(kind: str, content: bytes) -> Any:
    """Return the value that `dump_marshalled` got; raises ValueError if the bytes are damaged or of another kind."""
    end = content.find(b"\n", 0, 200) + 1
    body = memoryview(content)[end:]
    if content[:end] != _head(kind, body):
        raise ValueError(_wrong(kind, content[:end]))
    try:
        return marshal.loads(body)  # noqa: S302  # our own bytes, checked above
    except (EOFError, TypeError) as error:
        raise ValueError(f"damaged envsync {kind} file: {error}") from error


def _head(kind: str, body: bytes | memoryview) -> bytes:
    return b"envsync %s %d %08x\n" % (kind.encode("ascii"), _FORMATS[kind], zlib.crc32(body))


def _wrong(kind: str, head: bytes) -> str:
    """Return what is wrong with a file whose first line is not the expected one."""
    fields = head.split()
    if len(fields) != 4 or fields[:2] != [b"envsync", kind.encode("ascii")]:
        return f"not an envsync {kind} file"
    if fields[2] != str(_FORMATS[kind]).encode("ascii"):
        return f"envsync {kind} file of format {fields[2].decode('ascii', 'replace')}, not {_FORMATS[kind]}"
    return f"damaged envsync {kind} file: its checksum does not match"
