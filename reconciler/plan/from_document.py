"""A plan's document as the plan that it was made from; the documents have the models' names."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from reconciler.plan.document import PlanDocument
from reconciler.plan.model import Plan


def rebuilt(document: PlanDocument) -> Plan:
    """Return the plan of a document, without targets: those are no part of it."""
    plan: Plan = _rebuilt(Plan, document)
    return plan


def _rebuilt(kind: Any, value: Any) -> Any:
    """Return a document's value as `kind`, the annotation of a model's field, has it: dataclasses, tuples, sets."""
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        hints = _hints(kind)
        names = [each.name for each in fields(kind) if each.name in type(value).model_fields]
        return kind(**{name: _rebuilt(hints[name], getattr(value, name)) for name in names})
    arguments = get_args(kind)
    match get_origin(kind):
        case origin if origin is tuple and len(arguments) == 2 and arguments[1] is not Ellipsis:
            return tuple(_rebuilt(inner, each) for inner, each in zip(arguments, value, strict=True))
        case origin if origin in {tuple, frozenset}:
            return origin(_rebuilt(arguments[0], each) for each in value)
        case origin if origin in {Union, UnionType} and value is not None:
            inner = [each for each in arguments if each is not type(None)]
            return _rebuilt(inner[0], value) if len(inner) == 1 else value
        case _:
            return value


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)
