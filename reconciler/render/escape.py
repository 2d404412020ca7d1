r"""What may reach a terminal or a log: no control character, nothing invisible, no secret, no command to a CI system.

Every string that comes from a manifest, a package, a path or a child's output passes `shown` on its way out; line ends
and colours are put in by the renderers alone.
"""

import re

from reconciler.manifest.urls import blot_out

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Printable by category, but drawn as nothing (Unicode's Default_Ignorable_Code_Point): one name could pose as another.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")
# A line that begins with `::name` is a command to GitHub Actions; `##[` and `##vso[` are, anywhere, to others.
# (At the end of a text, too: what we write behind it would be the name.)
_COMMAND = re.compile(r"(?<!\S):(?=:(?:[^\s:]|\Z))|#(?=#(?:\[|vso\[|teamcity\[))")


def redact(text: str) -> str:
    """Return `text` with the credentials of every URL as `****`: user, password, query values such as `token`."""
    return blot_out(text)


def escape(text: str) -> str:
    r"""Return `text` as one line of visible characters; others as `\n`, `\x1b`, `\u202e`, lone surrogates `\udcff`."""
    if not text.isprintable():
        text = "".join(each if each.isprintable() else _escaped(each) for each in text)
    if not text.isascii():
        text = _UNSEEN.sub(lambda found: _escaped(found.group()), text)
    return _COMMAND.sub(lambda found: _escaped(found.group()), text)


def shown(text: str) -> str:
    """Return `text` redacted, then escaped: what may stand in a line of text."""
    return escape(redact(text))


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
