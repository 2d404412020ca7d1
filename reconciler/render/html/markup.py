"""HTML by construction: a string becomes markup only through `element`, which escapes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TypeAlias

from reconciler.render.escape import sanitize
from reconciler.render.manifest_option import with_manifest_option

_VOID = frozenset({"meta", "input"})


@dataclass(frozen=True, slots=True)
class Markup:
    """Trusted HTML: `text` becomes part of the page without escaping."""

    text: str


Child: TypeAlias = "Markup | str | int | Iterable[Child] | None"


def element(tag: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """Return an element; strings are sanitized and escaped, None is left out.

    In an attribute's name, `_` becomes `-` (`aria_label`), and a trailing `_` is dropped (`class_`). True writes just
    the name; None and False leave the attribute out.
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
            return _escaped(with_manifest_option(child))
        case int():
            return str(child)
        case _:
            return "".join(content(each) for each in child)


@lru_cache(maxsize=10_000)  # the same strings repeat in a thousand environments
def _escaped(text: str) -> str:
    return escape(sanitize(text))


def _attribute(key: str, value: str | int | bool | None) -> str:
    name = key.removesuffix("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{_escaped(str(value))}"'
