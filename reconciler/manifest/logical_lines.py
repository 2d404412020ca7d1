"""The logical lines of a requirements file: continuation lines joined and comments removed, as pip does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.errors import Place

_COMMENT = re.compile(r"(?:^|(?<!\s)\s+)#.*", re.DOTALL)  # from the first of several spaces only: linear time


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalLine:
    """One logical line, stripped; `starts` are (offset in `text`, line, column) of each physical line in it."""

    text: str
    starts: tuple[tuple[int, int, int], ...]

    def place(self, file: str, offset: int | None = None, width: int = 1) -> Place:
        """Return the place of `width` characters at `offset`, or of the first physical line."""
        if offset is None:
            offset, width = 0, len(self.text)
        at = next(each for each in reversed(self.starts) if each[0] <= offset or each is self.starts[0])
        following = [start for start, _, _ in self.starts if start > offset]
        end = min([offset + width, len(self.text), *following])
        return Place(file=file, line=at[1], column=max(1, at[2] + offset - at[0]), width=max(1, end - offset))


def logical_lines(lines: Sequence[str]) -> Iterator[LogicalLine]:
    """Yield the lines that are not empty, as left by pip's `join_lines` and `ignore_comments`."""
    pieces: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if line.endswith("\\") and not _COMMENT.match(line):
            pieces.append((number, line.rstrip("\\")))
            continue
        # A comment ends a continued line. The space makes `_COMMENT` match it after joining.
        pieces.append((number, f" {line}" if pieces and _COMMENT.match(line) else line))
        yield from _joined(pieces)
        pieces = []
    yield from _joined(pieces)


def _joined(pieces: Sequence[tuple[int, str]]) -> Iterator[LogicalLine]:
    bare = _COMMENT.sub("", "".join(text for _, text in pieces))
    text = bare.strip()
    if not text:
        return
    lead = len(bare) - len(bare.lstrip())
    starts: list[tuple[int, int, int]] = []
    offset = -lead
    for number, piece in pieces:
        if offset < len(text):
            starts.append((offset, number, 1))
        offset += len(piece)
    yield LogicalLine(text=text, starts=tuple(starts))
