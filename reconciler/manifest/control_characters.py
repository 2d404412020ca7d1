"""Finds control characters and other characters that must not appear in text that people read."""

import re
from collections.abc import Iterator, Sequence

# YAML 1.1 defines what is printable (PyYAML's NON_PRINTABLE). DEL and the line breaks that editors do not count are
# not allowed either.
_UNPRINTABLE = re.compile("[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_MAX_LINES = 10  # reported of a file that is not text


def control_character(text: str) -> str:
    """Return the first control character of `text`, escaped, or an empty string; tabs and line ends are allowed."""
    found = _CONTROL.search(text)
    return escape_character(found.group()) if found else ""


def escape_character(character: str) -> str:
    r"""Return a character as `\x1b`, `\u2028` or `\U000e0001`."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unprintable_characters(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield line, column (from 1) and the escaped character for the first lines that contain an unprintable one."""
    found = 0
    for number, line in enumerate(lines, 1):
        if bad := _UNPRINTABLE.search(line):
            yield number, bad.start() + 1, escape_character(bad.group())
            found += 1
            if found == _MAX_LINES:
                return
