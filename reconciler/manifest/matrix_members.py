"""The members of a matrix: one environment for each combination of the values of its axes.

The same code works on the models and on plain values that may be invalid: both are trees of PlacedValue
(`reconciler.manifest.inheritance`).
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from packaging.version import InvalidVersion, Version

from reconciler.manifest.inheritance import InheritedEntry, PlacedValue
from reconciler.manifest.placeholders import replace_in_requirement, replace_placeholders
from reconciler.manifest.requirement import normalize_requirement
from reconciler.manifest.source_text import KeyPath

MAX_COMBINATIONS = 256
SETTINGS = frozenset({"exclude", "if_available"})  # the keys of a matrix that are not axes


@dataclass(frozen=True, slots=True)
class AxisValue:
    """One value of an axis: its text, its part of an environment's name, and the key path where it is written.

    A variant has no `path` here: its keys may be written in several templates.
    """

    text: str
    part: str
    path: KeyPath = ()


@dataclass(frozen=True, slots=True)
class Member:
    """One combination: the name of its environment, and its value of each axis in the order of the name."""

    name: str
    values: Mapping[str, AxisValue]

    @property
    def texts(self) -> dict[str, str]:
        """Return the text of each value by axis, which replaces `{AXIS}`."""
        return {axis: value.text for axis, value in self.values.items()}


def axes_of(matrix: Mapping[str, object]) -> dict[str, tuple[AxisValue, ...]]:
    """Return the axes of a merged matrix: `python`, then lists of values, then variants, each kind sorted by name.

    The order does not depend on the order of the keys, and neither do the names of environments. Values are sorted by
    version; those that are not texts are left out.
    """
    lists = {axis: each for axis, each in matrix.items() if axis not in SETTINGS and isinstance(each, tuple)}
    variants = {axis: each for axis, each in matrix.items() if axis not in SETTINGS and isinstance(each, Mapping)}
    found = {axis: _listed(axis, lists[axis]) for axis in sorted(lists, key=lambda each: (each != "python", each))}
    return found | {axis: tuple(AxisValue(each, each) for each in sorted(variants[axis])) for axis in sorted(variants)}


def _listed(axis: str, values: tuple[PlacedValue, ...]) -> tuple[AxisValue, ...]:
    texts = [(each.value.strip(), each.path) for each in values if isinstance(each.value, str)]
    found = [AxisValue(text, _list_part(axis, text), path) for text, path in texts]
    return tuple(sorted(found, key=lambda each: version_order(each.text)))


def _list_part(axis: str, text: str) -> str:
    prefix = "py" if axis == "python" else axis
    return prefix + re.sub(r"[._+-]", "", text.lower())


def version_order(text: str) -> tuple[bool, Version | tuple[tuple[int, str], ...]]:
    """Return the sort key of a value: versions first and by version (3.9 before 3.10), other texts by their parts."""
    try:
        return (False, Version(text))
    except InvalidVersion:
        parts = re.findall(r"\d+|\D+", text)
        return (True, tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts))


def combinations(axes: Mapping[str, tuple[AxisValue, ...]]) -> int:
    """Return how many combinations the axes have, before `exclude`."""
    return math.prod(map(len, axes.values()))


def members_of(entry: str, matrix: Mapping[str, object]) -> list[Member]:
    """Return the members of an entry's merged matrix; none if it has no axis, or more than `MAX_COMBINATIONS`."""
    axes = axes_of(matrix)
    if not axes or combinations(axes) > MAX_COMBINATIONS:
        return []
    excluded = list(exclusions(matrix))
    made = []
    for chosen in product(*axes.values()):
        values = dict(zip(axes, chosen, strict=True))
        texts = {axis: value.text for axis, value in values.items()}
        if not any(each.items() <= texts.items() for each, _ in excluded):
            made.append(Member("-".join((entry, *(value.part for value in chosen))), values))
    return made


def exclusions(matrix: Mapping[str, object]) -> Iterator[tuple[dict[str, str], KeyPath]]:
    """Yield the entries of `exclude` that are neither empty nor invalid, with their key paths."""
    entries = matrix.get("exclude")
    for each in entries if isinstance(entries, tuple) else ():
        values = each.value if isinstance(each.value, Mapping) else {}
        if values and all(isinstance(value, str) for value in values.values()):
            yield {axis: value.strip() for axis, value in values.items()}, each.path


def variant_keys(matrix: Mapping[str, object], member: Member) -> list[Mapping[str, Any]]:
    """Return the keys of the member's variants, in the order of its axes."""
    found = []
    for axis, value in member.values.items():
        variants = matrix[axis]
        if isinstance(variants, Mapping) and isinstance(keys := variants[value.text], Mapping):
            found.append(keys)
    return found


def member_entry(entry: InheritedEntry, member: Member) -> InheritedEntry:
    """Return the keys of one member: those of the entry and its variants, with every placeholder replaced.

    Raises InvalidTextError for a text that `reconciler.manifest.matrix_checks` reports.
    """
    merged = entry.merged(*variant_keys(entry.tree("matrix"), member))
    texts = member.texts
    changed: dict[str, object] = {}
    if packages := merged.placed_values("packages"):
        changed["packages"] = tuple(PlacedValue(member_requirement(each.value, texts), each.path) for each in packages)
    if description := merged.value("description"):
        changed["description"] = PlacedValue(replace_placeholders(description, texts), merged.path_of("description"))
    for key in ("env", "labels"):
        if values := merged.tree(key):
            changed[key] = {
                name: PlacedValue(replace_placeholders(each.value, texts), each.path)
                if isinstance(each, PlacedValue)
                else each  # the names that `public` lists
                for name, each in values.items()
            }
    return merged.changed(**changed)


def member_requirement(text: str, texts: Mapping[str, str]) -> str:
    """Return a requirement of a member, with placeholders replaced and normalized; raises InvalidTextError."""
    replaced = replace_in_requirement(text, texts)
    return text if replaced == text else normalize_requirement(replaced)
