"""The desired state as readable YAML: values that differ from the defaults, without absolute paths of this machine."""

from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from reconciler.canonical_json import to_json
from reconciler.manifest.desired import (
    DesiredEnvironment,
    DesiredState,
    Index,
    LocalProject,
    LockSource,
    RequirementLine,
)


def readable(state: DesiredState) -> dict[str, Any]:
    """Return the desired state as plain values; paths are relative to the manifest's directory."""
    here = state.file.absolute().parent
    return {
        "root": _relative(state.root, here),
        "locks": _relative(state.locks, here),
        **_interesting(state, "project", "allow_paths", "cache", "keep_deleted", "access"),
        **({"indexes": [_index(each) for each in state.indexes]} if state.indexes else {}),
        "environments": {each.name: _environment(each, here) for each in state.environments},
        # A pyproject.toml above the case, such as that of this repository, could be the root of a workspace.
        "inputs": [
            _relative(each.path, here) + ("" if each.sha256 else " (missing)")
            for each in state.inputs
            if each.path.is_relative_to(here)
        ],
    }


def _environment(environment: DesiredEnvironment, here: Path) -> dict[str, Any]:
    omitted = {"name", "python_place", "requirements", "project", "lock", "access"}
    names = [each.name for each in fields(environment) if each.name not in omitted]
    plain = _interesting(environment, *names)
    plain["probes"] = [f"{type(each).__name__} {to_json(each)}" for each in environment.probes]
    plain["build_env"] = _interesting(environment.build_env, "variables", "from_env", "hashes", "unset")
    plain["requirements"] = [_line(each, here) for each in environment.requirements]
    plain["project"] = _project(environment.project, here) if environment.project else None
    plain["lock"] = _lock(environment.lock, here) if environment.lock else None
    return {key: value for key, value in plain.items() if value}


def _index(index: Index) -> dict[str, Any]:
    """Return an index; `url` is as written, also that of a relative directory."""
    return _interesting(
        replace(index, url=index.relative or index.url), "name", "url", "packages", "default", "file_hosts"
    )


def _line(line: RequirementLine, here: Path) -> dict[str, Any]:
    plain = _interesting(line, "text", "source", "hashes", "editable", "extras", "marker", "name", "replaces")
    return plain | ({"path": _relative(line.path, here)} if line.path else {})


def _project(project: LocalProject, here: Path) -> dict[str, Any]:
    names = [each.name for each in fields(project) if each.name not in {"path", "metadata_digest"}]
    return _interesting(project, *names) | {"path": _relative(project.path, here)}


def _lock(lock: LockSource, here: Path) -> dict[str, Any]:
    return _interesting(lock, "relative", "tool", "extras", "groups") | {"path": _relative(lock.path, here)}


def _interesting(value: Any, *names: str) -> dict[str, Any]:
    defaults = {each.name: each.default for each in fields(value) if each.default is not MISSING}
    return {
        name: to_json(getattr(value, name))
        for name in names
        if getattr(value, name) != defaults.get(name, MISSING) and getattr(value, name) not in ({}, ())
    }


def _relative(path: Path, here: Path) -> str:
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()
