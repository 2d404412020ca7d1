"""DesiredEnvironment to Lock: one resolution, then what envsync adds and checks (design, section 5)."""

import datetime as dt
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.engines.choose import lower_bound
from reconciler.engines.engine import Engine, ResolveRequest
from reconciler.engines.interpreter import Interpreter
from reconciler.lock.cutoff import cutoff
from reconciler.lock.document import lock_path, parse_lock
from reconciler.lock.inputs import inputs_digest
from reconciler.lock.model import Lock
from reconciler.lock.rules import allow_only_hashes, check_indexes, plain_url
from reconciler.lock.sources import source_files
from reconciler.lock.toml import lock_text
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, LocalProject


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOptions:
    """How to resolve: `build` allows what the manifest's `builds` allows (planning never builds)."""

    build: bool
    offline: bool = False
    upgrade: bool | tuple[str, ...] = False


def resolve_lock(
    environment: DesiredEnvironment,
    desired: DesiredState,
    interpreter: Interpreter,
    engine: Engine,
    options: ResolveOptions,
    *,
    previous: Lock | None = None,
) -> Lock:
    """Resolve one environment and return its lock, not yet written; pins of `previous` stay where they still fit.

    Raises ResolveError, EngineError (BuildNeededError where only a build would tell) or LockError.
    """
    newest = cutoff(environment.exclude_newer, dt.datetime.now(dt.UTC)) if environment.exclude_newer else None
    with _requirement_lines(environment, build=options.build) as (lines, copies):
        request = ResolveRequest(
            requirements=lines,
            interpreter=interpreter,
            python_version=lower_bound(environment.python, interpreter),
            constraints=environment.constraints,
            overrides=environment.overrides,
            indexes=desired.indexes,
            exclude_newer=newest,
            prerelease=environment.prerelease,
            builds=environment.builds if options.build else "deny",
            offline=options.offline,
            preferences=_preferences(previous),
            upgrade=options.upgrade,
        )
        document = tomllib.loads(engine.resolve(request))
    path = lock_path(desired.locks, environment.name)
    packages: list[dict[str, Any]] = document.get("packages", [])
    from_index = engine.indexes_of(tuple(sorted(_pins(packages))), request)
    for package in packages:
        url = from_index.get(f"{package['name']}=={package.get('version')}")
        if url is not None and ("wheels" in package or "sdist" in package):
            package["index"] = plain_url(url)
        _portable(package, path.parent, copies)
    check_indexes(environment.name, packages, desired.indexes)
    allow_only_hashes(environment, packages)
    document["packages"] = [_ordered(package) for package in packages]
    document["created-by"] = "envsync"
    document["tool"] = {"envsync": _own_table(environment, desired, newest)}
    return parse_lock(lock_text(document), path, environment.name)


def _own_table(environment: DesiredEnvironment, desired: DesiredState, newest: str | None) -> dict[str, str]:
    """Return `[tool.envsync]`: what the lock was made from."""
    table = {"inputs": inputs_digest(environment, desired.indexes)}
    if not environment.python.startswith("/"):  # a path is this machine's business
        table["python"] = environment.python
    if newest is not None and environment.exclude_newer is not None:
        table |= {"exclude-newer": environment.exclude_newer, "exclude-newer-date": newest}
    return table


@contextmanager
def _requirement_lines(
    environment: DesiredEnvironment, *, build: bool
) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Yield the lines to resolve, and what stood in for a source directory: {copy: original}.

    A directory whose metadata only a build tells is copied first, so that the build writes nothing into the source.
    """
    copies: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="envsync-source-") as scratch:
        lines: list[str] = []
        for number, line in enumerate(environment.requirements):
            if line.path is None:
                lines.append(" ".join([line.text, *(f"--hash={each}" for each in line.hashes)]))
            elif line.editable or not build or not line.path.is_dir():
                lines.append(("-e " if line.editable else "") + str(line.path))
            else:
                lines.append(_copied(line.path, Path(scratch) / str(number), copies))
        if environment.project is not None:
            lines += _project_lines(environment.project, Path(scratch), copies, build=build)
        yield tuple(lines), copies


def _project_lines(project: LocalProject, scratch: Path, copies: dict[str, str], *, build: bool) -> list[str]:
    """Return the line of the local project, and those of its dependency groups (PEP 735 groups are no metadata)."""
    extras = f"[{','.join(project.extras)}]" if project.extras else ""
    if project.editable or project.static or not build:
        place = str(project.path)
    else:
        place = _copied(project.path, scratch / "project", copies)
    return [("-e " if project.editable else "") + place + extras, *project.requirements]


def _copied(source: Path, copy: Path, copies: dict[str, str]) -> str:
    """Copy a source directory's own files to `copy`; return its path."""
    copy_source(source, copy)
    copies[str(copy)] = str(source)
    return str(copy)


def copy_source(source: Path, copy: Path) -> None:
    """Copy the files that belong to a source directory (tracked ones, or all but leftovers), links as links."""
    copy.mkdir(parents=True, exist_ok=True)
    for name in source_files(source):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, copy / name, follow_symlinks=False)


def _preferences(previous: Lock | None) -> str | None:
    """Return an earlier lock as text that the engine can prefer pins from."""
    return None if previous is None else lock_text(previous.document)


def _pins(packages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a pin for each package that comes from an index."""
    for package in packages:
        if "version" in package and not package.keys() & {"vcs", "directory", "archive"}:
            marker = f" ; {package['marker']}" if "marker" in package else ""
            yield f"{package['name']}=={package['version']}{marker}"


def _portable(package: dict[str, Any], locks: Path, copies: dict[str, str]) -> None:
    """Take credentials and this machine's paths out of one package's table."""
    for source in (package.get(key) for key in ("vcs", "directory", "archive", "sdist")):
        if isinstance(source, dict):
            _portable_source(source, locks, copies)
    for wheel in package.get("wheels", []):
        _portable_source(wheel, locks, copies)


def _portable_source(source: dict[str, Any], locks: Path, copies: dict[str, str]) -> None:
    if "url" in source:
        source["url"] = plain_url(source["url"])
    path = source.get("path")
    if isinstance(path, str) and os.path.isabs(path):  # noqa: PTH117  # a string in a document, not a path of ours
        source["path"] = Path(os.path.relpath(copies.get(path, path), locks)).as_posix()


def _ordered(package: dict[str, Any]) -> dict[str, Any]:
    """Return a package's table with its keys in PEP 751's order."""
    leading = ("name", "version", "marker", "requires-python", "index", "vcs", "directory", "archive", "sdist")
    return {key: package[key] for key in leading if key in package} | package
