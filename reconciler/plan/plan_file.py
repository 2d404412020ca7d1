"""A plan in a file: what `plan --out` writes, and what of it is believed when it is read back (design, section 7)."""

import json
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from reconciler.canonical_json import Json, canonical_text
from reconciler.errors import PlanFileError
from reconciler.fs.atomic_write import naming, write_atomic
from reconciler.plan.document import FORMAT_PATTERN, PlanDocument, plan_document, plan_json
from reconciler.plan.from_document import rebuilt
from reconciler.plan.model import FORMAT_VERSION, Plan
from reconciler.state.given_file import read_given_file

LARGEST = 64 * 1024 * 1024  # bytes
_HINT = "a plan is written by `envsync plan --out FILE`"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan as its file has it, and the plan that it tells of, without the targets: to be shown, not applied."""

    file: Path
    document: PlanDocument
    plan: Plan

    @property
    def id(self) -> str:
        """Return the plan's digest, as recorded."""
        return self.document.id


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan as `--output json` prints it; a reader sees the old file or the new one.

    Raises PlanFileError for a plan that nobody could apply as it stands, or a path that is no file's; OSError.
    """
    unknown = [each.name for each in plan.environments if not each.complete]
    if plan.against or plan.only:
        _refuse(path, "not saved: it only tells, and cannot be applied", "plan without --against and --only")
    if unknown:
        what = f"not saved: the packages of {', '.join(unknown)} are not known"
        _refuse(path, what, "run `envsync lock`, and plan again")
    with suppress(OSError):  # there is none yet; or the write says why
        if not stat.S_ISREG(path.lstat().st_mode):  # nor a link, such as /dev/stdout: the rename would replace it
            _refuse(path, "not saved: not a regular file", "name a file")
    with naming(path):
        write_atomic(path, plan_json(plan).encode("ascii"))


def read_plan(path: Path) -> SavedPlan:
    """Read a saved plan; raises PlanFileError for whatever is no plan, or one of a format that is not known here.

    What a newer minor version of the format adds is passed over.
    """
    text = _text(path)
    found = _json(path, text)
    version = found.get("format_version")
    newer = version != FORMAT_VERSION
    if isinstance(version, str) and re.fullmatch(r"[0-9]+\.[0-9]+", version) and not re.match(FORMAT_PATTERN, version):
        ours = FORMAT_VERSION.partition(".")[0]
        _refuse(path, f"a plan of format {version}; this envsync reads format {ours}", "plan again with this envsync")
    try:
        document = PlanDocument.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        hint = f"it was written by a newer envsync (format {version})" if newer and isinstance(version, str) else _HINT
        _refuse(path, f"not a plan: {where}: {first['msg'].lower()}", hint)
    if not document.root.startswith("/"):
        _refuse(path, "not a plan: root: not an absolute path", _HINT)
    plan = rebuilt(document)
    if not newer and canonical_text(plan_document(plan).model_dump(mode="json")) != canonical_text(found):
        _refuse(path, "edited since it was written: what it says and its digest are not of one plan", "plan again")
    return SavedPlan(file=path, document=document, plan=plan)


def _text(path: Path) -> str:
    """Return the text of a regular file of at most 64 MiB."""
    try:
        return read_given_file(path, largest=LARGEST).decode("utf-8")
    except UnicodeDecodeError:
        _refuse(path, "not a plan: not UTF-8", _HINT)
    except ValueError as error:
        _refuse(path, str(error), _HINT)


def _json(path: Path, text: str) -> dict[str, Json]:
    try:
        found = json.loads(text, object_pairs_hook=_keys_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _refuse(path, f"not a plan: not JSON at line {error.lineno}, column {error.colno}: {error.msg.lower()}", _HINT)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; a thousand brackets
        _refuse(path, f"not a plan: {str(error).partition(';')[0].lower()}", _HINT)
    if not isinstance(found, dict):
        _refuse(path, "not a plan: not a JSON object", _HINT)
    return found


def _keys_once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _refuse(path: Path, what: str, hint: str) -> NoReturn:
    raise PlanFileError(f"{path}: {what}", hint=hint)
