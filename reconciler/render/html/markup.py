"""Markup by construction: a string becomes markup only through `element`, and is escaped there."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TypeAlias

from reconciler.render.escape import shown

_VOID = frozenset({"meta", "input"})


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that was made here: `text` stands in the page as it is."""

    text: str


Child: TypeAlias = "Markup | str | int | Iterable[Child] | None"


def element(tag: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """Return an element; strings are redacted and escaped, None is left out.

    An attribute's `_` becomes `-` (`aria_label`), a last one is dropped (`class_`); True stands alone, None and False
    are left out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    end = "" if tag in _VOID else f"</{tag}>"
    return Markup(f"<{tag}{written}>{content(children)}{end}")


def content(child: Child) -> str:
    """Return the HTML of an element's content."""
    match child:
        case None:
            return ""
        case Markup(text):
            return text
        case str():
            return _escaped(child)
        case int():
            return str(child)
        case _:
            return "".join(content(each) for each in child)


@lru_cache(maxsize=10_000)  # a thousand environments say much the same
def _escaped(text: str) -> str:
    return escape(shown(text))


def _attribute(key: str, value: str | int | bool | None) -> str:
    name = key.removesuffix("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{_escaped(str(value))}"'
