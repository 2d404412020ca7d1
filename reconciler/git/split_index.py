"""Which entries of a shared index a split index deletes: its `link` extension (gitformat-index, "Split index").

The positions are in an EWAH bitmap, a compressed list of bits (gitformat-bitmap, Appendix A). Nothing in the file is
trusted: a run of bits is read only up to the number of entries. Imports only modules that load fast.
"""

from __future__ import annotations

_LINK = b"link"
_WORD = 64  # bits
_RUN_BITS, _LITERAL_BITS = 32, 31  # of a marker word, after its first bit


class Link:
    """A `link` extension: the name of the shared index (hexadecimal), and its entries that are deleted, by position."""

    __slots__ = ("base", "deletions")

    def __init__(self, base: str, deletions: bytes) -> None:
        self.base = base
        self.deletions = deletions

    def deleted(self, count: int) -> frozenset[int]:
        """Return the positions (from 0) of the deleted entries of a shared index with `count` entries.

        Raises ValueError if the bitmap is damaged.
        """
        return frozenset(_bits(self.deletions, count)) if self.deletions else frozenset()


def find_link(index: bytes, position: int, width: int) -> Link | None:
    """Return the `link` extension among those from `position` on, None if the index is not split.

    `width` is the length of object names in bytes. Raises ValueError if the extensions are damaged.
    """
    end = len(index) - width
    while position < end:
        start = position + 8
        size = int.from_bytes(index[position + 4 : start], "big")
        if start + size > end:
            raise ValueError("extension")
        if index[position : position + 4] == _LINK:
            if size < width:
                raise ValueError("link")
            base = index[start : start + width]
            return Link(base.hex(), index[start + width : start + size]) if any(base) else None
        position = start + size
    return None


def _bits(bitmap: bytes, count: int) -> list[int]:
    """Return the positions of the bits that are set in the first of the EWAH bitmaps in `bitmap`, below `count`."""
    words = int.from_bytes(bitmap[4:8], "big")
    if len(bitmap) < 8 + words * 8 + 4:
        raise ValueError("bitmap")
    found: list[int] = []
    position, at = 0, 0  # in bits, in words
    while at < words:
        marker = _word(bitmap, at)
        run = marker >> 1 & (1 << _RUN_BITS) - 1
        literals = marker >> (1 + _RUN_BITS) & (1 << _LITERAL_BITS) - 1
        if marker & 1:
            found.extend(range(position, min(count, position + run * _WORD)))
        position += run * _WORD
        at += 1
        if at + literals > words:
            raise ValueError("literals")
        for word in range(at, at + literals):
            value = _word(bitmap, word)
            found.extend(position + bit for bit in range(_WORD) if value >> bit & 1 and position + bit < count)
            position += _WORD
        at += literals
    return found


def _word(bitmap: bytes, number: int) -> int:
    return int.from_bytes(bitmap[8 + number * 8 : 16 + number * 8], "big")
