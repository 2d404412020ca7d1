"""Lines of words within a width: aligned columns, followed by a text that wraps in the room to their right."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.render.style import Palette, Style
from reconciler.render.text_width import cell_width

_MIN_TEXT_WIDTH = 24  # columns; sentences in less room are hard to read
_HANGING_INDENT = 4
_WORD = re.compile(r"(?<![^ ])[0-9]+ [^ ]+|[^ ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of sanitized text in one style: a column, or a part of the text behind the columns.

    A column is at least `width` cells wide and has `gap` spaces between it and what follows.
    """

    text: str
    style: Style | None = None
    width: int = 0
    gap: int = 2


def entry_lines(
    columns: Sequence[Segment],
    text: Sequence[Segment],
    *,
    palette: Palette,
    width: int,
    indent: int = 0,
    min_text_width: int = _MIN_TEXT_WIDTH,
) -> list[str]:
    """Return the lines of one entry: columns, then the words of `text`, wrapped below their own beginning.

    If a word or `min_text_width` has no room there, the text begins on the next line. If not even the columns fit, they
    are wrapped too. No line is wider than `width` unless a single word is.
    """
    hanging = indent + (_HANGING_INDENT if columns else 0)
    start = indent + sum(max(each.width, cell_width(each.text)) + each.gap for each in columns)
    longest = max((cell_width(word) for each in text for word in each.text.split(" ")), default=0)
    if columns and start + max(longest, min_text_width) <= width:
        lines = _wrapped(text, palette, width - start)
        first, *rest = lines or [""]
        return [(" " * indent + _columns(columns, palette) + first).rstrip(), *(" " * start + each for each in rest)]
    if columns and start - columns[-1].gap <= width:
        first = (" " * indent + _columns(columns, palette)).rstrip()
        return [first, *(" " * hanging + each for each in _wrapped(text, palette, width - hanging))]
    lines = _wrapped([*columns, *text], palette, width - hanging)
    return [" " * (hanging if number else indent) + each for number, each in enumerate(lines)]


def align_columns(rows: Sequence[Sequence[Segment]]) -> list[list[Segment]]:
    """Return rows of equal length with every column as wide as its widest text."""
    widths = [max(cell_width(segment.text) for segment in column) for column in zip(*rows, strict=True)]
    return [
        [
            Segment(text=each.text, style=each.style, width=width, gap=each.gap)
            for each, width in zip(row, widths, strict=True)
        ]
        for row in rows
    ]


def table_text(
    titles: Sequence[str],
    rows: Sequence[Sequence[Segment]],
    *,
    palette: Palette,
    width: int,
    drop_columns: bool = False,
) -> str:
    """Return a table with faint titles; every line ends with a line end.

    If the table is too wide, the text of the last column wraps. `drop_columns` leaves out columns instead, from the
    right, but never the first two.
    """
    table = align_columns([[Segment(text=each, style=Style.FAINT) for each in titles], *rows])
    while drop_columns and len(table[0]) > 2 and max(_row_width(each) for each in table) > width:
        table = [each[:-1] for each in table]
    lines = [
        line
        for (*columns, last) in table
        for line in entry_lines(columns, [last], palette=palette, width=width, min_text_width=0)
    ]
    return "".join(f"{line}\n" for line in lines)


def _row_width(row: Sequence[Segment]) -> int:
    return sum(max(each.width, cell_width(each.text)) + each.gap for each in row) - row[-1].gap


def _columns(columns: Sequence[Segment], palette: Palette) -> str:
    """Return the columns as one text; spaces are never painted."""
    parts = []
    for each in columns:
        padding = max(each.width - cell_width(each.text), 0) + each.gap
        parts.append(palette.paint(each.text, each.style) + " " * padding)
    return "".join(parts)


def _wrapped(segments: Sequence[Segment], palette: Palette, room: int) -> list[str]:
    """Return the words of all segments in lines of at most `room` columns, each word in its segment's style."""
    lines: list[list[Segment]] = []
    used = 0
    for segment in segments:
        for word in _words(segment.text, room):
            size = cell_width(word)
            if lines and used + 1 + size <= room:
                lines[-1].append(Segment(text=word, style=segment.style))
                used += 1 + size
            else:
                lines.append([Segment(text=word, style=segment.style)])
                used = size
    return [_painted(line, palette) for line in lines]


def _words(text: str, room: int) -> Iterator[str]:
    """Yield the words of a text; a number stays with the word after it (`2 packages`) if there is room for both."""
    for found in _WORD.findall(text):
        if cell_width(found) <= room:
            yield found
        else:
            yield from found.split(" ")


def _painted(words: Sequence[Segment], palette: Palette) -> str:
    """Return a line's words; neighbors of one style are painted as one."""
    runs = groupby(words, key=lambda each: each.style)
    return " ".join(palette.paint(" ".join(each.text for each in run), style) for style, run in runs)
