"""The JSON Schemas of plans, events, errors and snapshots are schemas, and all output is valid by them."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import reconciler
from reconciler.errors import EngineError, EnvsyncError, ManifestError, Place, Problem
from reconciler.events import Event, Failure, RunFinished
from reconciler.plan.document import PlanDocument, plan_document, plan_json, plan_schema
from reconciler.plan.model import FORMAT_VERSION
from reconciler.render.error_document import error_json, error_schema
from reconciler.render.event_document import event_schema
from reconciler.render.event_json import event_json
from reconciler.snapshot.document import snapshot_schema
from tests.render.pictures import load_plan
from tests.render.sample_events import CREATED, EVENTS
from tests.render.untrusted import NASTY, assert_clean_json, replace_strings

ROOT = Path(__file__).parent.parent
WORLDS = sorted((ROOT / "tests" / "cases").glob("[pr]*/*.yaml"))
SCHEMAS = {"plan": plan_schema, "events": event_schema, "error": error_schema, "snapshot": snapshot_schema}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_a_schema_with_title_and_description(name: str) -> None:
    schema = SCHEMAS[name]()
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    assert "$id" not in json.dumps(schema)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Return a validator that, unlike the schema, also refuses keys that the schema does not know."""
    closed = json.loads(json.dumps(schema))
    for each in [closed, *closed["$defs"].values()]:
        if each.get("type") == "object":
            each["additionalProperties"] = False
    return Draft202012Validator(closed)


@cache
def validator_of(name: str) -> Draft202012Validator:
    return validator(SCHEMAS[name]())


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_every_plan_is_valid_by_its_schema(path: Path) -> None:
    plan = load_plan(path)
    text = plan_json(plan)
    found = json.loads(text)
    validator(plan_schema()).validate(found)
    assert text == plan_json(load_plan(path))
    assert PlanDocument.model_validate_json(text) == plan_document(plan)
    assert found["id"] == plan.id
    assert found["format_version"] == FORMAT_VERSION == "1.1"
    assert found["difference"] is plan.has_difference
    assert (found["complete"], found["applyable"]) == (plan.complete, plan.applyable)
    assert [each["name"] for each in found["environments"]] == [each.name for each in plan.environments]
    changes = [each for each in found["environments"] if each["action"] != "no-op" or each["blocked"]]
    assert bool(changes) is plan.has_difference
    assert sum(found["summary"].values()) == len(found["environments"])
    assert "hunter" not in text


def test_every_event_is_valid_by_its_schema_and_one_line() -> None:
    kinds = set()
    for event in EVENTS:
        line = event_json(event)
        assert line.endswith("\n")
        assert line.count("\n") == 1
        found = json.loads(line)
        validator(event_schema()).validate(found)
        assert found["format_version"] == FORMAT_VERSION == "1.1"
        assert found["type"] == re.sub(r"(?<!^)(?=[A-Z])", "-", type(event).__name__).lower()
        kinds.add(found["type"])
    kinds.add("error")  # it is not an event of the core, but it can be the last line of a stream
    assert kinds == set(re.findall(r'"const": "([a-z-]+)"', json.dumps(event_schema())))


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_every_plan_with_untrusted_strings_is_valid_by_its_schema(path: Path) -> None:
    plan = load_plan(path)
    for text in ("".join(NASTY), ""):
        untrusted = plan_json(replace_strings(plan, text))
        assert_clean_json(untrusted)
        validator_of("plan").validate(json.loads(untrusted))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_with_untrusted_strings_is_valid_by_its_schema(event: Event) -> None:
    for text in (*NASTY, "".join(NASTY), ""):
        line = event_json(replace_strings(event, text))
        assert_clean_json(line)
        validator_of("events").validate(json.loads(line))


def every_error(kind: type[EnvsyncError] = EnvsyncError) -> Iterator[type[EnvsyncError]]:
    for each in kind.__subclasses__():
        yield each
        yield from every_error(each)


def test_every_error_has_its_own_code() -> None:
    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if module.name != "reconciler.__main__":
            importlib.import_module(module.name)
    kinds = [each for each in every_error() if each.__module__.startswith("reconciler.")]
    codes = [vars(each).get("code") for each in kinds]
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code or "") for code in codes), sorted(map(str, codes))
    assert len(set(codes)) == len(codes) > 30


@pytest.mark.parametrize(
    "error",
    [
        ManifestError(
            (
                Problem(
                    message="no value", path="root", place=Place(file="a\x1b\udcff.yaml", line=3, column=1), hint=None
                ),
                Problem(message="a URL with https://me:hunter2@host/", hint="https://me:hunter2@host/"),
            )
        ),
        EngineError("failed ##vso[task]", hint="https://me:hunter2@host/", details=("one\n::error two", "\x1b[31m")),
    ],
)
def test_every_error_is_valid_by_both_schemas_and_contains_no_secret(error: EnvsyncError) -> None:
    line = error_json(error, one_line=True)
    assert (line.count("\n"), line.isascii()) == (1, True)
    assert "##" not in line
    assert "hunter2" not in line
    assert json.loads(line) == json.loads(error_json(error, one_line=False))
    for schema in (error_schema(), event_schema()):
        validator(schema).validate(json.loads(line))
    found = json.loads(line)
    assert (found["exit_code"], found["error"]["code"]) == (error.exit_code, error.code)
    problems = [(each["path"], bool(each["place"]), bool(each["hint"])) for each in found["error"]["problems"]]
    expected = error.problems if isinstance(error, ManifestError) else ()
    assert problems == [(each.path, each.place is not None, each.hint is not None) for each in expected]


def test_run_finished_has_the_exit_code_and_seconds_to_the_millisecond() -> None:
    found = json.loads(event_json(EVENTS[-1]))
    assert found["exit_code"] == 4
    assert found["environments"][0]["seconds"] == 1.234
    assert found["environments"][1]["failure"]["details"][2] == "ModuleNotFoundError: django"


def test_a_failed_garbage_collection_is_in_the_last_event_and_its_exit_code() -> None:
    failure = Failure(code="gc-failed", message="x could not be deleted", hint="")
    found = json.loads(event_json(RunFinished(environments=(CREATED,), failure=failure)))
    validator(event_schema()).validate(found)
    assert (found["exit_code"], found["failure"]["code"]) == (4, "gc-failed")


def test_a_broken_document_is_not_valid() -> None:
    found = json.loads(plan_json(load_plan(WORLDS[0])))
    found["environments"][0]["action"] = "explode"
    assert not validator(plan_schema()).is_valid(found)
    assert not validator(event_schema()).is_valid({"type": "notice"})
