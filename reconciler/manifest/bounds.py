"""How much a manifest may contain, so that it is read or refused in about a second (docs/design.md, "What is trusted").

Its size alone does not say that: a template of 10 KB that 20,000 environments extend is 200 MB of settings.
"""

from collections.abc import Iterable, Mapping
from math import prod
from typing import TYPE_CHECKING

from reconciler.errors import Place, Problem
from reconciler.manifest.inheritance import template_order
from reconciler.manifest.matrix_members import MAX_COMBINATIONS, SETTINGS
from reconciler.manifest.source_text import SourceText

if TYPE_CHECKING:
    from reconciler.manifest.yaml_document import Value

MOST_ENVIRONMENTS = 4_000  # with those of matrices
MOST_INHERITED = 100_000  # values of all environments, those of templates once for each environment
MOST_CHARACTERS = 32 * 1024 * 1024  # of the same
MOST_REQUIREMENTS = 100_000  # in the files of all environments

_DIVIDE = "divide the manifest into several"


def oversize_problem(value: Mapping[str, "Value"], source: SourceText) -> Problem | None:
    """Return the problem of the first environment with which a manifest, as plain values, has too much; else None."""
    templates, environments = _entries(value, "templates"), _entries(value, "environments")
    extended = {name: _names(entry) for name, entry in templates.items()}
    sizes = {name: _size(entry) for name, entry in templates.items()}
    members = values = characters = 0
    for name, entry in environments.items():
        order = template_order(_names(entry), extended)
        parts = [*(sizes[each] for each in order), _size(entry)]
        made = _combinations([*(templates[each] for each in order), entry])
        members += made
        values += made * sum(count for count, _ in parts)
        characters += made * sum(length for _, length in parts)
        message = (
            f"more than {MOST_ENVIRONMENTS:,} environments"
            if members > MOST_ENVIRONMENTS
            else f"more than {MOST_INHERITED:,} values in all environments, with those of templates"
            if values > MOST_INHERITED
            else "more than 32 MiB of text in all environments, with that of templates"
            if characters > MOST_CHARACTERS
            else ""
        )
        if message:
            path = ("environments", name)
            return source.problem(message, path, hint=_DIVIDE, place=source.key_place(path))
    return None


def too_many_requirements(place: Place) -> Problem:
    """Return the problem of an environment whose files have more requirements than all may have together."""
    message = f"more than {MOST_REQUIREMENTS:,} requirements in the files of all environments"
    return Problem(message=message, place=place, hint=_DIVIDE)


def _size(value: object) -> tuple[int, int]:
    """Return the number of values in a value, and of the characters in them; a value is at most 32 levels deep."""
    match value:
        case Mapping():
            parts = [*((0, len(str(each))) for each in value), *map(_size, value.values())]
        case tuple():
            parts = [*map(_size, value)]
        case str():
            return 1, len(value)
        case _:
            return 1, 1
    return 1 + sum(count for count, _ in parts), sum(length for _, length in parts)


def _combinations(levels: "Iterable[Mapping[str, Value]]") -> int:
    """Return the number of environments that a matrix makes at most: 1 if it is refused for their number."""
    axes: dict[str, int] = {}
    for level in levels:
        matrix = level.get("matrix")
        for axis, each in matrix.items() if isinstance(matrix, Mapping) else ():
            if axis not in SETTINGS and isinstance(each, tuple | Mapping):
                axes[axis] = axes.get(axis, 0) + len(each)
    found = prod(axes.values())
    return found if 0 < found <= MAX_COMBINATIONS else 1


def _entries(value: Mapping[str, "Value"], key: str) -> "dict[str, Mapping[str, Value]]":
    entries = value.get(key)
    named = entries if isinstance(entries, Mapping) else {}
    return {name: entry for name, entry in named.items() if isinstance(entry, Mapping)}


def _names(entry: Mapping[str, "Value"]) -> tuple[str, ...]:
    value = entry.get("extends")
    if isinstance(value, str):
        return (value,)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, tuple) else ()
