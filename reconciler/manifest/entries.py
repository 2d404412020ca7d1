"""Environments with all that they inherit, each value still knowing where in the manifest it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.manifest.inherit import lineage, merged
from reconciler.manifest.source_text import KeyPath


@dataclass(frozen=True, slots=True)
class Placed:
    """A value, and its key path in the manifest."""

    value: Any
    path: KeyPath


class Entry:
    """A mapping of the manifest as the templates and itself make it; `place` is the path of the last that wrote it."""

    def __init__(self, keys: Mapping[str, Any], place: KeyPath) -> None:
        self._keys = keys
        self.place = place

    def one(self, key: str, default: Any = None) -> Any:
        """Return the value of a key that holds a single one; a list of it as a tuple (`builds`)."""
        placed = self._keys.get(key)
        if isinstance(placed, tuple):
            return tuple(dict.fromkeys(each.value for each in placed))
        return default if placed is None else placed.value

    def many(self, key: str) -> tuple[Placed, ...]:
        """Return the values of a key that holds a list, those of the most general template first."""
        return tuple(self._keys.get(key, ()))

    def plain(self, key: str) -> tuple[Any, ...]:
        """Return the values of a list, without their places and each once."""
        return tuple(dict.fromkeys(each.value for each in self.many(key)))

    def mapping(self, key: str) -> dict[str, Any]:
        """Return the values of a key that holds a mapping, sorted by key."""
        return {name: placed.value for name, placed in sorted(self._keys.get(key, {}).items())}

    def below(self, key: str) -> "Entry | None":
        """Return what stands below a key such as `project`, or None where nobody wrote it."""
        return Entry(self._keys[key], (*self.place, key)) if key in self._keys else None

    def path(self, key: str) -> KeyPath:
        """Return the key path of a value, or of the mapping where nobody wrote it."""
        placed = self._keys.get(key)
        return placed.path if isinstance(placed, Placed) else self.place


def whole_entries(templates: Mapping[str, Any], environments: Mapping[str, Any]) -> dict[str, Entry]:
    """Return every environment of a manifest (models' Environment values by name) with all that it inherits."""
    extends = {name: template.extends for name, template in templates.items()}
    levels = {name: _placed_keys(template, ("templates", name)) for name, template in templates.items()}
    entries: dict[str, Entry] = {}
    for name, environment in environments.items():
        place: KeyPath = ("environments", name)
        inherited = [levels[each] for each in lineage(environment.extends, extends)]
        entries[name] = Entry(merged([*inherited, _placed_keys(environment, place)]), place)
    return entries


def _placed_keys(entry: Any, path: KeyPath) -> dict[str, object]:
    """Return the keys that were written in one mapping: lists as tuples of Placed, mappings as dictionaries."""
    return {key: _placed(getattr(entry, key), (*path, key)) for key in entry.model_fields_set}


def _placed(value: Any, path: KeyPath) -> object:
    if isinstance(value, tuple):
        return tuple(Placed(each, (*path, at)) for at, each in enumerate(value))
    if isinstance(value, Mapping):
        return {key: Placed(each, (*path, key)) for key, each in value.items()}
    if hasattr(value, "model_fields_set"):
        return _placed_keys(value, path)
    return Placed(value, path)
