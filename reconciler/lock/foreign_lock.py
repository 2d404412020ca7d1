"""Makes an environment's lock from the lock of another tool: the same packages, versions and hashes.

Nothing is resolved. See docs/design.md, "Lock".
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomli
from packaging.markers import InvalidMarker
from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from reconciler.engines.engine import Engine, ExportRequest, ResolveRequest
from reconciler.errors import EnvsyncError, IndexFailureError, LockError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.foreign_package import ForeignLock, PinnedPackage, check_choice
from reconciler.lock.local_paths import require_local_paths
from reconciler.lock.lock_file import lock_path
from reconciler.lock.lock_toml import parse_lock_toml
from reconciler.lock.marker_choice import chosen_marker
from reconciler.lock.pdm_lock import read_pdm_lock
from reconciler.lock.poetry_lock import declared_groups, read_poetry_lock
from reconciler.lock.refused_lock import require_allowed_source
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, LockSource
from reconciler.manifest.input_files import LARGEST_LOCK
from reconciler.manifest.reach import Reach, reach_of_state
from reconciler.manifest.source_text import NOT_SHOWN, NOT_SHOWN_HINT
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.processes.scratch import scratch_directory

_AGAIN = "make it again with its tool, or correct the path in the manifest"


def foreign_document(
    environment: DesiredEnvironment,
    source: LockSource,
    desired: DesiredState,
    interpreter: Interpreter,
    engine: Engine,
    request: ResolveRequest,
) -> dict[str, Any]:
    """Return the chosen packages of the lock `source` as a PEP 751 document with absolute paths.

    `request` has the rules for looking up the URLs of files that a lock names only by hash. Raises LockError, or the
    errors of the engine.
    """
    if os.path.realpath(source.path) == os.path.realpath(lock_path(desired.locks, environment.name)):
        raise LockError(
            f"`{source.relative}` is the lock that envsync writes for `{environment.name}` itself",
            hint="write the path of a different lock, or remove `lock` and let envsync resolve",
        )
    reach = reach_of_state(desired)
    text = source_text(source, reach)
    try:
        document = _document(environment, source, text, desired, interpreter, engine, request)
    except EnvsyncError as error:
        if reach.may_quote(source.path) or isinstance(error, IndexFailureError):
            raise
        raise LockError(f"{source.relative}: {NOT_SHOWN}", hint=NOT_SHOWN_HINT) from error
    require_local_paths(document["packages"], source.path.parent, reach, source.relative)
    return document


def _document(
    environment: DesiredEnvironment,
    source: LockSource,
    text: str,
    desired: DesiredState,
    interpreter: Interpreter,
    engine: Engine,
    request: ResolveRequest,
) -> dict[str, Any]:
    if source.tool == "uv":
        exported = _exported(environment, source, interpreter, engine)
        require_allowed_source(exported["packages"], environment, desired, text)
        return exported
    try:
        document = parse_lock_toml(text)
        match source.tool:
            case "pylock":
                chosen = _chosen(document, source)
                require_allowed_source(chosen["packages"], environment, desired, text)
                return _with_project(chosen, environment)
            case "poetry":
                found = read_poetry_lock(document, source, declared_groups(source.path.parent))
            case "pdm":
                found = read_pdm_lock(document, source)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, InvalidMarker) as error:
        what = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
        raise LockError(f"{source.relative}: not a valid lock: {what}", hint=_AGAIN) from error
    require_allowed_source(found.tables, environment, desired, text)
    packages = [dict(each) for each in found.tables] + list(_with_urls(found, source, engine, request))
    made = {"lock-version": "1.0", "packages": sorted(packages, key=_order)}
    if found.python:
        made["requires-python"] = f">={found.python}"
    return _with_project(made, environment)


def source_text(source: LockSource, reach: Reach) -> str:
    """Return the text of the lock; raises LockError if it is not the file that the manifest was expanded with."""
    try:
        content = reach.read(source.path, limit=LARGEST_LOCK)
        text = content.decode("utf-8")
    except UnreadableFileError as error:
        raise LockError(f"{source.relative}: {error.message}", hint=error.hint or None) from error
    except UnicodeDecodeError as error:
        raise LockError(f"{source.relative}: not UTF-8", hint=_AGAIN) from error
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise LockError(f"`{source.relative}` changed while envsync was reading it", hint="run the command again")
    return text


def _exported(
    environment: DesiredEnvironment, source: LockSource, interpreter: Interpreter, engine: Engine
) -> dict[str, Any]:
    """Return what `uv export` makes of a uv.lock, without resolving."""
    project = environment.project
    directory = source.path.parent
    is_member = project is not None and project.path != directory
    with scratch_directory() as scratch:
        output = scratch.resolve() / "pylock.toml"
        request = ExportRequest(
            directory=directory,
            output=output,
            interpreter=interpreter,
            package=project.name if project is not None and is_member else "",
            extras=source.extras,
            groups=source.groups,
            project=project is not None,
            editable=project is None or project.editable,
        )
        document = tomli.loads(engine.export(request))
        packages = [_with_absolute_paths(each, output.parent) for each in document.get("packages", [])]
    _check_own(environment, packages, source)
    return document | {"packages": packages}


def _check_own(environment: DesiredEnvironment, packages: list[dict[str, Any]], source: LockSource) -> None:
    """Raise LockError if the environment's project is missing in the lock's packages."""
    project = environment.project
    if project is None:
        return
    if not any(_is_directory(each, project.path) for each in packages):
        raise LockError(
            f"`{source.relative}` does not install the project in `{project.relative}`",
            hint="write the path of a project of this lock in `project`, or remove `project`",
        )


def _is_directory(package: Mapping[str, Any], directory: Path) -> bool:
    """Return whether a package is installed from a local directory (without symbolic links)."""
    return "directory" in package and os.path.realpath(package["directory"]["path"]) == str(directory)


def _chosen(document: Mapping[str, Any], source: LockSource) -> dict[str, Any]:
    """Return a PEP 751 document for the chosen extras and groups, with absolute paths."""
    try:
        Pylock.from_dict(document)
    except (PylockValidationError, PylockUnsupportedVersionError) as error:
        raise LockError(f"{source.relative}: not a valid lock: {error}", hint=_AGAIN) from error
    extras, groups = document.get("extras", []), document.get("dependency-groups", [])
    check_choice(source.relative, "extra", source.extras, extras)
    check_choice(source.relative, "group", source.groups, [canonicalize_name(each) for each in groups])
    packages = []
    for each in document["packages"]:
        package = dict(each)
        if "marker" in package:
            marker = chosen_marker(package.pop("marker"), extras=source.extras, groups=source.groups)
            if marker is False:
                continue
            if marker is not True:
                package["marker"] = marker
        package = _with_absolute_paths(package, source.path.parent)
        packages.append({key: value for key, value in package.items() if key not in {"attestation-identities", "tool"}})
    keys = ("lock-version", "environments", "requires-python")
    return {key: document[key] for key in keys if key in document} | {"packages": packages}


def _with_absolute_paths(package: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Return a package's table with absolute paths instead of those relative to `base`."""
    found = dict(package)
    for key in ("vcs", "directory", "archive", "sdist"):
        if key in found:
            found[key] = _absolute(found[key], base)
    if "wheels" in found:
        found["wheels"] = [_absolute(wheel, base) for wheel in found["wheels"]]
    return found


