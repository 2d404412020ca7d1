"""The schemas of plan and event stream are those of the models, and what comes out is valid by them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.plan.document import PlanDocument, plan_document, plan_json, plan_schema
from reconciler.render.event_document import event_schema
from reconciler.render.events_json import event_json
from tests.render.pictures import load_plan
from tests.render.runs import EVENTS

ROOT = Path(__file__).parent.parent
WORLDS = sorted((ROOT / "tests" / "cases").glob("[pr]*/*.yaml"))
SCHEMAS = {"plan": plan_schema, "events": event_schema}


@pytest.mark.parametrize("name", SCHEMAS)
def test_committed_schema_is_fresh(name: str) -> None:
    committed = (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(SCHEMAS[name](), indent=2) + "\n", (
        f"envsync schema {name} > schemas/{name}.schema.json"
    )


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


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_every_plan_is_valid_by_its_schema(path: Path) -> None:
    plan = load_plan(path)
    text = plan_json(plan)
    found = json.loads(text)
    validator(plan_schema()).validate(found)
    assert text == plan_json(load_plan(path))
    assert PlanDocument.model_validate_json(text) == plan_document(plan)
    assert found["id"] == plan.id
    assert found["format_version"] == "1.0"
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
        assert found["format_version"] == "1.0"
        assert found["type"] == re.sub(r"(?<!^)(?=[A-Z])", "-", type(event).__name__).lower()
        kinds.add(found["type"])
    assert kinds == set(re.findall(r'"const": "([a-z-]+)"', json.dumps(event_schema())))


def test_run_finished_tells_the_exit_code_and_seconds_to_the_millisecond() -> None:
    found = json.loads(event_json(EVENTS[-1]))
    assert found["exit_code"] == 4
    assert found["environments"][0]["seconds"] == 1.234
    assert found["environments"][1]["failure"]["details"][2] == "ModuleNotFoundError: django"


def test_a_broken_document_is_not_valid() -> None:
    found = json.loads(plan_json(load_plan(WORLDS[0])))
    found["environments"][0]["action"] = "explode"
    assert not validator(plan_schema()).is_valid(found)
    assert not validator(event_schema()).is_valid({"type": "notice"})
