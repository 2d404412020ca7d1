"""Writes a snapshot, and reads one that anybody may have written: hostile input, as all that comes from a file."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler.canonical_json import Json, to_json
from reconciler.errors import SnapshotError
from reconciler.interpreters.model import Interpreter
from reconciler.json_output import json_text, outgoing
from reconciler.observe.actual import ActualEnvironment, Distribution, Finding, InstalledFrom
from reconciler.snapshot.document import FORMAT_VERSION, SnapshotDocument
from reconciler.snapshot.interpreters import KnownInterpreters
from reconciler.snapshot.model import Snapshot
from reconciler.snapshot.string_encoding import leaving, leaving_settings, leaving_text
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json
from reconciler.state.given_file import read_given_file

LARGEST = 256 * 1024 * 1024  # bytes
_MOST_TOLD = 10
_HINT = "take a new one on the host: `envsync observe --out FILE`"


def snapshot_json(snapshot: Snapshot) -> str:
    """Return a snapshot as ASCII JSON that ends with a line end; no secret is in it."""
    known = snapshot.interpreters
    listed = [(each, True) for each in known.found] + [(each, False) for each in known.others]
    head: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "envsync": snapshot.version,
        "project": snapshot.project,
        "root": leaving_text(snapshot.root),
        "platform": snapshot.platform,
        "depth": to_json(snapshot.depth),
        "taken": snapshot.taken,
        "selected": snapshot.selected,
    }
    environments: dict[str, Json] = {
        name: {"actual": _actual(each), "applied": _applied(snapshot.applied.get(name))}
        for name, each in sorted(snapshot.environments.items())
    }
    interpreters: list[Json] = [_interpreter(each, found=found) for each, found in listed]
    return json_text({**head, "interpreters": interpreters, "environments": environments}, indent=1)


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot in a file; raises SnapshotError with the file, the place in it and what is wrong."""
    try:
        content = read_given_file(path, largest=LARGEST)
    except ValueError as error:
        raise SnapshotError(f"{path}: {error}", hint=_HINT) from error
    try:
        document = SnapshotDocument.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise _refused(path, error) from error
    root, depth = document.root, document.depth
    interpreters = {True: list[Interpreter](), False: list[Interpreter]()}
    for each in document.interpreters:
        facts = each.model_dump(exclude={"found", "tags"})
        interpreters[each.found].append(Interpreter(**facts, tags=tuple(each.tags)))
    environments, applied = {}, {}
    for name, both in document.environments.items():
        environments[name] = _stood(both.actual.model_dump(), name=name, path=str(Path(root) / name), depth=depth)
        if both.applied is not None:
            applied[name] = applied_from_json({"name": name, **both.applied.model_dump()})
    return Snapshot(
        project=document.project,
        root=root,
        version=document.envsync,
        platform=document.platform,
        taken=document.taken,
        depth=depth,
        selected=document.selected,
        interpreters=KnownInterpreters(found=tuple(interpreters[True]), others=tuple(interpreters[False])),
        environments=environments,
        applied=applied,
    )


def _actual(actual: ActualEnvironment) -> Json:
    """Return what stands there; name, path and depth are told once, above."""
    return {
        "occupant": to_json(actual.occupant),
        "generation": actual.generation,
        "seal": leaving_text(actual.seal),
        "python": leaving_text(actual.python),
        "home": leaving_text(actual.home),
        "system_site_packages": actual.system_site_packages,
        "distributions": [leaving(to_json(each)) for each in actual.distributions],
        "findings": [leaving(to_json(each)) for each in actual.findings],
    }


def _applied(applied: Applied | None) -> Json:
    if applied is None:
        return None
    found = applied_to_json(applied)
    del found["name"]
    settings = leaving_settings(applied.settings)
    return {key: settings if key == "settings" else leaving(each) for key, each in found.items()}


def _interpreter(interpreter: Interpreter, *, found: bool) -> Json:
    return {
        "path": leaving_text(interpreter.path),
        "version": interpreter.version,
        "implementation": leaving_text(interpreter.implementation),
        "markers": outgoing(dict(interpreter.markers)),
        "tags": list(interpreter.tags),
        "found": found,
    }


def _stood(fields: dict[str, Any], **told: Any) -> ActualEnvironment:
    distributions = tuple(
        Distribution(**{**each, "origin": InstalledFrom(**each["origin"])}) for each in fields.pop("distributions")
    )
    findings = tuple(Finding(**each) for each in fields.pop("findings"))
    return ActualEnvironment(**told, **fields, distributions=distributions, findings=findings)


def _refused(path: Path, error: ValidationError) -> SnapshotError:
    """Return what is wrong as one error; quotes nothing of the file but its keys."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    versions = [each for each in problems if each["loc"] == ("format_version",)]
    if versions and versions[0]["type"] == "string_pattern_mismatch":
        return SnapshotError(
            f"{path}: format_version: not one that this envsync knows ({FORMAT_VERSION})",
            hint="judge it with the envsync that wrote it, or take a new one",
        )
    lines = [f"{_place(each['loc'])}{_sentence(each['msg'])}" for each in problems]
    rest = len(lines) - 1 - _MOST_TOLD
    details = (*lines[1 : 1 + _MOST_TOLD], *([f"and {rest} more"] if rest > 0 else []))
    return SnapshotError(f"{path}: {lines[0]}", hint=_HINT, details=details)


def _place(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in location).lstrip(".")
    return f"{text}: " if text else ""


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
