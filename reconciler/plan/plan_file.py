"""A plan in a file: write it for `plan --out`, read it and check it (docs/design.md, "Plan")."""

import json
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from reconciler.backticks import list_in_backticks
from reconciler.canonical_json import Json, canonical_text
from reconciler.errors import PlanFileError
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.read import read_regular, reason
from reconciler.fs.sync import naming
from reconciler.plan.document import FORMAT_PATTERN, PlanDocument, plan_document, plan_from_document, plan_json
from reconciler.plan.model import FORMAT_VERSION, Plan

LARGEST = 16 * 1024 * 1024  # bytes; 100 changed packages in each of 300 environments
_MOST_URLS = 300_000  # with their parameters: secrets are looked for in each; a plan has one or two for a package
_HINT = "create a new plan with `envsync plan --out FILE`"
_DISPLAY_ONLY = "not saved: a plan made with `--against` or `--only` is for display and cannot be applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """The document in a plan file, and its plan without targets, which can be shown but not applied."""

    file: Path
    document: PlanDocument
    plan: Plan

    @property
    def id(self) -> str:
        """Return the digest of the plan that the file records."""
        return self.document.id


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan as `--output json` prints it; a reader sees the old file or the new one.

    Raises PlanFileError if the plan cannot be applied, or if the path exists and is not a regular file; OSError if it
    cannot be written.
    """
    unknown = [each.name for each in plan.environments if not each.complete and not each.blocked]
    if plan.against or plan.only:
        _refuse(path, _DISPLAY_ONLY, "save the whole plan that `Workspace.plan` returned")
    if unknown:
        what = f"not saved: the packages of {list_in_backticks(unknown)} are unknown"
        _refuse(path, what, "run `envsync lock`, then `envsync plan --out FILE`")
    with suppress(OSError):  # The file does not exist yet, or writing it reports the error.
        # The rename would replace a symbolic link such as /dev/stdout.
        if not stat.S_ISREG(path.lstat().st_mode):
            _refuse(path, "not saved: not a regular file", "choose the path of a regular file")
    content = plan_json(plan).encode("ascii")
    if len(content) > LARGEST:
        what = f"not saved: the plan has more than {LARGEST // 1024 // 1024} MiB"
        _refuse(path, what, "plan fewer environments at a time: `envsync plan --out FILE NAME`")
    with naming(path):
        write_atomic(path, content)


def read_plan(path: Path) -> SavedPlan:
    """Read a saved plan.

    Keys that a newer minor version of the format adds are ignored, and keys that an older one lacks get their defaults.
    Raises PlanFileError if the file is not a plan, has an unknown format, or was edited. An edit is only detected in
    the format that this version writes.
    """
    text = _text(path)
    if sum(map(text.count, ("://", "?", "&", "#", ";"))) > _MOST_URLS:
        _refuse(path, f"not a plan: more than {_MOST_URLS:,} URLs and parameters of URLs", _HINT)
    found = _json(path, text)
    version = found.get("format_version")
    if isinstance(version, str) and re.fullmatch(r"[0-9]+\.[0-9]+", version) and not re.match(FORMAT_PATTERN, version):
        supported = FORMAT_VERSION.partition(".")[0]
        what = f"the plan has format {version}, but this version of envsync reads format {supported}"
        _refuse(path, what, _HINT)
    try:
        document = PlanDocument.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        hint = f"{_HINT}: this file was written by a newer version (format {version})" if _is_newer(version) else _HINT
        _refuse(path, f"not a plan: {where}: {first['msg'].lower()}", hint)
    if not document.root.startswith("/"):
        _refuse(path, "not a plan: root: not an absolute path", _HINT)
    plan = plan_from_document(document)
    as_written = plan_document(plan).model_dump(mode="json")
    if version == FORMAT_VERSION and canonical_text(as_written) != canonical_text(found):
        _refuse(path, "edited since it was written: its contents and its digest do not match", _HINT)
    return SavedPlan(file=path, document=document, plan=plan)


def _is_newer(version: Json) -> bool:
    """Return whether a format has a larger minor version than the one that is written here."""
    minor = re.fullmatch(r"1\.([0-9]{1,9})", version) if isinstance(version, str) else None
    return minor is not None and int(minor[1]) > int(FORMAT_VERSION.partition(".")[2])


def _text(path: Path) -> str:
    """Return the text of a regular file of at most 16 MiB."""
    try:
        return read_regular(path, limit=LARGEST, follow=True).decode("utf-8")
    except UnicodeDecodeError:
        _refuse(path, "not a plan: not UTF-8", _HINT)
    except OSError as error:
        _refuse(path, reason(error), _HINT)


def _json(path: Path, text: str) -> dict[str, Json]:
    try:
        found = json.loads(text, object_pairs_hook=_keys_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        words = error.msg.lower().removesuffix(" at").removesuffix(" starting")  # the position follows in Python's text
        _refuse(path, f"not a plan: not valid JSON at line {error.lineno}, column {error.colno}: {words}", _HINT)
    except (ValueError, RecursionError) as error:  # for example a number of 5,000 digits, or 100,000 brackets
        words = str(error).partition(";")[0]
        _refuse(path, f"not a plan: {words[:1].lower()}{words[1:]}", _HINT)
    if not isinstance(found, dict):
        _refuse(path, "not a plan: not a JSON object", _HINT)
    return found


def _keys_once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key in an object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is not valid JSON")


def _refuse(path: Path, what: str, hint: str) -> NoReturn:
    raise PlanFileError(f"{path}: {what}", hint=hint)
