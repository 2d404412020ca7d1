"""Chooses extras and groups in the markers of a lock, so that what is left depends only on the interpreter.

PEP 751 writes `"web" in extras` and `"dev" in dependency_groups`, Poetry and PDM write `extra == "web"`.
"""

from collections.abc import Collection
from typing import Any

from packaging.markers import Marker
from packaging.utils import canonicalize_name


def chosen_marker(text: str, *, extras: Collection[str], groups: Collection[str]) -> str | bool:
    """Return the marker that is left, or whether it is always true; raises InvalidMarker.

    `extras` and `groups` are normalized names.
    """
    return _chosen(Marker(text)._markers, frozenset(extras), frozenset(groups))  # no public way to its parts


def any_of(markers: Collection[str | bool]) -> str | bool:
    """Return the marker that is true if one of several is."""
    if any(each is True for each in markers):
        return True
    texts = list(dict.fromkeys(each for each in markers if isinstance(each, str)))
    if len(texts) < 2:
        return texts[0] if texts else False
    return " or ".join(f"({each})" for each in texts)


def _all_of(markers: Collection[str | bool]) -> str | bool:
    if any(each is False for each in markers):
        return False
    texts = list(dict.fromkeys(each for each in markers if isinstance(each, str)))
    if len(texts) < 2:
        return texts[0] if texts else True
    return " and ".join(f"({each})" if " or " in each else each for each in texts)


def _chosen(part: Any, extras: frozenset[str], groups: frozenset[str]) -> str | bool:
    """Return what is left of a part of a parsed marker: a comparison, or a list of them joined by `and` and `or`."""
    if isinstance(part, tuple):
        return _comparison(part, extras, groups)
    alternatives: list[list[str | bool]] = [[]]
    for each in part:
        if each == "or":
            alternatives.append([])
        elif each != "and":
            alternatives[-1].append(_chosen(each, extras, groups))
    return any_of([_all_of(each) for each in alternatives])


def _comparison(part: tuple[Any, Any, Any], extras: frozenset[str], groups: frozenset[str]) -> str | bool:
    left, operator, right = part
    for variable, value in ((left, right), (right, left)):
        if type(variable).__name__ == "Variable" and type(value).__name__ == "Value":  # private classes of packaging
            known = {"extra": extras, "extras": extras, "dependency_groups": groups}.get(variable.value)
            if known is not None:
                is_chosen = canonicalize_name(value.value) in known
                return is_chosen is (operator.value in {"==", "in"})
    return f"{left.serialize()} {operator.serialize()} {right.serialize()}"
