"""`Applied` is the same after conversion to JSON and back; JSON of a different shape is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from reconciler.canonical_json import canonical_text
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json
from tests.state.records import APPLIED, PLAIN


@settings(max_examples=200)
@given(APPLIED)
def test_the_value_is_the_same_after_conversion_and_back(applied: Applied) -> None:
    text = canonical_text(applied_to_json(applied))
    assert text.isascii()
    again = applied_from_json(json.loads(text))
    assert again == applied
    assert canonical_text(applied_to_json(again)) == text


STORED = json.loads(canonical_text(applied_to_json(PLAIN)))
KEYS = sorted(STORED)
LATER = {
    "hooks_pending",
    "hook_paths",
    "hook_packages",
    "rolled_back_from",
    "rebuilt_from",
    "rolled_back_because",
    "trial_since",
    "manifest",
    "repository",
}  # keys that records of earlier releases do not have
ODD = (None, 3.5, "text", -1, True, ["x", 3], {"x": 3}, [["x", "y"]])


def is_valid(key: str, value: Any) -> bool:
    """Return whether a value is valid for `key`."""
    return (key == "settings" and isinstance(value, dict)) or (
        isinstance(value, str | bool) and type(value) is type(STORED[key])
    )


@pytest.mark.parametrize("key", sorted(set(KEYS) - LATER))
def test_a_missing_key_is_refused(key: str) -> None:
    stored = applied_to_json(PLAIN)
    del stored[key]
    with pytest.raises(ValueError, match=f"not a record of an applied environment.*{key}"):
        applied_from_json(stored)


def test_a_record_of_an_earlier_release_may_lack_later_keys() -> None:
    assert applied_from_json({key: value for key, value in STORED.items() if key not in LATER}) == PLAIN


@pytest.mark.parametrize(("key", "value"), [(key, value) for key in KEYS for value in ODD if not is_valid(key, value)])
def test_a_value_of_a_wrong_type_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match="not a record of an applied environment"):
        applied_from_json(STORED | {key: value})


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"kind": "other"},
        {"kind": []},
        {"kind": "index"},
        {"kind": "index", "index": "x", "filename": "x"},
        {"kind": "index", "index": "x", "filename": "x", "sha256": 3},
        {"kind": "index", "index": "x", "filename": "x", "sha256": "x", "more": "x"},
        {"kind": "directory", "path": "x", "editable": "false", "content": "x"},
        {"kind": "directory", "path": "x", "editable": 0, "content": "x"},
        "index",
        None,
    ],
)
def test_a_source_of_an_unknown_shape_is_refused(source: Any) -> None:
    stored = applied_to_json(PLAIN) | {"packages": [{"name": "a", "version": None, "source": source}]}
    with pytest.raises(ValueError, match="not a record of an applied environment"):
        applied_from_json(stored)


@pytest.mark.parametrize("stored", [[], None, 3, "text", {}])
def test_any_other_json_is_refused(stored: Any) -> None:
    with pytest.raises(ValueError, match="not a record of an applied environment"):
        applied_from_json(stored)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "`3` is not text"),
        ({"name": ["\u00e9"]}, '`["\u00e9"]` is not text'),
        ({"generation": True}, "`true` is not the number of a generation"),
        ({"generation": -1}, "`-1` is not the number of a generation"),
        ({"prevent_destroy": "no"}, '`"no"` is neither `true` nor `false`'),
        ({"packages": {"a": None}}, '`{"a": null}` is not a list'),
    ],
)
def test_the_value_that_is_wrong_is_shown(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="not a record") as caught:
        applied_from_json(STORED | change)
    assert str(caught.value) == f"not a record of an applied environment: {message}"
