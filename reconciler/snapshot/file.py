"""Write a snapshot file, and read one. Like every file, a snapshot is untrusted input."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler.canonical_json import Json, to_json
from reconciler.diff.model import Fault, ReasonCode
from reconciler.errors import NewerFormatError, SnapshotError
from reconciler.fs.read import read_regular, reason
from reconciler.interpreters.model import Interpreter
from reconciler.json_output import json_text, safe_json
from reconciler.observe.actual import ActualEnvironment, Distribution, Finding, InstalledFrom
from reconciler.snapshot.document import FORMAT_VERSION, SnapshotDocument
from reconciler.snapshot.interpreters import KnownInterpreters
from reconciler.snapshot.model import Snapshot
from reconciler.snapshot.string_encoding import encode_json, encode_string, redact_settings
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json

LARGEST_BYTES = 64 * 1024 * 1024
_MOST_VALUES = 4_000_000  # a snapshot of that size has a third of them
_MAX_DETAILS = 10
_HINT = "take a new snapshot on the host with `envsync observe --out FILE`"


def snapshot_json(snapshot: Snapshot) -> str:
    """Return a snapshot as ASCII JSON that ends with a newline; secrets in it are redacted."""
    known = snapshot.interpreters
    listed = [(each, True) for each in known.found] + [(each, False) for each in known.others]
    head: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "envsync": snapshot.version,
        "project": snapshot.project,
        "root": encode_string(snapshot.root),
        "platform": snapshot.platform,
        "depth": to_json(snapshot.depth),
        "taken": snapshot.taken,
        "selected": snapshot.selected,
    }
    environments: dict[str, Json] = {
        name: {
            "actual": _encode_actual(each),
            "applied": _encode_applied(snapshot.applied.get(name)),
            **({"fault": encode_json(to_json(snapshot.faults[name]))} if name in snapshot.faults else {}),
        }
        for name, each in sorted(snapshot.environments.items())
    }
    interpreters: list[Json] = [_encode_interpreter(each, found=found) for each, found in listed]
    return json_text({**head, "interpreters": interpreters, "environments": environments}, indent=1)


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot in a file; raises SnapshotError with the file, the place in it and the problem."""
    try:
        content = read_regular(path, limit=LARGEST_BYTES, follow=True)
    except OSError as error:
        raise SnapshotError(f"{path}: {reason(error)}", hint=_HINT) from error
    if content.count(b",") > _MOST_VALUES:
        raise SnapshotError(f"{path}: more than {_MOST_VALUES:,} values", hint=_HINT)
    try:
        document = SnapshotDocument.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise _invalid(path, error) from error
    root, depth = document.root, document.depth
    interpreters = {True: list[Interpreter](), False: list[Interpreter]()}
    for each in document.interpreters:
        facts = each.model_dump(exclude={"found", "tags"})
        interpreters[each.found].append(Interpreter(**facts, tags=tuple(each.tags)))
    environments, applied, faults = {}, {}, {}
    for name, both in document.environments.items():
        environments[name] = _decode_actual(
            both.actual.model_dump(), name=name, path=str(Path(root) / name), depth=depth
        )
        if both.applied is not None:
            stored = both.applied.model_dump(exclude={"built_as"})
            applied[name] = replace(applied_from_json({"name": name, **stored}), built_as=both.applied.built_as)
        if both.fault is not None:
            faults[name] = Fault(code=ReasonCode(both.fault.code), message=both.fault.message, hint=both.fault.hint)
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
        faults=faults,
    )


def _encode_actual(actual: ActualEnvironment) -> Json:
    """Return an environment's actual state; its name, path and depth are elsewhere in the document."""
    return {
        "occupant": to_json(actual.occupant),
        "generation": actual.generation,
        "seal": encode_string(actual.seal),
        "python": encode_string(actual.python),
        "home": encode_string(actual.home),
        "system_site_packages": actual.system_site_packages,
        "distributions": [encode_json(to_json(each)) for each in actual.distributions],
        "findings": [encode_json(to_json(each)) for each in actual.findings],
        "ignored": [encode_json(to_json(each)) for each in actual.ignored],
    }


def _encode_applied(applied: Applied | None) -> Json:
    if applied is None:
        return None
    found = applied_to_json(applied)
    del found["name"], found["repository"]
    found["built_as"] = applied.built_as  # on a host, its directory says it
    settings = redact_settings(applied.settings)
    return {key: settings if key == "settings" else encode_json(each) for key, each in found.items()}


def _encode_interpreter(interpreter: Interpreter, *, found: bool) -> Json:
    return {
        "path": encode_string(interpreter.path),
        "version": interpreter.version,
        "implementation": encode_string(interpreter.implementation),
        "markers": safe_json(dict(interpreter.markers)),
        "tags": list(interpreter.tags),
        "found": found,
    }


def _decode_actual(fields: dict[str, Any], **given: Any) -> ActualEnvironment:
    distributions = tuple(
        Distribution(**{**each, "origin": InstalledFrom(**each["origin"])}) for each in fields.pop("distributions")
    )
    findings = tuple(Finding(**each) for each in fields.pop("findings"))
    ignored = tuple(Finding(**each) for each in fields.pop("ignored"))
    return ActualEnvironment(**given, **fields, distributions=distributions, findings=findings, ignored=ignored)


def _invalid(path: Path, error: ValidationError) -> SnapshotError:
    """Return all problems as one error, which quotes only the keys of the file and none of its values."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    versions = [each for each in problems if each["loc"] == ("format_version",)]
    if versions and versions[0]["type"] == "string_pattern_mismatch":
        return SnapshotError(
            f"{path}: format_version: unknown; this version of envsync reads format {FORMAT_VERSION}",
            hint=f"{NewerFormatError.cure}, or take a new snapshot",
        )
    lines = [f"{_key_path(each['loc'])}{_problem(each['msg'])}" for each in problems]
    rest = len(lines) - 1 - _MAX_DETAILS
    details = (*lines[1 : 1 + _MAX_DETAILS], *([f"and {rest} more"] if rest > 0 else []))
    return SnapshotError(f"{path}: {lines[0]}", hint=_HINT, details=details)


def _key_path(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in location).lstrip(".")
    return f"{text}: " if text else ""


def _problem(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
