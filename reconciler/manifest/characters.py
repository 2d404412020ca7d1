"""Characters that have no place in a text that people read."""

import re
from collections.abc import Iterator, Sequence

# What YAML 1.1 calls printable (PyYAML's NON_PRINTABLE), less DEL and the line breaks that no editor counts.
_UNPRINTABLE = re.compile("[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_MOST_LINES = 10  # of a file that is no text at all


def control_character(text: str) -> str:
    """Return the first control character of `text`, escaped, or empty; tabs and line ends are none."""
    found = _CONTROL.search(text)
    return escaped(found.group()) if found else ""


def escaped(character: str) -> str:
    r"""Return a character as `\x1b`, `\u2028` or `\U000e0001`."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unprintable(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield line, column (from 1) and the escaped character for the first lines that hold an unprintable one."""
    found = 0
    for number, line in enumerate(lines, 1):
        if bad := _UNPRINTABLE.search(line):
            yield number, bad.start() + 1, escaped(bad.group())
            found += 1
            if found == _MOST_LINES:
                return
