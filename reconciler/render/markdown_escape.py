"""Foreign text in Markdown: shown as exactly that text, whoever renders it; no markup, no link, nobody called.

A backslash or an entity keeps no `@name` from being called and no `#12` from being linked: that is done to the
rendered page. Only code is left alone there, so all that is no plain word becomes a code span.
"""

import re
from collections.abc import Iterable

from reconciler.render.escape import shown

LONGEST = 300  # characters of a name, a path, a line
LONGEST_PROSE = 1000  # characters of a sentence
_LONGEST_RUN = 60  # backticks; GitHub's parser gives up a code span at 80
_RUN = re.compile("`+")
_PIECE = re.compile(r"(?P<open>\(?)`(?P<quoted>[^`]+)`(?P<close>[),.;:]*)(?![^ ])|[^ ]+")
_WRAPPED = re.compile(r"(?P<open>\(?)(?P<core>.*?)(?P<close>[),.;:]*)")
_PLAIN = re.compile(
    r"[A-Za-z0-9]+(?:['-][A-Za-z0-9]+)*"
    r"|[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.post|\.dev)[0-9]+)*"  # most versions
    r"|->"
)
# Made links of, though plain: another tracker's issue (`ABC-12`, `GH-12`), a commit.
_REFERENCE = re.compile(r"[A-Za-z]+-[0-9]|\b(?=[0-9]*[a-f])[0-9a-f]{7,}\b")
_NUMBERED = re.compile(r"[0-9]+[.)]")  # at the start of a line, an item of a list


def code(text: str, *, cell: bool = False) -> str:
    """Return `text` as a code span (empty for none), for a table's `cell` or for anywhere else in a line."""
    return _span(_limited(shown(text), LONGEST), cell=cell)


def prose(text: str, *, cell: bool = False) -> str:
    """Return a sentence with its plain words plain, all others as code spans; what stands in backticks is one."""
    pieces = _PIECE.finditer(_limited(shown(text), LONGEST_PROSE))
    return " ".join(_piece(each, cell=cell) for each in pieces)


def code_block(lines: Iterable[str]) -> list[str]:
    """Return lines, fit to be shown, as the lines of a fenced code block."""
    kept = [_short_runs(_limited(each, LONGEST)) for each in lines]
    fence = "`" * max([3, *(_longest_run(each) + 1 for each in kept)])
    return [f"{fence}text", *kept, fence]


def _piece(found: re.Match[str], *, cell: bool) -> str:
    if found["quoted"] is not None:
        return f"{found['open']}{_span(found['quoted'], cell=cell)}{found['close']}"
    word = found.group()
    parts = _WRAPPED.fullmatch(word)
    if parts is None or not parts["core"] or _NUMBERED.fullmatch(word):
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
    # One space at each end is taken off where there are two and something between them.
    stripped = text[0] == text[-1] == " " and bool(text.strip(" "))
    pad = " " if stripped or "`" in (text[0], text[-1]) else ""
    content = text.replace("|", "\\|") if cell else text  # a table's row is cut at pipes before anything else
    return f"{fence}{pad}{content}{pad}{fence}"


def _short_runs(text: str) -> str:
    return text if _longest_run(text) <= _LONGEST_RUN else text.replace("`", "\\x60")


def _longest_run(text: str) -> int:
    return max((len(each) for each in _RUN.findall(text)), default=0)


def _limited(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
