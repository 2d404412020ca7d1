"""Read packages.yaml: the packages of the environments."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSets:
    """Pinned requirements: three sets by name, the package that changes, and the packages that make sets distinct."""

    sets: Mapping[str, tuple[str, ...]]
    change: str
    replaced: tuple[str, ...]
    others: tuple[str, ...]

    def changed(self, name: str) -> tuple[str, ...]:
        """Return a set with the changed package in its other version."""
        return tuple(self.change if _name(pin) == _name(self.change) else pin for pin in self.sets[name])

    def distinct(self, number: int) -> tuple[str, ...]:
        """Return a variant of the medium set, numbered from 0; all variants have the same number of packages."""
        width = len(self.replaced)
        kept = tuple(pin for pin in self.sets["medium"] if _name(pin) not in self.replaced)
        return (*kept, *((self.others * 2)[number % len(self.others) :][:width]))


def read_package_sets(path: Path) -> PackageSets:
    """Return the package sets of a file like packages.yaml."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return PackageSets(
        sets={name: tuple(pins) for name, pins in found["sets"].items()},
        change=found["change"],
        replaced=tuple(found["replaced"]),
        others=tuple(found["others"]),
    )


def _name(pin: str) -> str:
    return pin.partition("==")[0]
