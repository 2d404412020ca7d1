"""Read sets.yaml: the requirement sets, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSet:
    """One environment: its name (`django-3`), its stack, its requirements (PEP 508) and its Python series."""

    name: str
    stack: str
    requirements: tuple[str, ...]
    python: str
    large: bool = False


def read_sets(path: Path) -> tuple[RequirementSet, ...]:
    """Return the sets of a file like sets.yaml, in its order; those of a stack are numbered from 1."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        RequirementSet(
            name=f"{stack}-{number}",
            stack=stack,
            requirements=tuple(requirements),
            python=found["python"],
            large=key == "large",
        )
        for key in ("stacks", "large")
        for stack, sets in found[key].items()
        for number, requirements in enumerate(sets, 1)
    )


def sample(sets: Sequence[RequirementSet], size: int) -> tuple[RequirementSet, ...]:
    """Return `size` sets, evenly spread, the same ones at each call; all of them if there are fewer."""
    if size >= len(sets):
        return tuple(sets)
    return tuple(sets[number * len(sets) // size] for number in range(size))
