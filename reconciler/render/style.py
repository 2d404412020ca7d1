"""Color on a terminal: SGR sequences (ECMA-48), or none; the words alone always carry the full meaning."""

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
        """Return the palette without color."""
        return cls(color=False)

    @classmethod
    def chosen(cls, *, color: bool) -> "Palette":
        """Return the palette with or without color."""
        return cls(color=color)

    def paint(self, text: str, style: Style | None) -> str:
        """Return `text`, which must be sanitized, in a style."""
        return f"\x1b[{style.value}m{text}\x1b[0m" if self.color and style and text else text
