"""Resolves one environment to a lock: one run of the engine, then additions and checks (docs/design.md, "Lock")."""

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import tomli

from reconciler.engines.engine import Engine, ResolveRequest
from reconciler.errors import BuildNeededError, LockError, ResolveError
from reconciler.interpreters.model import Interpreter
from reconciler.interpreters.request import lower_bound
from reconciler.lock.checks import allow_only_hashes, check_indexes, check_local_names
from reconciler.lock.directory_index import make_relative
from reconciler.lock.foreign_lock import foreign_document
from reconciler.lock.freshness import present_inputs
from reconciler.lock.lock_file import lock_path, parse_lock
from reconciler.lock.model import Lock
from reconciler.lock.refused_lock import require_allowed_resolution
from reconciler.lock.requirement_lines import RequirementLines, requirement_lines
from reconciler.lock.toml_format import lock_text
from reconciler.lock.yanked import yanked_in
from reconciler.manifest import defaults
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, LockSource
from reconciler.manifest.index_rules import used_indexes
from reconciler.manifest.times import exclude_newer_time
from reconciler.manifest.urls import plain_url


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOptions:
    """How to resolve; `build` permits the builds that the manifest's `builds` allows (planning never builds)."""

    build: bool
    offline: bool
    upgrade: bool | tuple[str, ...]


def resolve_lock(
    environment: DesiredEnvironment,
    desired: DesiredState,
    interpreter: Interpreter,
    engine: Engine,
    options: ResolveOptions,
    *,
    previous: Lock | None,
) -> Lock:
    """Resolve one environment and return its lock, not yet written; versions in `previous` are kept if they still fit.

    Raises ResolveError, EngineError (BuildNeededError if only a build would reveal the dependencies) or LockError.
    """
    now = dt.datetime.now(dt.UTC)
    newest = exclude_newer_time(environment.exclude_newer, now) if environment.exclude_newer else None
    inputs = present_inputs(environment, desired)  # before they are read: a later change makes the lock stale
    if environment.lock is not None:
        return _from_foreign_lock(environment, environment.lock, desired, interpreter, engine, options, inputs)
    with requirement_lines(environment, build=options.build) as wanted:
        request = ResolveRequest(
            requirements=wanted.lines,
            interpreter=interpreter,
            python_version=lower_bound(environment.python, interpreter),
            constraints=environment.constraints,
            overrides=(*environment.overrides, *wanted.overrides),
            indexes=used_indexes(desired.indexes, environment.indexes),
            exclude_newer=newest,
            prerelease=environment.prerelease,
            builds=environment.builds if options.build else "deny",
            offline=options.offline,
            preferences=_preferences(previous),
            upgrade=options.upgrade,
            directory=wanted.directory,
            variables={**environment.build_env.variables, **environment.build_env.from_env},
        )
        document = tomli.loads(engine.resolve(request))
    path = lock_path(desired.locks, environment.name)
    packages: list[dict[str, Any]] = document.get("packages", [])
    if isinstance(request.builds, tuple):
        _add_wheels(packages, request, request.builds, engine)
    allow_only_hashes(environment, packages)
    from_index = engine.indexes_of(tuple(sorted(_pins(packages))), request)
    for package in packages:
        if "wheels" in package or "sdist" in package:
            package["index"] = plain_url(_index_of(package, from_index))
        _portable(package, path.parent, wanted)
    check_local_names(packages, environment.local_names)
    check_indexes(packages, request.indexes)
    make_relative(packages, request.indexes, path.parent)
    require_allowed_resolution(packages, environment, desired, path.parent)
    document["packages"] = [_ordered(package) for package in packages]
    document["created-by"] = "envsync"
    yanked = yanked_in(packages, document.get("tool", {}).get("envsync", {}).get("yanked", {}))
    own = _own_table(environment, inputs, newest)
    document["tool"] = {"envsync": {**own, "yanked": yanked} if yanked else own}
    return parse_lock(lock_text(document), path, environment.name)


