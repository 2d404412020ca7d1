"""Hints for text that is not valid YAML: the part to quote, the missing bracket, space or indentation."""

import re
from collections.abc import Sequence

from reconciler.backticks import in_backticks
from reconciler.manifest.flow_text import flow
from reconciler.manifest.hints import suggest

# A requirement that YAML cannot read without quotes inside of brackets: with extras, or with a placeholder.
_BRACKETS_INSIDE = re.compile(
    r"""(?<![\w"'-])[A-Za-z0-9][\w.-]*(?:\[[\w\s,.-]+\]|[<>=!~ ]*\{[\w-]+\}[\w.*]*)"""
    r"(?:\s*[<>=!~]=?=?\s*(?:[\w.*+!]|\{[\w-]+\})+(?:\s*,\s*[<>=!~]=?=?\s*[\w.*+!]+)*)?"
)
_KEY = re.compile(r"(?P<indent>\s*(?:- )*)(?P<key>[A-Za-z_][\w-]*):(?P<space>\s+)(?P<value>.+)")
_KEY_WITHOUT_SPACE = re.compile(r"\s*(?:- )*[A-Za-z_][\w-]*:[^\s/]")
_WITHOUT_SPACE = re.compile(r"\s*(?P<key>[a-z_]+):(?P<value>[\"'\[{\w>=~<.].*)")
_LONGEST = 1000  # characters of a line; a longer one gets no hint, because some expressions take quadratic time


def syntax_hint(
    problem: str, lines: Sequence[str], line: int, column: int, opened: int | None, *, masked: Sequence[int]
) -> str:
    """Return the hint for a syntax error of libyaml at a line and column (from 0), or an empty string.

    `opened` is the line on which the list, mapping or quoted text that contains the error starts, if that is known.
    `masked` are the numbers of lines (from 0) that may contain secrets: no text of them is in the hint.
    """
    text = lines[line] if line < len(lines) else ""
    if any(len(lines[each]) > _LONGEST for each in (line - 1, line, opened or 0) if 0 <= each < len(lines)):
        return ""
    at = text[column : column + 1]
    if "\t" in (at, text[:column].strip(" ")[-1:]) or text[: len(text) - len(text.lstrip())].count("\t"):
        return "indent with spaces, not with tabs"
    if line in masked or opened in masked:
        return _hint_without_text(problem, lines, line, opened, masked)
    if at and at in "@`%" and "cannot start any token" in problem:
        return f"quote the value that starts with {in_backticks(at)}"
    if found := _brackets_to_quote(text, column):
        return f'quote it: `"{found}"`'
    if "alphabetic or numeric" in problem and (pattern := re.search(r"[*&][^\s,\]}]*$", text[:column])):
        rest = re.sub(r"[\s,}\]].*", "", text[column:])
        found = pattern[0] + rest
        return f'quote it: `"{found}"`'
    if "sequence entries are not allowed" in problem and (key := _KEY.fullmatch(text.rstrip())):
        items = tuple(each.strip() for each in key["value"].removeprefix("- ").split(" - "))
        return suggest(f"{key['key']}: {flow(items)}")
    if "escape character" in problem or "decimal number" in problem:
        return _backslashes(text, column)
    if opened is not None and opened < len(lines) and (closed := _closed(lines[opened])):
        return f"close it on line {opened + 1}: `{closed}`"
    if spaced := with_space_after_colon(text):
        return suggest(spaced)
    if (
        "expected ':'" in problem
        and line
        and line - 1 not in masked
        and (spaced := with_space_after_colon(lines[line - 1]))
    ):
        return f"write `{spaced}` on line {line}"
    if any(each in problem for each in ("expected key", "expected <document start>", "mapping values are not allowed")):
        return _indentation(lines, line) or _value_to_quote(text)
    return _value_to_quote(text)


def _hint_without_text(problem: str, lines: Sequence[str], line: int, opened: int | None, masked: Sequence[int]) -> str:
    """Return the hint for an error in, or next to, text that may be a secret."""
    if opened is not None and opened < len(lines) and (closed := _closed(lines[opened])):
        shown = f": `{closed}`" if opened not in masked else ", where brackets or quotes are open"
        return f"close it on line {opened + 1}{shown}"
    for each in (line, line - 1):  # libyaml may report it one line later
        if each >= 0 and _KEY_WITHOUT_SPACE.match(lines[each]):
            return f"write a space after the colon on line {each + 1}"
    if "did not find expected key" in problem and (indentation := _indentation(lines, line)):
        return indentation
    return "put the value in quotes"


def with_space_after_colon(text: str) -> str | None:
    """Return a line such as `python:"3.12"` with the missing space, without indentation; None for any other line."""
    without = _WITHOUT_SPACE.fullmatch(text.rstrip())
    return without.expand(r"\g<key>: \g<value>") if without and not without["value"].startswith("//") else None


def _brackets_to_quote(text: str, column: int) -> str:
    """Return the requirement around a column that must be quoted, or an empty string."""
    if "[" not in text and "{" not in text:
        return ""
    for match in _BRACKETS_INSIDE.finditer(text):
        quoted = text[: match.start()].count('"') % 2 or text[: match.start()].count("'") % 2
        if match.start() <= column <= match.end() + 1 and not quoted and ":" not in match[0]:
            return match[0].strip()
    return ""


def _backslashes(text: str, column: int) -> str:
    """Return the hint to write a path in double quotes with `/`."""
    start = text.rfind('"', 0, column)
    end = text.find('"', column)
    if start < 0 or end < 0:
        return "write `/` instead of `\\`, or use single quotes"
    return suggest(flow(text[start + 1 : end].replace("\\", "/")))


def _closed(text: str) -> str:
    """Return what a line has after its indentation with the missing brackets or quote at its end; empty if none is."""
    bare = re.sub(r"(?<!\s)\s+#.*$", "", text).strip()
    missing = []
    quote = ""
    for character in bare:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[{":
            missing.append("]" if character == "[" else "}")
        elif missing and character == missing[-1]:
            missing.pop()
    return bare + quote + "".join(reversed(missing)) if quote or missing else ""


def _indentation(lines: Sequence[str], line: int) -> str:
    """Return the hint to indent a line like the closest line before it, or empty if it is like one of them.

    The first line below a key may be indented further.
    """
    indent = _indent(lines[line])
    known: dict[int, int] = {}
    for number in range(line - 1, -1, -1):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            known.setdefault(_indent(lines[number]), number)
    if not known or indent in known or not re.match(r"\s*(- )?[\w\"'].*:|\s*- ", lines[line]):
        return ""
    above = next(iter(known))
    if indent > above and re.search(r":\s*(?:#.*)?$", lines[known[above]]):
        return ""
    closest = min(known, key=lambda each: (abs(each - indent), -known[each]))
    return f"indent it by {closest} spaces, like line {known[closest] + 1}"


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _value_to_quote(text: str) -> str:
    """Return the hint to quote the value of a key in a line, or an empty string."""
    key = _KEY.fullmatch(re.sub(r"(?<!\s)\s+#.*$", "", text.rstrip()))
    value = key["value"] if key else re.sub(r"^\s*- ", "", text).strip() if re.match(r"\s*- \S", text) else ""
    if not value or value[0] in "\"'[{|":
        return ""
    return f'quote it: `"{value}"`' if '"' not in value and "\\" not in value else ""
