"""`Applied` and its parts to plain JSON and back; a file that does not fit is a ValueError, never a guess."""

from collections.abc import Mapping
from typing import Any, assert_never

from reconciler.canonical_json import Json, to_json
from reconciler.lock.model import ArchiveFile, IndexFile, LockedPackage, Source, SourceDirectory, VcsCommit
from reconciler.state.applied import Applied, AppliedInterpreter


def applied_to_json(applied: Applied) -> dict[str, Json]:
    """Return `applied` as plain JSON; sources carry their kind."""
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
        "rolled_back_from": applied.rolled_back_from,
        "seal": applied.seal,
    }


def applied_from_json(stored: Mapping[str, Any]) -> Applied:
    """Return the `Applied` that `stored` describes; raises ValueError, naming what is missing or odd."""
    try:
        interpreter = stored["interpreter"]
        return Applied(
            name=text_in(stored["name"]),
            project=text_in(stored["project"]),
            generation=_number(stored["generation"]),
            interpreter=AppliedInterpreter(
                path=text_in(interpreter["path"]),
                version=text_in(interpreter["version"]),
                implementation=text_in(interpreter["implementation"]),
            ),
            packages=tuple(_package_from_json(package) for package in _list(stored["packages"])),
            installed={text_in(key): text_in(value) for key, value in stored["installed"].items()},
            accepted=frozenset(text_in(key) for key in _list(stored["accepted"])),
            settings={text_in(key): value for key, value in stored["settings"].items()},
            prevent_destroy=flag_in(stored["prevent_destroy"]),
            hooks_pending=flag_in(stored.get("hooks_pending", False)),
            rolled_back_from=_number(stored.get("rolled_back_from", 0)),
            seal=text_in(stored["seal"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a record of an applied environment: {error!r}") from error


def text_in(value: object) -> str:
    """Return `value` if it is text; raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is no number of a generation")
    return value


def flag_in(value: object) -> bool:
    """Return `value` if it is true or false; raises TypeError (the text "false" is true to Python)."""
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _package_to_json(package: LockedPackage) -> dict[str, Json]:
    kind = _KIND_OF[type(package.source)]
    source = to_json(package.source)
    if not isinstance(source, dict):
        raise TypeError(kind)
    return {"name": package.name, "version": package.version, "source": {"kind": kind, **source}}


def _package_from_json(stored: Mapping[str, Any]) -> LockedPackage:
    version = stored["version"]
    return LockedPackage(
        name=text_in(stored["name"]),
        version=None if version is None else text_in(version),
        source=_source_from_json(stored["source"]),
    )


def _source_from_json(stored: Mapping[str, Any]) -> Source:
    fields: dict[str, Any] = {
        key: flag_in(value) if key == "editable" else text_in(value) for key, value in stored.items() if key != "kind"
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
