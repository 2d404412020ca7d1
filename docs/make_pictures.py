"""Turn colored terminal output into a picture: `envsync plan --color always | python docs/make_pictures.py TITLE`.

Reads text with SGR sequences on standard input and writes an SVG to standard output. The picture loads nothing and uses
the reader's own monospace font. It has a light background of its own, so it looks the same on a dark page.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from html import escape

SIZE, CELL, LINE = 14, 8.43, 20  # of the font, of a character, of a line: in pixels
MARGIN, TITLE = 18, 40
GROUND, INK, EDGE, FAINT = "#fbfbf9", "#24292f", "#c9cdd2", "#6e7681"
COLORS = {"31": "#b3202a", "32": "#117a37", "33": "#8a5a00", "34": "#055cbe", "35": "#7a3cb4", "36": "#0a6a78"}
SGR = re.compile(r"\x1b\[([\d;]*)m")
CHUNK = re.compile(r"\S+(?: \S+)*")  # words with one space between them become one element


def picture(text: str, title: str) -> str:
    """Return `text`, which may be colored with SGR sequences, as an SVG of a terminal window."""
    lines = text.rstrip("\n").split("\n")
    columns = max(cells(SGR.sub("", line)) for line in lines)
    width, height = round(columns * CELL + 2 * MARGIN), TITLE + len(lines) * LINE + MARGIN
    dots = "".join(f'<circle cx="{MARGIN + 5 + 18 * dot}" cy="20" r="5.5" fill="{EDGE}"/>' for dot in range(3))
    heading = f'<text x="{width / 2:g}" y="25" text-anchor="middle" fill="{FAINT}">{printable(title)}</text>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
            f"<title>{printable(title)}</title>",
            f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{GROUND}" stroke="{EDGE}"/>',
            dots,
            f'<g font-family="monospace" font-size="{SIZE}">',
            heading,
            *elements(lines),
            "</g>",
            "</svg>\n",
        ]
    )


def elements(lines: list[str]) -> Iterator[str]:
    """Yield a text element for each run of words. Each has its own position, so columns are aligned in any font."""
    for number, line in enumerate(lines):
        style: frozenset[str] = frozenset()
        column = 0
        for index, part in enumerate(SGR.split(line)):
            if index % 2:
                style = frozenset() if part in {"", "0"} else style | set(part.split(";"))
                continue
            for chunk in CHUNK.finditer(part):
                place = column + cells(part[: chunk.start()])
                x, y = MARGIN + place * CELL, TITLE + SIZE + number * LINE
                length = cells(chunk.group()) * CELL
                yield (
                    f'<text x="{x:.1f}" y="{y}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs" '
                    f"{paint(style)}>{printable(chunk.group())}</text>"
                )
            column += cells(part)


def paint(style: frozenset[str]) -> str:
    """Return the attributes for SGR parameters; unknown parameters are ignored."""
    color = next((COLORS[each] for each in sorted(style) if each in COLORS), FAINT if "2" in style else INK)
    return f'fill="{color}"' + (' font-weight="bold"' if "1" in style else "")


def cells(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else not unicodedata.combining(each) for each in text)


def printable(text: str) -> str:
    """Return `text` as SVG character data, with U+FFFD for each unprintable character."""
    return escape("".join(each if each.isprintable() else "\ufffd" for each in text))


if __name__ == "__main__":
    sys.stdout.write(picture(sys.stdin.read(), " ".join(sys.argv[1:]) or "envsync"))