def _absolute(place: Mapping[str, Any], base: Path) -> dict[str, Any]:
    path = {"path": str((base / place["path"]).resolve())} if "path" in place else {}
    return {**place, **path}


def _with_project(document: dict[str, Any], environment: DesiredEnvironment) -> dict[str, Any]:
    """Add the environment's project to a document that lacks it; otherwise only set whether it is editable."""
    project = environment.project
    if project is None:
        return document
    directory: dict[str, Any] = {"path": str(project.path)} | ({"editable": True} if project.editable else {})
    others = [each for each in document["packages"] if not _is_directory(each, project.path)]
    if not project.name:
        raise LockError(
            f"the project in `{project.relative}` has no name that is known without a build",
            hint="write `name` in the `[project]` table of its pyproject.toml",
        )
    own = {"name": project.name, "directory": directory}
    return document | {"packages": sorted([*others, own], key=_order)}


def _order(package: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(package["name"]), str(package.get("version", "")), str(package.get("marker", ""))


def _with_urls(
    found: ForeignLock, source: LockSource, engine: Engine, request: ResolveRequest
) -> Iterator[dict[str, Any]]:
    """Yield the table of each package of an index, with the URLs of the files that have one of its hashes.

    The engine looks up each `NAME==VERSION` without dependencies. One run has each name once, because two versions of
    a package may have markers that are not exclusive.
    """
    waiting = list(found.pins)
    while waiting:
        now: dict[str, PinnedPackage] = {}
        for each in waiting:
            now.setdefault(each.name, each)
        waiting = [each for each in waiting if now[each.name] is not each]
        lines = tuple(
            f"{each.name}=={each.version}" + (f" ; {each.marker}" if each.marker else "") for each in now.values()
        )
        alone = replace(
            request,
            requirements=lines,
            python_version=found.python or request.python_version,
            prerelease="allow",
            dependencies=False,
        )
        packages = tomli.loads(engine.resolve(alone)).get("packages", [])
        for pin in now.values():
            yield _with_files(pin, packages, source)


def _with_files(pin: PinnedPackage, packages: list[dict[str, Any]], source: LockSource) -> dict[str, Any]:
    """Return the table of a package, with the files of `packages` that have one of its hashes; raises LockError."""
    table: dict[str, Any] = {"name": pin.name, "version": pin.version}
    if pin.marker:
        table["marker"] = pin.marker
    for each in packages:
        if each["name"] != pin.name or not _same_version(str(each.get("version", "")), pin.version):
            continue
        table["version"] = each["version"]
        wheels = [wheel for wheel in each.get("wheels", []) if wheel["hashes"].get("sha256") in pin.hashes]
        if "sdist" in each and each["sdist"]["hashes"].get("sha256") in pin.hashes:
            table["sdist"] = each["sdist"]
        if wheels:
            table["wheels"] = wheels
    if not table.keys() & {"sdist", "wheels"}:
        raise LockError(
            f"no index has a file of `{pin.name}` {pin.version} with a hash that `{source.relative}` allows",
            hint="declare the index that the lock was made from in `indexes`; if the file was replaced there, make the "
            "lock again",
        )
    return table


def _same_version(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
