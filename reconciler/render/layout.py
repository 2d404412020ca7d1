"""Lines of words within a width: columns at the front, sentences that wrap behind them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.render.style import Palette, Style

_LEAST_TAIL = 24  # columns; sentences in less room are hard to read
_HANG = 4
_WORD = re.compile(r"(?<![^ ])[0-9]+ [^ ]+|[^ ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text, already escaped: a column `width` cells wide at least, `gap` spaces before the next; or part of a tail."""

    text: str
    style: Style | None = None
    width: int = 0
    gap: int = 2


def cells(text: str) -> int:
    """Return how many columns of a terminal `text` takes (Unicode, annex 11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def cut(text: str, room: int) -> str:
    """Return `text`, or as much of it as `room` columns hold with `...` at its end."""
    if cells(text) <= room:
        return text
    kept = ""
    used = 3
    for each in text:
        used += cells(each)
        if used > room:
            break
        kept += each
    return kept + "..."


def lay_out(
    head: Sequence[Piece], tail: Sequence[Piece], *, palette: Palette, width: int, indent: int = 0
) -> list[str]:
    """Return the lines of one entry: columns, and behind them the words of `tail`, wrapped where they began.

    Where a word has no room there the tail begins on the next line; where not even the columns fit, all is wrapped.
    No line is wider than `width` unless a single word is.
    """
    inner = indent + (_HANG if head else 0)
    start = indent + sum(max(each.width, cells(each.text)) + each.gap for each in head)
    longest = max((cells(word) for each in tail for word in each.text.split(" ")), default=0)
    if head and start + max(longest, _LEAST_TAIL) <= width:
        lines = _wrapped(tail, palette, width - start)
        first, *rest = lines or [""]
        return [(" " * indent + _columns(head, palette) + first).rstrip(), *(" " * start + each for each in rest)]
    if head and start - head[-1].gap <= width:
        first = (" " * indent + _columns(head, palette)).rstrip()
        return [first, *(" " * inner + each for each in _wrapped(tail, palette, width - inner))]
    lines = _wrapped([*head, *tail], palette, width - inner)
    return [" " * (inner if number else indent) + each for number, each in enumerate(lines)]


def table(rows: Sequence[Sequence[Piece]]) -> list[list[Piece]]:
    """Return rows of equal length with every column as wide as its widest text."""
    widths = [max(cells(piece.text) for piece in column) for column in zip(*rows, strict=True)]
    return [
        [
            Piece(text=each.text, style=each.style, width=width, gap=each.gap)
            for each, width in zip(row, widths, strict=True)
        ]
        for row in rows
    ]


def _columns(head: Sequence[Piece], palette: Palette) -> str:
    """Return the columns as one text; spaces are never painted."""
    parts = []
    for each in head:
        fill = max(each.width - cells(each.text), 0) + each.gap
        parts.append(palette.paint(each.text, each.style) + " " * fill)
    return "".join(parts)


def _wrapped(pieces: Sequence[Piece], palette: Palette, room: int) -> list[str]:
    """Return the words of all pieces in lines of at most `room` columns, each word in its piece's style."""
    lines: list[list[Piece]] = []
    used = 0
    for piece in pieces:
        for word in _words(piece.text, room):
            size = cells(word)
            if lines and used + 1 + size <= room:
                lines[-1].append(Piece(text=word, style=piece.style))
                used += 1 + size
            else:
                lines.append([Piece(text=word, style=piece.style)])
                used = size
    return [_painted(line, palette) for line in lines]


def _words(text: str, room: int) -> Iterator[str]:
    """Yield the words of a text; a number goes with the word after it (`2 packages`) where there is room for both."""
    for found in _WORD.findall(text):
        if cells(found) <= room:
            yield found
        else:
            yield from found.split(" ")


def _painted(words: Sequence[Piece], palette: Palette) -> str:
    """Return a line's words, neighbours of one style painted as one."""
    runs = groupby(words, key=lambda each: each.style)
    return " ".join(palette.paint(" ".join(each.text for each in run), style) for style, run in runs)
