"""What the distributions of an environment require of one another, read from their metadata, running nothing."""

from collections.abc import Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from reconciler.observe.actual import ActualEnvironment
from reconciler.observe.metadata import required_distributions


def requirement_graph(observed: ActualEnvironment, markers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return by normalized name what each distribution requires where `markers` (PEP 508) hold, extras left out.

    A requirement that cannot be read is none here: the lock and the `dependencies` probe are where it is told.
    """
    venv = Path(observed.path)
    return {
        each.key: tuple(sorted(_required(required_distributions(venv / each.place), markers)))
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
