"""Untrusted strings, and the pipeline's values with one in every place where a string can be."""

import json
import re
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from hypothesis import strategies as st

SECRET = "hunter2"  # noqa: S105  # not a real one
NASTY = (
    "\x1b[31m",
    "\x1b]0;title\x07",
    "\r",
    "\n",
    "\n::error::pwned",
    "::error file=x::pwned",
    "##[error]pwned",
    "##vso[task.setvariable]pwned",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufe0f",
    "\u3164",
    "\u2028",
    "\x85",
    "\x9b31m",
    "\x00",
    "\x7f",
    "\t",
    "\udcff",
    "\ud800",
    "<script>&amp;\"'",
    f"https://user:{SECRET}@host.example/x",
    f" https://host.example/?token={SECRET} ",
    "\u65e5\u672c\u8a9e",
    "e\u0301",
)

texts = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=5), st.just(" ")), max_size=6).map("".join)

Value = TypeVar("Value")


def replace_strings(value: Value, text: str) -> Value:
    """Return `value` with every string in it replaced, apart from enums and what apply builds from."""
    return _replaced(value, text)  # type: ignore[no-any-return]


def _replaced(value: Any, text: str) -> Any:
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, tuple | list):
        return type(value)(_replaced(each, text) for each in value)
    if isinstance(value, dict):
        return {_replaced(key, text): _replaced(each, text) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        fixed = {"target", "format_version", "step", "action", "reason", "only"}  # `only` has three allowed values
        names = [each.name for each in fields(value) if each.name not in fixed]
        strings = {name: _replaced(getattr(value, name), text) for name in names}
        return replace(value, **strings)
    return value


def assert_clean_text(text: str) -> None:
    """Assert that a text is safe on a terminal and in a CI log."""
    assert text.endswith("\n")
    text.encode("utf-8")
    assert SECRET not in text
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)
        assert not re.match(r"\s*::\S", line), line  # `:: x` is not a command: names of commands have no space
        assert "##[" not in line
        assert "##vso[" not in line
        assert not {"\ufe0f", "\u3164"} & set(line)


def assert_clean_json(text: str) -> None:
    """Assert that a JSON text is ASCII, has no control characters but line ends, and has only well-formed strings."""
    assert text.endswith("\n")
    assert text.isascii()
    assert all(line.isprintable() for line in text.split("\n"))
    assert SECRET not in text
    json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")  # fails on lone surrogates


__all__ = ["NASTY", "SECRET", "assert_clean_json", "assert_clean_text", "replace_strings", "texts"]
