"""Verify that the metadata of built local projects requires only what their lock was resolved for."""

from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from reconciler.backticks import in_backticks
from reconciler.diff.model import Target
from reconciler.errors import ApplyError
from reconciler.lock.model import SourceDirectory
from reconciler.observe.actual import ActualEnvironment
from reconciler.observe.metadata import read_requirements


def verify_local_projects(venv: Path, target: Target, observed: ActualEnvironment) -> None:
    """Raise ApplyError if the built metadata of a local project has a requirement that the environment does not meet.

    In that case, the project reads its dependencies from something that is not a known input of its lock.
    """
    local = {each.name for each in target.packages or () if isinstance(each.source, SourceDirectory)}
    installed = {each.key: each.version for each in observed.distributions}
    overridden = {canonicalize_name(Requirement(each).name) for each in target.environment.overrides}
    for each in observed.distributions:
        if each.key not in local:
            continue
        lines = read_requirements(venv / each.place)
        problems = [
            problem
            for requirement in _applicable(lines, each.key, _extras(target, each.key), target)
            if canonicalize_name(requirement.name) not in overridden
            and (problem := _problem(requirement, installed.get(canonicalize_name(requirement.name))))
        ]
        if problems:
            name = target.environment.name
            raise ApplyError(
                f"`{each.key}` was built with dependencies that differ from those in its lock: {'; '.join(problems)}",
                hint=f"run `envsync lock -P {each.key} {name}`, then `envsync apply {name}`",
            )


def _extras(target: Target, name: str) -> set[str]:
    """Return the extras of a local project that the environment declares."""
    environment = target.environment
    project = environment.project
    directory = target.editables.get(name)
    found = set(project.extras) if project is not None and project.name in {"", name} else set()
    for line in environment.requirements:
        if line.path is not None and (directory is None or str(line.path) == directory):
            found.update(canonicalize_name(each) for each in line.extras)
    return found


def _applicable(lines: Iterable[str], own: str, extras: set[str], target: Target) -> list[Requirement]:
    """Return the requirements that apply to this interpreter with `extras`, and with those that they name."""
    parsed = []
    for line in lines:
        try:
            parsed.append(Requirement(line))
        except InvalidRequirement as error:
            raise ApplyError(
                f"`{own}` was built with an invalid requirement: {in_backticks(line)}", hint=None
            ) from error
    while True:
        found = [each for each in parsed if _counts(each, extras, target)]
        more = {canonicalize_name(one) for each in found if canonicalize_name(each.name) == own for one in each.extras}
        if more <= extras:
            return [each for each in found if canonicalize_name(each.name) != own]
        extras = extras | more


def _counts(requirement: Requirement, extras: set[str], target: Target) -> bool:
    marker, markers = requirement.marker, target.interpreter.markers
    return marker is None or any(marker.evaluate({**markers, "extra": each}) for each in ("", *sorted(extras)))


def _problem(requirement: Requirement, version: str | None) -> str:
    """Return what is wrong with the installed version of a requirement (None: not installed); empty if nothing is."""
    if version is None:
        return f"it requires `{requirement}`, which is not in the lock"
    try:
        fits = requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        fits = not requirement.specifier
    return "" if fits else f"it requires `{requirement}`, but the lock has {version}"
