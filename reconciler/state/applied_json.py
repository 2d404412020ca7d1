"""Converts `Applied` to plain JSON and back; JSON of a different shape raises ValueError."""

import json
from collections.abc import Mapping
from typing import Any, assert_never

from reconciler.backticks import in_backticks
from reconciler.canonical_json import Json, to_json
from reconciler.lock.model import ArchiveFile, IndexFile, LockedPackage, Source, SourceDirectory, VcsCommit
from reconciler.state.applied import Applied, AppliedInterpreter
from reconciler.state.hold import hold_from_json, hold_to_json
from reconciler.state.overlap import overlap_from_json, overlap_to_json


def applied_to_json(applied: Applied) -> dict[str, Json]:
    """Return `applied` as plain JSON; each source has its kind."""
    return {
        "name": applied.name,
        "project": applied.project,
        "generation": applied.generation,
        "interpreter": to_json(applied.interpreter),
        "packages": [_package_to_json(package) for package in applied.packages],
        "installed": to_json(dict(applied.installed)),
        "accepted": to_json(applied.accepted),
        "settings": to_json(dict(applied.settings)),
        "prevent_destroy": applied.prevent_destroy,
        "hooks_pending": applied.hooks_pending,
        "hook_paths": to_json(applied.hook_paths),
        "hook_packages": to_json(applied.hook_packages),
        "rolled_back_from": applied.rolled_back_from,
        "rebuilt_from": applied.rebuilt_from,
        "rolled_back_because": applied.rolled_back_because,
        "trial_since": applied.trial_since,
        "seal": applied.seal,
        "manifest": applied.manifest,
        "repository": applied.repository,
        **({"overlaps": [overlap_to_json(each) for each in applied.overlaps]} if applied.overlaps else {}),
        **({"hold": hold_to_json(applied.hold)} if applied.hold else {}),
    }


def applied_from_json(stored: Mapping[str, Any]) -> Applied:
    """Return the `Applied` in `stored`; raises ValueError, which names what is missing or invalid."""
    try:
        interpreter = stored["interpreter"]
        return Applied(
            name=require_text(stored["name"]),
            project=require_text(stored["project"]),
            generation=_number(stored["generation"]),
            interpreter=AppliedInterpreter(
                path=require_text(interpreter["path"]),
                version=require_text(interpreter["version"]),
                implementation=require_text(interpreter["implementation"]),
            ),
            packages=tuple(_package_from_json(package) for package in _list(stored["packages"])),
            installed={require_text(key): require_text(value) for key, value in stored["installed"].items()},
            accepted=frozenset(require_text(key) for key in _list(stored["accepted"])),
            settings={require_text(key): value for key, value in stored["settings"].items()},
            prevent_destroy=require_bool(stored["prevent_destroy"]),
            hooks_pending=require_bool(stored.get("hooks_pending", False)),
            hook_paths=frozenset(require_text(path) for path in _list(stored.get("hook_paths", []))),
            hook_packages=frozenset(require_text(name) for name in _list(stored.get("hook_packages", []))),
            rolled_back_from=_number(stored.get("rolled_back_from", 0)),
            rebuilt_from=_number(stored.get("rebuilt_from", 0)),
            rolled_back_because=require_text(stored.get("rolled_back_because", "")),
            trial_since=require_text(stored.get("trial_since", "")),
            seal=require_text(stored["seal"]),
            manifest=require_text(stored.get("manifest", "")),
            repository=require_text(stored.get("repository", "")),
            overlaps=tuple(overlap_from_json(each) for each in _list(stored.get("overlaps", []))),
            hold=hold_from_json(stored.get("hold")),
        )
    except KeyError as error:
        problem = f"{in_backticks(str(error.args[0]))} is missing or unknown"
        raise ValueError(f"not a record of an applied environment: {problem}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"not a record of an applied environment: {error}") from error


def require_text(value: object) -> str:
    """Return `value`; raises TypeError unless it is text."""
    if not isinstance(value, str):
        raise TypeError(f"{_shown(value)} is not text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{_shown(value)} is not the number of a generation")
    return value


def require_bool(value: object) -> bool:
    """Return `value`; raises TypeError unless it is true or false (Python takes the text "false" for true)."""
    if not isinstance(value, bool):
        raise TypeError(f"{_shown(value)} is neither `true` nor `false`")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{_shown(value)} is not a list")
    return value


def _shown(value: object) -> str:
    """Return a value of a record for a message, as JSON."""
    return in_backticks(json.dumps(value, ensure_ascii=False, default=str))


def _package_to_json(package: LockedPackage) -> dict[str, Json]:
    kind = _KIND_OF[type(package.source)]
    source = to_json(package.source)
    if not isinstance(source, dict):
        raise TypeError(kind)
    return {"name": package.name, "version": package.version, "source": {"kind": kind, **source}}


def _package_from_json(stored: Mapping[str, Any]) -> LockedPackage:
    version = stored["version"]
    return LockedPackage(
        name=require_text(stored["name"]),
        version=None if version is None else require_text(version),
        source=_source_from_json(stored["source"]),
    )


def _source_from_json(stored: Mapping[str, Any]) -> Source:
    fields: dict[str, Any] = {
        key: require_bool(value) if key == "editable" else require_text(value)
        for key, value in stored.items()
        if key != "kind"
    }
    source = _SOURCES[stored["kind"]](**fields)
    match source:
        case IndexFile() | ArchiveFile() | VcsCommit() | SourceDirectory():
            return source
        case _:
            assert_never(source)


_SOURCES: dict[str, type[IndexFile] | type[ArchiveFile] | type[VcsCommit] | type[SourceDirectory]] = {
    "index": IndexFile,
    "archive": ArchiveFile,
    "vcs": VcsCommit,
    "directory": SourceDirectory,
}
_KIND_OF = {source: kind for kind, source in _SOURCES.items()}
