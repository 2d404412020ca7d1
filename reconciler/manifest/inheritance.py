"""Environments with everything that they inherit from templates; each value keeps its key path in the manifest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.manifest.source_text import KeyPath


@dataclass(frozen=True, slots=True)
class PlacedValue:
    """A value, and its key path in the manifest."""

    value: Any
    path: KeyPath


class InheritedEntry:
    """A mapping of the manifest, merged from an environment and its templates; `path` is the environment's own."""

    def __init__(self, keys: Mapping[str, Any], path: KeyPath) -> None:
        self._keys = keys
        self.path = path

    @property
    def names(self) -> tuple[str, ...]:
        """Return the keys that were written, sorted."""
        return tuple(sorted(self._keys))

    def value(self, key: str, default: Any = None) -> Any:
        """Return the value of a key that holds a single value; a list is returned as a tuple (`builds`)."""
        placed = self._keys.get(key)
        if isinstance(placed, tuple):
            return tuple(dict.fromkeys(each.value for each in placed))
        return default if placed is None else placed.value

    def placed_values(self, key: str) -> tuple[PlacedValue, ...]:
        """Return the values of a key that holds a list, those of the most general template first."""
        return tuple(self._keys.get(key, ()))

    def values(self, key: str) -> tuple[Any, ...]:
        """Return the values of a list without their key paths and without duplicates."""
        return tuple(dict.fromkeys(each.value for each in self.placed_values(key)))

    def mapping(self, key: str) -> dict[str, Any]:
        """Return the values of a key that holds a mapping, sorted by key."""
        return {name: placed.value for name, placed in sorted(self._keys.get(key, {}).items())}

    def section(self, key: str) -> "InheritedEntry | None":
        """Return the mapping under a key such as `project`, or None if the key was not written."""
        return InheritedEntry(self._keys[key], (*self.path, key)) if key in self._keys else None

    def has(self, key: str) -> bool:
        """Return whether a key was written, here or in a template."""
        return key in self._keys

    def path_of(self, key: str) -> KeyPath:
        """Return the key path of a value, or of this mapping if the key was not written."""
        placed = self._keys.get(key)
        return placed.path if isinstance(placed, PlacedValue) else self.path

    def tree(self, key: str) -> Mapping[str, object]:
        """Return the mapping under a key with a PlacedValue for each value; empty if the key was not written."""
        found = self._keys.get(key)
        return found if isinstance(found, Mapping) else {}

    def merged(self, *levels: Mapping[str, object]) -> "InheritedEntry":
        """Return the same entry with `levels` merged into it, in their order, like templates."""
        return InheritedEntry(merge_levels((self._keys, *levels)), self.path)

    def changed(self, **keys: object) -> "InheritedEntry":
        """Return the same entry with other values of some keys."""
        return InheritedEntry({**self._keys, **keys}, self.path)


def inherited_entries(templates: Mapping[str, Any], environments: Mapping[str, Any]) -> dict[str, InheritedEntry]:
    """Return every environment (the models' Environment values by name) merged with the templates that it extends."""
    extends = {name: template.extends for name, template in templates.items()}
    levels = {name: _placed_keys(template, ("templates", name)) for name, template in templates.items()}
    entries: dict[str, InheritedEntry] = {}
    for name, environment in environments.items():
        path: KeyPath = ("environments", name)
        inherited = [levels[each] for each in template_order(environment.extends, extends)]
        entries[name] = InheritedEntry(merge_levels([*inherited, _placed_keys(environment, path)]), path)
    return entries


def placed_tree(value: object, path: KeyPath) -> object:
    """Return plain values as `merge_levels` merges them: a PlacedValue for each value that is not a mapping."""
    if isinstance(value, tuple):
        return tuple(PlacedValue(each, (*path, at)) for at, each in enumerate(value))
    if isinstance(value, Mapping):
        return {key: placed_tree(each, (*path, key)) for key, each in value.items()}
    return PlacedValue(value, path)


def template_order(extends: Sequence[str], templates: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the templates that `extends` reaches, the most general first, each once.

    `templates` maps each template to those that it extends itself. Unknown names and cycles are left out: they are
    reported elsewhere. A template that two others extend is applied once, before both.
    """
    order: dict[str, None] = {}
    entered: set[str] = set()
    trail: list[tuple[str, Iterator[str]]] = [("", iter(extends))]  # no recursion: chains may be long
    while trail:
        name, rest = trail[-1]
        following = next(rest, None)
        if following is None:
            trail.pop()
            if trail:
                order[name] = None
        elif following in templates and following not in entered:
            entered.add(following)
            trail.append((following, iter(templates[following])))
    return tuple(order)


def merge_levels(levels: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return one mapping for several: lists (tuples) are joined, mappings merged, other values replaced by the last."""
    result: dict[str, object] = {}
    for level in levels:
        for key, later in level.items():
            earlier = result.get(key)
            if isinstance(earlier, tuple) and isinstance(later, tuple):
                result[key] = (*earlier, *later)
            elif isinstance(earlier, Mapping) and isinstance(later, Mapping):
                result[key] = merge_levels((earlier, later))
            else:
                result[key] = later
    return result


def _placed_keys(entry: Any, path: KeyPath) -> dict[str, object]:
    """Return the keys that were written in one mapping: lists as tuples of PlacedValue, mappings as dictionaries."""
    return {key: _placed(getattr(entry, key), (*path, key)) for key in entry.model_fields_set}


def _placed(value: Any, path: KeyPath) -> object:
    if isinstance(value, tuple):
        return tuple(PlacedValue(each, (*path, at)) for at, each in enumerate(value))
    if isinstance(value, Mapping):
        return {key: _placed(each, (*path, key)) for key, each in value.items()}
    if hasattr(value, "model_fields_set") and not getattr(value, "inherited_as_one", False):
        return _placed_keys(value, path)
    return PlacedValue(value, path)
