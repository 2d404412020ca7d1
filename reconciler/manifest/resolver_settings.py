"""Settings of uv, Poetry and PDM in a pyproject.toml that change what is resolved or built: honored or refused.

Overrides and constraints are taken over. For the others the manifest must say the same. See docs/design.md, "Lock".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler.backticks import in_backticks
from reconciler.errors import Problem
from reconciler.manifest.desired import DesiredEnvironment, Index
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.project_file import ProjectFile
from reconciler.manifest.requirement import parse_requirement
from reconciler.manifest.source_indexes import tool_indexes, undeclared_index
from reconciler.manifest.source_text import KeyPath

_OWN_LOCK = "remove it, or use the tool's own lock (the key `lock`)"

# The settings of `[tool.uv]` that change what is resolved or built, and that a manifest cannot express. The other
# settings of uv decide how it works, or what it does in its own environments.
_WITHOUT_KEY = (
    "dependency-metadata",
    "exclude-dependencies",
    "exclude-newer-package",
    "no-index",
    "no-sources-package",
)
# Those that change how packages are built, and those that do so for the packages that they name.
_OF_BUILDS = ("build-constraint-dependencies", "config-settings", "no-build-isolation")
_OF_BUILDS_OF_PACKAGES = (
    "config-settings-package",
    "extra-build-dependencies",
    "extra-build-variables",
    "no-build-isolation-package",
)
_SAME_AS_DEFAULT = {"resolution": "highest", "fork-strategy": "requires-python", "index-strategy": "first-index"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """The constraints and overrides of a project that another tool would obey (PEP 508, normalized)."""

    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()


def take_over(
    settings: ProjectFile,
    own: ProjectFile,
    environment: DesiredEnvironment,
    indexes: Sequence[Index],
    report: Callable[[Problem], None],
) -> TakenOver:
    """Return the constraints and overrides to add to an environment; `report` gets every setting that is refused.

    `settings` is the file whose `[tool.uv]` counts: that of the workspace, or the project's `own`.
    """
    for file in {id(each): each for each in (settings, own)}.values():
        for index in tool_indexes(file):
            of_uv = index.path[1] == "uv"
            if index.only_for or (of_uv and file is not settings):
                continue
            if refused := undeclared_index(file, index, indexes):
                report(refused)
    for refused in (*_refused_of_uv(settings, environment), *refused_build_settings(settings, environment)):
        report(refused)
    resolution = own.table("tool", "pdm", "resolution")
    path = ("tool", "pdm", "resolution")
    if resolution.get("excludes"):
        report(own.problem("`excludes` is not supported", (*path, "excludes"), hint=_OWN_LOCK))
    if resolution.get("allow-prereleases") and environment.prerelease != "allow":
        message = f"the manifest has `prerelease: {environment.prerelease}`: versions would differ"
        report(own.problem(message, (*path, "allow-prereleases"), hint="set `prerelease: allow` in the manifest"))
    constraints = _requirements(settings, ("tool", "uv", "constraint-dependencies"), report)
    overrides = _requirements(settings, ("tool", "uv", "override-dependencies"), report)
    overrides += _pdm_overrides(own, report)
    replaced = {Requirement(each).name for each in environment.overrides}  # those of the manifest take precedence
    return TakenOver(
        constraints=tuple(constraints),
        overrides=tuple(each for each in overrides if Requirement(each).name not in replaced),
    )


def _refused_of_uv(settings: ProjectFile, environment: DesiredEnvironment) -> Iterator[Problem]:
    """Yield a problem for each setting of `[tool.uv]` that the manifest does not have too."""
    table = settings.table("tool", "uv")
    path = ("tool", "uv")
    for key in _WITHOUT_KEY:
        if table.get(key):
            message = f"`{key}` is not supported: packages would differ"
            yield settings.problem(message, (*path, key), hint=_OWN_LOCK)
    for key, default in _SAME_AS_DEFAULT.items():
        if table.get(key, default) != default:
            message = f"`{key}` is not supported: versions would differ"
            yield settings.problem(message, (*path, key), hint=_OWN_LOCK)
    for key in ("index-url", "extra-index-url", "find-links"):
        if not isinstance(table.get(key, ""), str | list):
            yield settings.problem(f"`{key}` must be a string or a list", (*path, key), hint="put the value in quotes")
    prerelease = table.get("prerelease")
    same = {"if-necessary-or-explicit": "if-necessary"}.get(str(prerelease), prerelease)
    if prerelease is not None and same != environment.prerelease:
        message = f"the manifest has `prerelease: {environment.prerelease}`: versions would differ"
        yield settings.problem(message, (*path, "prerelease"), hint=f"set `prerelease: {same}` in the manifest")
    newer = table.get("exclude-newer")
    if newer is not None and str(newer) != environment.exclude_newer:
        message = "not the same as `exclude_newer` in the manifest: versions would differ"
        yield settings.problem(
            message, (*path, "exclude-newer"), hint=f'set `exclude_newer: "{newer}"` in the manifest'
        )
    if table.get("no-build") is True and environment.builds != "deny":
        message = "the manifest allows builds"
        yield settings.problem(message, (*path, "no-build"), hint="set `builds: deny` in the manifest")
    for key in ("no-build-package", "no-binary", "no-binary-package"):
        if table.get(key) and not (table.get("no-build") is True and key == "no-build-package"):
            hint = "remove it, and set `builds` in the manifest"
            yield settings.problem(f"`{key}` is not supported", (*path, key), hint=hint)


def refused_build_settings(settings: ProjectFile, environment: DesiredEnvironment) -> Iterator[Problem]:
    """Yield a problem for each setting of `[tool.uv]` that changes a build which the manifest's `builds` allows."""
    table = settings.table("tool", "uv")
    builds = environment.builds
    if builds == "deny":
        return
    for key in _OF_BUILDS:
        if table.get(key):
            hint = "remove it, or set `builds: deny` in the manifest"
            yield settings.problem(f"`{key}` is not supported: builds would differ", ("tool", "uv", key), hint=hint)
    for key in _OF_BUILDS_OF_PACKAGES:
        named = table.get(key)
        names = [canonicalize_name(str(each)) for each in named] if isinstance(named, list | dict) else []
        if built := [name for name in names if builds == "allow" or name in builds]:
            message = f"`{key}` is not supported: the build of `{built[0]}` would differ"
            hint = f"remove it, or set `builds` in the manifest to a list without `{built[0]}`"
            yield settings.problem(message, ("tool", "uv", key), hint=hint)


def _requirements(file: ProjectFile, path: KeyPath, report: Callable[[Problem], None]) -> list[str]:
    """Return the requirements of a list, normalized; reports those that are invalid."""
    found = file.table(*map(str, path[:-1])).get(str(path[-1]), ())
    texts = []
    for number, each in enumerate(found if isinstance(found, list) else ()):
        try:
            texts.append(str(parse_requirement(str(each))))
        except InvalidTextError as error:
            report(file.problem(error.message, (*path, number), hint=error.hint))
    return texts


def _pdm_overrides(file: ProjectFile, report: Callable[[Problem], None]) -> list[str]:
    """Return `[tool.pdm.resolution.overrides]`: a version, a specifier or a URL by name."""
    texts = []
    for name, value in file.table("tool", "pdm", "resolution", "overrides").items():
        text = str(value)
        separator = " @ " if "://" in text else "" if text[:1] in "<>=!~" else "=="
        try:
            texts.append(str(parse_requirement(f"{name}{separator}{text}")))
        except InvalidTextError as error:
            what = f"not a valid override of {in_backticks(name)}: {error.message}"
            report(file.problem(what, ("tool", "pdm", "resolution", "overrides", name), hint=error.hint))
    return texts
