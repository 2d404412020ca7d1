"""A plan as a version of envsync with other words makes it: every sentence in it is a different one."""

from typing import Any, TypeVar

from reconciler.plan.document import WORDING, Document, plan_document, plan_from_document
from reconciler.plan.model import Plan

WORDS = "other words"

Value = TypeVar("Value")


def reworded(plan: Plan) -> Plan:
    """Return the plan with the same words in the place of every sentence that is not empty, and without targets."""
    return plan_from_document(_reworded(plan_document(plan)))


def _reworded(value: Value) -> Value:
    found: Any = value
    match value:
        case Document():
            fields = type(value).model_fields.items()
            replaced = {
                name: _other_words(each) if WORDING in field.metadata else _reworded(each)
                for name, field in fields
                for each in [getattr(value, name)]
            }
            found = value.model_copy(update=replaced)
        case list():
            found = [_reworded(each) for each in value]
    return found  # type: ignore[no-any-return]


def _other_words(sentences: str | list[str]) -> str | list[str]:
    if isinstance(sentences, list):
        return [WORDS for _ in sentences]
    return WORDS if sentences else ""
