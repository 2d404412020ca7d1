"""Colour on a terminal: SGR sequences (ECMA-48), or nothing; what they say is always in the words as well."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """How a word is painted; the value is the SGR parameter."""

    GOOD = "32"
    CHANGED = "33"
    BAD = "31"
    REPLACED = "35"
    NOTED = "36"
    REFUSED = "1;31"
    STRONG = "1"
    FAINT = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Paints words, or leaves them plain."""

    color: bool

    @classmethod
    def plain(cls) -> "Palette":
        """Return the palette without colour."""
        return cls(color=False)

    @classmethod
    def chosen(cls, *, color: bool) -> "Palette":
        """Return the palette with colour or without."""
        return cls(color=color)

    def paint(self, text: str, style: Style | None) -> str:
        """Return `text`, already escaped, in a style."""
        return f"\x1b[{style.value}m{text}\x1b[0m" if self.color and style and text else text


def want_color(mode: str, stream_is_tty: bool, environ: Mapping[str, str]) -> bool:
    """Say whether to colour; `mode` is `auto`, `always` or `never`.

    By itself on a terminal only, and not on one that is dumb or a CI log. NO_COLOR (no-color.org) wins over FORCE_COLOR
    (force-color.org), as in CPython; both count when they are not empty, FORCE_COLOR also when it is not 0.
    """
    if mode != "auto":
        return mode == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    in_ci = environ.get("CI", "").lower() not in {"", "0", "false"}
    return stream_is_tty and not in_ci and environ.get("TERM") != "dumb"
