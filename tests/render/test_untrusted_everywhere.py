"""Every function that returns what a command prints escapes every string, in every field of every value.

The functions are found in `reconciler/render`, and their values are made from the types of their parameters. So a new
one is tested without a change here. `render_report` is tested in tests/test_every_format.py.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin, get_type_hints

import pytest

import reconciler.render
from reconciler.apply.collect_cache import CollectedCache
from reconciler.errors import EnvsyncError, ManifestError, Problem
from reconciler.plan.model import EnvironmentPlan, Plan
from reconciler.render.error_text import render_problems
from reconciler.render.style import Palette
from tests.render.pictures import CASES, load_plan
from tests.render.untrusted import NASTY, SECRET, assert_clean_json, assert_clean_text, replace_strings

PLANS = [load_plan(path) for path in sorted(CASES.glob("*.yaml"))]
Renderer = Callable[..., str]
FIXED: dict[Any, dict[str, str]] = {CollectedCache: {"kind": "packages"}}
"""Fields whose values are only words of envsync."""


def renderers() -> Iterator[Renderer]:
    """Yield the functions whose text is printed as it is."""
    for module in pkgutil.iter_modules(reconciler.render.__path__):
        found = importlib.import_module(f"reconciler.render.{module.name}")
        for name, each in vars(found).items():
            printed = name.startswith("render_") or name.endswith("_json")
            if printed and inspect.isfunction(each) and each.__module__ == found.__name__ and name != "render_report":
                yield each


class Filled:
    """Makes a value of any type with one text in every string, and `choice` among the alternatives of a type."""

    def __init__(self, text: str, choice: int) -> None:
        self.text = text
        self.choice = choice

    def value(self, hint: Any) -> Any:
        """Return a value of a type; a sequence has two members, so that separators are printed."""
        origin, arguments = get_origin(hint), get_args(hint)
        if hint is Palette:
            return Palette.plain()
        if hint is ManifestError:
            return ManifestError((self.value(Problem),))
        if hint is Plan or hint is EnvironmentPlan:
            plan = replace_strings(PLANS[self.choice % len(PLANS)], self.text)
            return plan if hint is Plan else plan.environments[self.choice % len(plan.environments)]
        if hint is EnvsyncError:
            return EnvsyncError(self.text, hint=self.text, details=(self.text, self.text))
        if origin in {UnionType, Union}:
            return self.value(arguments[self.choice % len(arguments)])
        if origin is Literal:
            return arguments[self.choice % len(arguments)]
        if origin is tuple and arguments[-1:] != (...,):
            return tuple(self.value(each) for each in arguments)
        if origin is not None and issubclass(origin, Mapping):
            key, each = arguments
            return {self.value(key): self.value(each)}
        if origin is not None and issubclass(origin, Sequence | frozenset | set):
            made = [self.value(arguments[0]), self.value(arguments[0])]
            return made if origin is list or origin.__module__ == "collections.abc" else origin(made)
        if is_dataclass(hint):
            hints = get_type_hints(hint)
            kind: Any = hint
            strings = {each.name: self.value(hints[each.name]) for each in fields(hint) if each.init}
            return kind(**{**strings, **FIXED.get(hint, {})})
        return self._single(hint)

    def _single(self, hint: Any) -> Any:
        if hint is NoneType:
            return None
        if isinstance(hint, ForwardRef) or hint is str or get_origin(hint) is not None:
            return self.text  # a forward reference is only in the recursive type of JSON
        if hint is Path:
            return Path("/srv", self.text.replace("\0", ""))
        if issubclass(hint, Enum):
            return list(hint)[self.choice % len(hint)]
        return {bool: bool(self.choice % 2), int: 40 + self.choice, float: 1.5}[hint]


RUN_KEYS = ("name", "action", "status", "generation")


def arguments(renderer: Renderer, filled: Filled) -> dict[str, Any]:
    hints = get_type_hints(renderer)
    found = {name: filled.value(hints[name]) for name in inspect.signature(renderer).parameters if name != "zone"}
    if "runs" in found:  # JSON: only these keys are printed
        row = dict.fromkeys(RUN_KEYS, filled.text) | {"reasons": [filled.text, filled.text]}
        found["runs"] = [{"at": filled.text, "by": filled.text, "environments": [row, row]}]
    return found


FOUND = list(renderers())


def test_the_functions_of_every_command_are_found() -> None:
    names = {each.__name__ for each in FOUND}
    assert {"render_plan", "render_status", "render_runs", "render_generations", "render_gc", "render_error"} <= names
    assert {"event_json", "status_json", "gc_json", "changed_json", "error_json", "verification_json"} <= names


@pytest.mark.parametrize("renderer", FOUND, ids=lambda each: f"{each.__module__.rpartition('.')[2]}.{each.__name__}")
def test_no_string_is_printed_raw(renderer: Renderer) -> None:
    for text in NASTY:
        if renderer is render_problems and SECRET in text:
            continue  # no line with credentials gets here: tests/functional/test_no_secret_leaves.py
        for choice in range(6):
            given = arguments(renderer, Filled(text, choice))
            positional = [
                given.pop(each.name)
                for each in inspect.signature(renderer).parameters.values()
                if each.kind is not each.KEYWORD_ONLY and each.name in given
            ]
            printed = renderer(*positional, **given)
            if renderer.__name__.endswith("_json"):
                assert_clean_json(printed)
            elif printed:
                assert_clean_text(printed.removesuffix("\n") + "\n")
