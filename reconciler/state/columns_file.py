"""Files of a JSON object and binary columns, which load as fast as memory can be copied and hold no code.

The first line says `envsync KIND FORMAT CODE`. The second line is the JSON object. What would be slow in JSON follows
as bytes: byte strings and long texts, whose places an object has under a key that no path can be. Tuples become lists.
`CODE` authenticates everything after the first line (`reconciler.fs.authentication`). Reading never runs code and fails
cleanly for any bytes. Imports only modules that load fast.
"""

from __future__ import annotations

from reconciler.fs.authentication import authentication_code, is_authentic
from reconciler.fs.own_files import read_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Columns = dict[str, Any]

# Increase the number when the contents of such a file change. Files of a different format are not read.
_FORMATS = {"agreed": 6, "inodes": 2, "inventory": 4}
_LONG_TEXT = 200  # characters
_TEXT, _BYTES = 0, 1
_PLACES = "\0"


def dump_columns(path: str, kind: str, value: Columns) -> bytes:
    """Return the bytes of the file at `path`; raises OSError if the key of the user cannot be made.

    `value` consists of dictionaries with text keys, lists, tuples, numbers, text, None, and bytes as the values of
    dictionaries.
    """
    from json import dumps  # slow to import, and only a run that writes needs it

    blobs: list[bytes] = []
    text = dumps(_without_blobs(value, blobs), separators=(",", ":"))
    body = b"".join((text.encode("ascii"), b"\n", *blobs))
    return f"{_head(kind)}{authentication_code(path, body)}\n".encode("ascii") + body


def load_columns(path: str, kind: str) -> Columns:
    """Return the value that `dump_columns` got, with lists in place of tuples.

    Raises OSError, or ValueError if the file is damaged, of a different kind or format, or not written by envsync as
    this user.
    """
    return parse_columns(path, kind, read_own(path))


def parse_columns(path: str, kind: str, content: bytes) -> Columns:
    """Return the value in the bytes of the file at `path`; raises ValueError as `load_columns` does."""
    end = content.find(b"\n", 0, 300)
    head = content[: end + 1].decode("ascii", "replace")
    expected = _head(kind)
    if not head.startswith(expected):
        raise ValueError(_wrong(kind, head))
    if not is_authentic(path, memoryview(content)[end + 1 :], head[len(expected) : -1]):
        raise ValueError(f"damaged envsync {kind} file: it was not written by envsync as this user in this root")
    start = content.find(b"\n", end + 1) + 1
    try:
        found = _parsed(content[end + 1 : start].decode("ascii"), content, start)
    except StopIteration as error:  # its text is only a position
        raise ValueError(f"damaged envsync {kind} file: its object is not complete") from error
    except (RecursionError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"damaged envsync {kind} file: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"damaged envsync {kind} file: not an object")  # noqa: TRY004  # as for all other damage
    return found


def _without_blobs(value: Any, blobs: list[bytes]) -> Any:
    """Return a value for JSON, without its byte strings and long texts, which are appended to `blobs`."""
    if isinstance(value, (list, tuple)):
        return [_without_blobs(each, blobs) for each in value]
    if not isinstance(value, dict):
        return value
    plain: dict[str, Any] = {}
    places: dict[str, tuple[int, int, int]] = {}
    for name, each in value.items():
        is_text = isinstance(each, str)
        if isinstance(each, bytes) or (is_text and len(each) > _LONG_TEXT):
            blob = each.encode("utf-8", "surrogatepass") if is_text else each
            start = sum(map(len, blobs))
            places[name] = (_TEXT if is_text else _BYTES, start, start + len(blob))
            blobs.append(blob)
        else:
            plain[name] = _without_blobs(each, blobs)
    return {**plain, _PLACES: places} if places else plain


def _parsed(text: str, content: bytes, after: int) -> Any:
    """Return the JSON value in `text` with its blobs, which begin at the position `after` of `content`."""

    def with_blobs(found: dict[str, Any]) -> dict[str, Any]:
        for name, (kind, start, end) in found.pop(_PLACES, {}).items():
            blob = content[after + start : after + end]
            if not 0 <= start <= end or len(blob) != end - start:
                raise ValueError("a column is missing")
            found[name] = blob if kind == _BYTES else blob.decode("utf-8", "surrogatepass")
        return found

    value, end = _scanner(with_blobs)(text, 0)
    if text[end:] != "\n":
        raise ValueError("something follows the object")
    return value


def _scanner(object_hook: Callable[[dict[str, Any]], Any]) -> Any:
    """Return the scanner of the module `json`, without importing the module, which takes longer than the check."""
    try:
        import _json as accelerator  # type: ignore[import-not-found, unused-ignore]
    except ImportError:  # not CPython
        from json.decoder import JSONDecoder

        decoder: Any = JSONDecoder(object_hook=object_hook)
        return decoder.scan_once
    return accelerator.make_scanner(_Decoder(object_hook))  # type: ignore[arg-type, unused-ignore]


class _Decoder:
    """What the scanner needs to know, as `json.JSONDecoder` has it."""

    strict = True
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    def __init__(self, object_hook: Callable[[dict[str, Any]], Any]) -> None:
        self.object_hook = object_hook

    @staticmethod
    def parse_constant(text: str) -> None:
        raise ValueError(f"{text} is not JSON")


def _head(kind: str) -> str:
    return f"envsync {kind} {_FORMATS[kind]} "


def _wrong(kind: str, head: str) -> str:
    """Return what is wrong with a file whose first line is not the expected one."""
    fields = head.split()
    if len(fields) != 4 or fields[:2] != ["envsync", kind]:
        return f"not an envsync {kind} file"
    return f"envsync {kind} file of format {fields[2]}, not {_FORMATS[kind]}"
