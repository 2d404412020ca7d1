"""Hostile strings, and values of the pipeline that hold one in every place where a string can be."""

import json
import re
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from hypothesis import strategies as st

SECRET = "hunter2"  # noqa: S105  # nobody's
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


def spoiled(value: Value, text: str) -> Value:
    """Return `value` with every string in it replaced; enums, numbers and what apply builds from stay."""
    return _spoiled(value, text)  # type: ignore[no-any-return]


def _spoiled(value: Any, text: str) -> Any:
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, tuple | list):
        return type(value)(_spoiled(each, text) for each in value)
    if isinstance(value, dict):
        return {_spoiled(key, text): _spoiled(each, text) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        fixed = {"target", "format_version", "step", "action", "only"}  # `only` is a choice of three
        names = [each.name for each in fields(value) if each.name not in fixed]
        strings = {name: _spoiled(getattr(value, name), text) for name in names}
        return replace(value, **strings)
    return value


def assert_clean_text(text: str) -> None:
    """Hold a text to what may reach a terminal or a CI log."""
    assert text.endswith("\n")
    text.encode("utf-8")
    assert SECRET not in text
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)
        assert not re.match(r"\s*::\S", line), line  # `:: x` is no command: the runner's names hold no blank
        assert "##[" not in line
        assert "##vso[" not in line
        assert not {"\ufe0f", "\u3164"} & set(line)


def assert_clean_json(text: str) -> None:
    """Hold a JSON text to ASCII without control characters but line ends, and to strings that are well-formed."""
    assert text.endswith("\n")
    assert text.isascii()
    assert all(line.isprintable() for line in text.split("\n"))
    assert SECRET not in text
    json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")  # fails on lone surrogates


__all__ = ["NASTY", "SECRET", "assert_clean_json", "assert_clean_text", "spoiled", "texts"]