def _from_foreign_lock(
    environment: DesiredEnvironment,
    source: LockSource,
    desired: DesiredState,
    interpreter: Interpreter,
    engine: Engine,
    options: ResolveOptions,
    inputs: str,
) -> Lock:
    """Return the lock with what the lock of another tool selects; raises LockError and the errors of the engine."""
    request = ResolveRequest(
        requirements=(),
        interpreter=interpreter,
        python_version=lower_bound(environment.python, interpreter),
        constraints=(),
        overrides=(),
        indexes=used_indexes(desired.indexes, environment.indexes),
        exclude_newer=None,
        prerelease=defaults.PRERELEASE,
        builds=environment.builds if options.build else "deny",
        offline=options.offline,
        preferences=None,
        upgrade=False,
        directory=None,
        variables={},
    )
    document = foreign_document(environment, source, desired, interpreter, engine, request)
    path = lock_path(desired.locks, environment.name)
    packages: list[dict[str, Any]] = document["packages"]
    unknown = [each for each in packages if ("wheels" in each or "sdist" in each) and "index" not in each]
    from_index = engine.indexes_of(tuple(sorted(_pins(unknown))), request)
    for package in packages:
        if package in unknown:
            package["index"] = _index_of(package, from_index)
        if "index" in package:
            package["index"] = plain_url(package["index"])
        _portable(package, path.parent, RequirementLines(lines=(), directory=Path("/"), overrides=(), bases=()))
    check_indexes(packages, request.indexes)
    make_relative(packages, request.indexes, path.parent)
    require_allowed_resolution(packages, environment, desired, path.parent)
    document["packages"] = [_ordered(package) for package in packages]
    document["created-by"] = "envsync"
    table = _own_table(environment, inputs, None) | {"from": source.relative, "from-sha256": source.sha256}
    document["tool"] = {"envsync": table}
    return parse_lock(lock_text(document), path, environment.name)


def _own_table(environment: DesiredEnvironment, inputs: str, newest: str | None) -> dict[str, str]:
    """Return `[tool.envsync]`: the inputs that the lock was resolved from."""
    table = {"inputs": inputs}
    if not environment.python.startswith("/"):  # a path is specific to this machine
        table["python"] = environment.python
    if newest is not None and environment.exclude_newer is not None:
        table |= {"exclude-newer": environment.exclude_newer, "exclude-newer-date": newest}
    return table


def _preferences(previous: Lock | None) -> str | None:
    """Return the versions of an earlier lock as text, for the engine to prefer.

    Of a lock that another tool wrote, only names and versions are used, because other content could make the resolution
    fail.
    """
    if previous is None:
        return None
    ours = previous.inputs is not None
    keys = ("name", "version", "marker", "vcs") if ours else ("name", "version")
    packages = [{key: package[key] for key in keys if key in package} for package in previous.document["packages"]]
    return lock_text({"lock-version": "1.0", "created-by": "envsync", "packages": packages})


def _add_wheels(
    packages: list[dict[str, Any]], request: ResolveRequest, names: tuple[str, ...], engine: Engine
) -> None:
    """Add the wheels of packages that may be built, because the engine leaves them out."""
    for package in packages:
        if package["name"] not in names or "sdist" not in package or "version" not in package:
            continue
        alone = replace(
            request,
            requirements=(f"{package['name']}=={package['version']}",),
            constraints=(),
            overrides=(),
            builds="deny",
            preferences=None,
            upgrade=False,
            dependencies=False,
        )
        try:
            found = tomli.loads(engine.resolve(alone)).get("packages", [])
        except (BuildNeededError, ResolveError):  # the package has no wheels
            continue
        package["wheels"] = [wheel for each in found for wheel in each.get("wheels", [])]


def _index_of(package: dict[str, Any], from_index: Mapping[str, str]) -> str:
    """Return the URL of the index that a package comes from; the rules about indexes need it."""
    pin = f"{package['name']}=={package['version']}"
    local = (url for each, url in from_index.items() if each.partition("+")[0] == pin)  # "==1.0" also matches 1.0+cpu
    url = from_index.get(pin) or next(local, None)
    if url is None:
        raise LockError(f"the package tool did not report the index of `{pin}`", hint=None)
    return url


def _pins(packages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a pin for each package that comes from an index."""
    for package in packages:
        if "version" in package and not package.keys() & {"vcs", "directory", "archive"}:
            marker = f" ; {package['marker']}" if "marker" in package else ""
            yield f"{package['name']}=={package['version']}{marker}"


def _portable(package: dict[str, Any], locks: Path, wanted: RequirementLines) -> None:
    """Remove credentials and paths of this machine from one package's table."""
    for source in (package.get(key) for key in ("vcs", "directory", "archive", "sdist")):
        if isinstance(source, dict):
            _portable_source(source, locks, wanted)
    for wheel in package.get("wheels", []):
        _portable_source(wheel, locks, wanted)
    for file in (*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])):
        written = urlsplit(file.get("url", "")).path.rpartition("/")[2]
        if "%" in written:  # packaging 26.1 takes the name from the URL as it is written
            file.setdefault("name", unquote(written))


def _portable_source(source: dict[str, Any], locks: Path, wanted: RequirementLines) -> None:
    if "url" in source:
        source["url"] = plain_url(source["url"])
    path = source.get("path")
    if isinstance(path, str):
        # Resolve links at both ends: `..` in a linked directory is the parent of its target.
        original = wanted.original(path)
        source["path"] = Path(os.path.relpath(original, os.path.realpath(locks))).as_posix()


def _ordered(package: dict[str, Any]) -> dict[str, Any]:
    """Return a package's table with its keys in PEP 751's order."""
    leading = ("name", "version", "marker", "requires-python", "index", "vcs", "directory", "archive", "sdist")
    return {key: package[key] for key in leading if key in package} | package
