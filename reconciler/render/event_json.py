"""Events as JSON, one object a line; the schema is in `reconciler.render.event_document`."""

from dataclasses import fields
from typing import assert_never

from reconciler.canonical_json import Json, to_json
from reconciler.events import (
    EnvironmentFinished,
    Event,
    Notice,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from reconciler.json_output import json_text, safe_json
from reconciler.plan.model import FORMAT_VERSION
from reconciler.render.manifest_option import with_manifest_option

_MILLISECONDS = 3


def event_json(event: Event) -> str:
    """Return an event as one line of ASCII JSON that ends with a line end; `seconds` to the millisecond."""
    document: dict[str, Json] = {"format_version": FORMAT_VERSION, "type": event_type(event)}
    for each in fields(event):
        value = _rounded(to_json(getattr(event, each.name)))
        document[each.name] = safe_json(value, sentence=with_manifest_option)
    if isinstance(event, RunFinished):
        document["exit_code"] = event.exit_code
    return json_text(document)


def event_type(event: Event) -> str:
    """Return the value of `type`, by which readers of the stream tell events apart."""
    match event:
        case RunStarted():
            return "run-started"
        case StepStarted():
            return "step-started"
        case StepFinished():
            return "step-finished"
        case EnvironmentFinished():
            return "environment-finished"
        case Notice():
            return "notice"
        case RunFinished():
            return "run-finished"
        case _:
            assert_never(event)


def _rounded(value: Json) -> Json:
    match value:
        case float():
            return round(value, _MILLISECONDS)
        case list():
            return [_rounded(each) for each in value]
        case dict():
            return {key: _rounded(each) for key, each in value.items()}
        case _:
            return value
