"""Refuses TOML with dotted keys of many parts, before it is parsed: `tomllib` and `tomli` need quadratic time for them.

A key of 300,000 parts fits into a file of 1 MiB, and would take hours.
"""

import re

MOST_PARTS = 100
# A string without an end is matched too, so that no character is looked at twice; it is then kept as it is.
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*+(?P<end>\"?)|'[^']*+(?P<literal_end>'?)", re.DOTALL)


def refuse_deep_keys(text: str) -> None:
    """Raise ValueError, with the line, if a line of a TOML text may have a dotted key of more than 100 parts.

    A text of so many words with dots and nothing else between them is refused too, if it is not quoted on its own line.
    """
    if text.count(".") <= MOST_PARTS:
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MOST_PARTS and _parts(line) > MOST_PARTS:
            raise ValueError(f"a key has more than {MOST_PARTS} parts (at line {number})")


def _parts(line: str) -> int:
    """Return the largest number of consecutive words of a line that only dots separate."""
    most = 0
    for piece in re.split(r"[^\w\s.-]+", without_strings(line)):
        parts = 1
        for word in piece.split("."):
            parts = parts + 1 if len(word.split()) == 1 else 1
            most = max(most, parts)
    return most


def without_strings(line: str) -> str:
    """Return a line of a TOML text with `q` in the place of each string that ends on it."""
    return _QUOTED.sub(_short, line)


def _short(quoted: re.Match[str]) -> str:
    return "q" if quoted["end"] or quoted["literal_end"] else quoted[0]
