"""Untrusted text in Markdown: every renderer shows exactly that text, without markup, links or mentions.

Backslashes and entities do not prevent mentions (`@name`) and issue links (`#12`), because code hosts add those to the
rendered page. They leave code alone, so everything but plain words becomes a code span.
"""

import re
from collections.abc import Iterable

from reconciler.render.escape import sanitize

MAX_CODE_LENGTH = 300  # characters of a name, a path, a line
MAX_PROSE_LENGTH = 1000  # characters of a sentence
_MAX_RUN = 60  # backticks; GitHub's parser fails to end a code span at 80
_RUN = re.compile("`+")
_PIECE = re.compile(r"(?P<open>\(?)`(?P<quoted>[^`]+)`(?P<close>[),.;:]*)(?![^ ])|[^ ]+")
_WRAPPED = re.compile(r"(?P<open>\(?)(?P<core>.*?)(?P<close>[),.;:]*)")
_PLAIN = re.compile(
    r"[A-Za-z0-9]+(?:['-][A-Za-z0-9]+)*"
    r"|[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.post|\.dev)[0-9]+)*"  # most versions
    r"|[0-9]{2}:[0-9]{2}(?:[+-][0-9]{2}:[0-9]{2})?"  # a time; no emoji is called `:12+00:`
    r"|->"
)
# Plain words that code hosts turn into links: an issue of another tracker (`ABC-12`, `GH-12`), a commit.
_REFERENCE = re.compile(r"[A-Za-z]+-[0-9]|\b(?=[0-9]*[a-f])[0-9a-f]{7,}\b")
_LIST_NUMBER = re.compile(r"[0-9]+[.)]")  # would start a list at the start of a line


def code(text: str, *, cell: bool = False) -> str:
    """Return `text` as a code span, empty if `text` is; `cell` also escapes it for the cell of a table."""
    return _span(_limited(sanitize(text), MAX_CODE_LENGTH), cell=cell)


def prose(text: str, *, cell: bool = False) -> str:
    """Return a sentence in which all but plain words are code spans; text in backticks becomes one code span."""
    pieces = _PIECE.finditer(_limited(sanitize(text), MAX_PROSE_LENGTH))
    return " ".join(_piece(each, cell=cell) for each in pieces)


def code_block(lines: Iterable[str]) -> list[str]:
    """Return lines, which must be sanitized, as the lines of a fenced code block."""
    kept = [_short_runs(_limited(each, MAX_CODE_LENGTH)) for each in lines]
    fence = "`" * max([3, *(_longest_run(each) + 1 for each in kept)])
    return [f"{fence}text", *kept, fence]


def _piece(found: re.Match[str], *, cell: bool) -> str:
    if found["quoted"] is not None:
        return f"{found['open']}{_span(found['quoted'], cell=cell)}{found['close']}"
    word = found.group()
    parts = _WRAPPED.fullmatch(word)
    if parts is None or not parts["core"] or _LIST_NUMBER.fullmatch(word):
        return _span(word, cell=cell)
    core = parts["core"]
    if _PLAIN.fullmatch(core) and not _REFERENCE.search(core):
        return word
    return f"{parts['open']}{_span(core, cell=cell)}{parts['close']}"


def _span(text: str, *, cell: bool) -> str:
    if not text:
        return ""
    text = _short_runs(text)
    fence = "`" * (_longest_run(text) + 1)
    # Renderers remove one space at each end if both ends have one and there is something between them.
    stripped = text[0] == text[-1] == " " and bool(text.strip(" "))
    pad = " " if stripped or "`" in (text[0], text[-1]) else ""
    # The row of a table is split at pipes before anything else is parsed.
    content = text.replace("|", "\\|") if cell else text
    return f"{fence}{pad}{content}{pad}{fence}"


def _short_runs(text: str) -> str:
    return text if _longest_run(text) <= _MAX_RUN else text.replace("`", "\\x60")


def _longest_run(text: str) -> int:
    return max((len(each) for each in _RUN.findall(text)), default=0)


def _limited(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
