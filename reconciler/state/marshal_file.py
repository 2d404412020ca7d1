"""Small files of our own in `marshal`'s format behind a line that is checked first: `envsync KIND FORMAT CRC32`.

marshal loads fastest of all (design, section 10), and must never be fed damaged bytes: hence the checksum. It tells an
accident, not a hand: whoever may write here may write anything of ours. Imports nothing that takes time.
"""

from __future__ import annotations

import marshal
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Raised when what is kept in such a file changes: one of another format is not read.
_FORMATS = {"agreed": 4, "inodes": 1, "inventory": 3}


def dump_marshalled(kind: str, value: Any) -> bytes:
    """Return the file's bytes; `value` is made of numbers, text, bytes, tuples, lists and dictionaries."""
    body = marshal.dumps(value, 4)
    return _head(kind, body) + body


def load_marshalled(kind: str, content: bytes) -> Any:
    """Return what `dump_marshalled` was given; raises ValueError where the bytes are damaged or of another kind."""
    end = content.find(b"\n", 0, 200) + 1
    body = memoryview(content)[end:]
    if content[:end] != _head(kind, body):
        raise ValueError(_wrong(kind, content[:end]))
    try:
        return marshal.loads(body)  # noqa: S302  # our own bytes, checked above
    except (EOFError, TypeError) as error:
        raise ValueError(f"damaged envsync {kind}: {error}") from error


def _head(kind: str, body: bytes | memoryview) -> bytes:
    return b"envsync %s %d %08x\n" % (kind.encode("ascii"), _FORMATS[kind], zlib.crc32(body))


def _wrong(kind: str, head: bytes) -> str:
    """Return what is wrong with a file whose first line is not the one it should be."""
    fields = head.split()
    if len(fields) != 4 or fields[:2] != [b"envsync", kind.encode("ascii")]:
        return f"no envsync {kind}"
    if fields[2] != str(_FORMATS[kind]).encode("ascii"):
        return f"envsync {kind} of format {fields[2].decode('ascii', 'replace')}, not {_FORMATS[kind]}"
    return f"damaged envsync {kind}: its checksum does not match"
