"""Reads from metadata which distributions of an environment require which others, without running any code."""

from collections.abc import Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from reconciler.observe.actual import ActualEnvironment
from reconciler.observe.metadata import read_requirements


def requirement_graph(observed: ActualEnvironment, markers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the names that each distribution requires under `markers` (PEP 508), by normalized name, without extras.

    Requirements that cannot be parsed are left out: the lock and the `dependencies` probe report them.
    """
    venv = Path(observed.path)
    return {
        each.key: tuple(sorted(_required(read_requirements(venv / each.place), markers)))
        for each in observed.distributions
    }


def _required(lines: list[str], markers: Mapping[str, str]) -> set[str]:
    found = set()
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({**markers, "extra": ""}):
            found.add(str(canonicalize_name(requirement.name)))
    return found
