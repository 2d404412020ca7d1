"""Small files of our own in `marshal`'s format behind a line that is checked first: `envsync KIND VERSION SHA256`.

marshal loads fastest of all (design, section 10), and must never be fed damaged bytes: hence the digest.
"""

import hashlib
import marshal
from typing import Any


def dump_marshalled(kind: str, version: int, value: Any) -> bytes:
    """Return the file's bytes; `value` is made of numbers, text, bytes, tuples, lists and dictionaries."""
    body = marshal.dumps(value, 4)
    return f"envsync {kind} {version} {hashlib.sha256(body).hexdigest()}\n".encode("ascii") + body


def load_marshalled(kind: str, version: int, content: bytes) -> Any:
    """Return what `dump_marshalled` was given; raises ValueError where the bytes are damaged or of another kind."""
    end = content.find(b"\n", 0, 200)
    fields = content[: max(end, 0)].split(b" ")
    if len(fields) != 4 or fields[:2] != [b"envsync", kind.encode("ascii")]:  # the four named above
        raise ValueError(f"no envsync {kind}")
    if fields[2] != str(version).encode("ascii"):
        raise ValueError(f"envsync {kind} of format {fields[2].decode('ascii', 'replace')}, not {version}")
    body = memoryview(content)[end + 1 :]
    if hashlib.sha256(body).hexdigest().encode("ascii") != fields[3]:
        raise ValueError(f"damaged envsync {kind}: its digest does not match")
    try:
        return marshal.loads(body)  # noqa: S302  # our own bytes, digest checked above
    except (EOFError, TypeError) as error:
        raise ValueError(f"damaged envsync {kind}: {error}") from error
