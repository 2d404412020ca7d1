"""Canonical JSON: what each kind of value becomes, and one text for equal values."""

from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from reconciler.canonical_json import Json, canonical_text, digest, to_json


@dataclass(frozen=True)
class Pair:
    one: object
    other: object = None


class Kind(Enum):
    TUPLE = (1, "a")
    PATH = PurePosixPath("/srv")


class Number(IntEnum):
    TWO = 2


class Word(StrEnum):
    YES = "yes"


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        ("text", "text"),
        (Text("text"), Text("text")),
        (Pair(one=(1, 2), other={"a"}), {"one": [1, 2], "other": ["a"]}),
        (Kind.TUPLE, [1, "a"]),
        (Kind.PATH, "/srv"),
        (Number.TWO, 2),
        (Word.YES, "yes"),
        ({1: (), Word.YES: [Pair(one=1)]}, {"1": [], "yes": [{"one": 1, "other": None}]}),
        (Path("a/b"), "a/b"),
        ((1, [2, (3,)]), [1, [2, [3]]]),
        (frozenset(), []),
    ],
)
def test_every_kind_of_value_has_a_plain_form(value: object, expected: Json) -> None:
    found = to_json(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({9, 10}, [10, 9]),
        (frozenset({"b", 1, None, "a"}), ["a", "b", 1, None]),
        ({Pair(one=2), Pair(one=1)}, [{"one": 1, "other": None}, {"one": 2, "other": None}]),
        ({("b",), ("a", "c")}, [["a", "c"], ["b"]]),
    ],
)
def test_a_set_is_sorted_by_the_text_of_its_values_whatever_they_are(value: Any, expected: Json) -> None:
    assert to_json(value) == expected


@pytest.mark.parametrize("value", [object(), b"bytes", {1, b"bytes"}, [1j], Pair, {"a": object()}])
def test_any_other_value_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"^\w+ has no canonical JSON form$"):
        to_json(value)


def test_the_text_is_sorted_ascii_without_spaces() -> None:
    assert canonical_text({"b": [1, 2], "a": "\u00e9\udcff"}) == r'{"a":"\u00e9\udcff","b":[1,2]}'
    assert canonical_text({"a": 1, "b": 2}) == canonical_text({"b": 2, "a": 1})
    assert digest({"b": 2, "a": 1}) == digest({"a": 1, "b": 2}) != digest({"a": 1})
    assert digest([]) == "sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
