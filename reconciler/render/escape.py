r"""Makes text safe to print: no control characters, nothing invisible, no secrets, no commands to a CI system.

Every string from a manifest, a package, a path or a child process passes `sanitize` before it is printed. Only the
renderers add line ends and colors.
"""

import re

from reconciler.redaction import redact
from reconciler.render.manifest_option import with_manifest_option

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Printable by category, but invisible (Unicode's Default_Ignorable_Code_Point): one name could look like another.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")
# GitHub Actions takes a line that begins with `::name` as a command; other systems take `##[` and `##vso[` anywhere.
# `::` at the end of a text counts too, because the text that we append would become the name.
_COMMAND = re.compile(r"(?<!\S):(?=:(?:[^\s:]|\Z))|#(?=#(?:\[|vso\[|teamcity\[))")


def escape(text: str) -> str:
    r"""Return `text` as one line of visible characters; all others become `\n`, `\x1b`, `\u202e` or `\udcff`."""
    if not text.isprintable():
        text = "".join(each if each.isprintable() else _escaped(each) for each in text)
    if not text.isascii():
        text = _UNSEEN.sub(lambda found: _escaped(found.group()), text)
    return _COMMAND.sub(lambda found: _escaped(found.group()), text)


def sanitize(text: str) -> str:
    """Return `text` redacted, then escaped: one line that is safe to print.

    Commands in backticks get the manifest of the command line (`with_manifest_option`).
    """
    return escape(redact(with_manifest_option(text)))


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
