"""Patterns of gitignore, as far as they are certain: build backends and git agree about them in every version.

Two questions have safe answers: whether a pattern certainly matches a path, and whether it possibly does.
"""

import re
from dataclasses import dataclass

from reconciler.fs.any_between import any_between

_MOST_CHARACTERS = 32 * 1024  # of all patterns of a file
_CLASS = re.compile(r"\[[A-Za-z0-9_]+\]")  # a set of characters without ranges and negation
_PIECES = re.compile(r"\[[^\]]*+\]?|.", re.DOTALL)  # a bracket that is not closed is one piece, for linear time
_LINE_END = re.compile(r"\r\n|\r|\n")
_ALWAYS = re.compile(r".*", re.DOTALL)
# While a pattern is converted, these stand for any text, and for any number of directories.
_STAR, _DIRECTORIES = "\0", "\1"
_GAP = re.compile(f"[{_STAR}{_DIRECTORIES}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRules:
    """The patterns of one ignore file, or of a list in a build file.

    `certain` match only what the patterns match, `uncertain` at least what the others match. `kept` match at least what
    the patterns with `!` match.
    """

    certain: tuple[re.Pattern[str], ...] = ()
    uncertain: tuple[re.Pattern[str], ...] = ()
    kept: tuple[re.Pattern[str], ...] = ()

    def certainly_match(self, path: str) -> bool:
        """Return whether a pattern matches `path` (POSIX, relative to the patterns' directory), and none with `!`."""
        return any(each.fullmatch(path) for each in self.certain) and not self.possibly_keep(path)

    def possibly_match(self, path: str) -> bool:
        """Return whether a pattern may match `path`, without regard to patterns with `!`."""
        return any(each.fullmatch(path) for each in (*self.certain, *self.uncertain))

    def possibly_keep(self, path: str) -> bool:
        """Return whether a pattern with `!` may match `path`."""
        return any(each.fullmatch(path) for each in self.kept)


def parse_ignore_file(content: bytes) -> IgnoreRules:
    """Return the patterns of a `.gitignore`; those of a file that is not UTF-8 ignore nothing."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return IgnoreRules()
    if text.startswith("\ufeff"):  # only git skips this mark
        return IgnoreRules()
    return parse_patterns(_LINE_END.split(text))


def parse_patterns(lines: list[str]) -> IgnoreRules:
    """Return the patterns in `lines`."""
    patterns = [each for each in lines if each.strip() and not each.startswith("#")]
    if sum(map(len, patterns)) > _MOST_CHARACTERS:  # compiling them would take seconds: any of them may match
        return IgnoreRules(uncertain=(_ALWAYS,), kept=(_ALWAYS,))
    ignoring = {each: _certain(each) for each in patterns if not each.startswith("!")}
    return IgnoreRules(
        certain=tuple(each for each in ignoring.values() if each is not None),
        uncertain=tuple(_possible(text) for text, each in ignoring.items() if each is None),
        kept=tuple(_possible(each.removeprefix("!")) for each in patterns if each.startswith("!")),
    )


def _certain(pattern: str) -> re.Pattern[str] | None:
    """Return an expression for what a pattern matches; None if git and pathspec, or their versions, may differ."""
    text = pattern.rstrip(" ")
    anchored = text.startswith("/")
    segments = text.removeprefix("/").split("/")
    anchored = anchored or len(segments) > 2 or (len(segments) == 2 and bool(segments[-1]))
    below = "(?:/.+)?"
    match segments:
        case [_, *_, "" | "**"]:  # only directories
            below = "/.+"
            segments.pop()
    match segments:
        case ["**", _, *_]:
            anchored = False
            segments.pop(0)
    parts = []
    for each in segments:
        part = _certain_segment(each)
        if part is None:
            return None
        parts.append(part)
    if text != text.strip():
        return None
    return re.compile(f"{'' if anchored else '(?:.+/)?'}{'/'.join(parts)}{below}", re.DOTALL)


def _certain_segment(segment: str) -> str | None:
    if not segment or "**" in segment or "\\" in segment:
        return None
    found = [""]  # the parts between `*`
    for piece in _PIECES.findall(segment):
        match piece:
            case "*":
                found.append("")
            case "?":
                found[-1] += "[^/]"
            case _ if _CLASS.fullmatch(piece):
                found[-1] += piece
            case _ if "[" in piece or "]" in piece:
                return None
            case _:
                found[-1] += re.escape(piece)
    return any_between("[^/]", found)


def _possible(pattern: str) -> re.Pattern[str]:
    """Return an expression for at least what a pattern matches: anywhere, and with everything below it."""
    text = pattern.strip().strip("/")
    if "\\" in text or _GAP.search(text):
        return _ALWAYS
    found = []
    for piece in _PIECES.findall(text):
        match piece:
            case "*":
                found.append(_STAR)
            case "?":
                found.append(".")
            case "[]" | "[!]" | "[^]":  # no set, or one with a bracket in it
                return _ALWAYS
            case _ if piece.startswith("["):
                if "[" in piece[1:] or not piece.endswith("]"):
                    return _ALWAYS
                found.append(".")
            case _:
                found.append(re.escape(piece))
    slash = re.escape("/")
    body = "".join(found).replace(f"{slash}{_STAR}{_STAR}{slash}", f"/{_DIRECTORIES}")
    body = _DIRECTORIES + body.removeprefix(f"{_STAR}{_STAR}{slash}")
    gaps, parts = _GAP.findall(body), _GAP.split(body)[1:]
    # Each part matches texts of one length, so it can be found from left to right (see `any_between`).
    expressions = {_STAR: ".*?", _DIRECTORIES: "(?:.*?/)??"}
    every = [f"{expressions[gap]}{part}" for gap, part in zip(gaps, parts, strict=True)]
    found_first = "".join(f"(?>{each})" for each in every[:-1])
    return re.compile(f"{found_first}{every[-1]}(?:/.*)?", re.DOTALL | re.IGNORECASE)
