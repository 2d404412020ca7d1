"""Locks as text: they are read back as the same document, and their order gives small differences in git."""

import datetime as dt
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.lock.toml_format import lock_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MOMENTS = st.one_of(
    st.datetimes(timezones=st.just(dt.UTC)),
    st.datetimes(timezones=st.integers(-1439, 1439).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))),
    st.datetimes(),
    st.dates(),
    st.times(),
)
SCALARS = st.one_of(TEXT, st.integers(), st.booleans(), st.floats(allow_nan=False), MOMENTS)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=10)
DOCUMENTS = st.fixed_dictionaries(
    {"packages": st.lists(st.dictionaries(TEXT, VALUES, max_size=5), max_size=4)},
    optional={
        "lock-version": TEXT,
        "environments": st.lists(TEXT),
        "requires-python": TEXT,
        "extras": st.lists(TEXT),
        "dependency-groups": st.lists(TEXT),
        "default-groups": st.lists(TEXT),
        "created-by": TEXT,
        "tool": st.dictionaries(TEXT, st.dictionaries(TEXT, VALUES, max_size=5), max_size=3),
    },
)


def without_empty_tool(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "tool" or value}


@settings(max_examples=150)
@given(DOCUMENTS)
def test_a_written_document_is_read_back_unchanged(document: dict[str, Any]) -> None:
    assert tomllib.loads(lock_text(document)) == without_empty_tool(document)


@given(DOCUMENTS)
@settings(max_examples=50)
def test_the_same_document_gives_the_same_text(document: dict[str, Any]) -> None:
    text = lock_text(document)
    assert lock_text(tomllib.loads(text)) == text


def test_each_file_of_a_package_is_one_line() -> None:
    wheels = [{"url": f"https://index.example/{n}.whl", "hashes": {"sha256": "0"}} for n in "ab"]
    document = {
        "packages": [{"name": "one", "wheels": wheels}, {"name": "two", "wheels": wheels[:1]}],
        "tool": {"envsync": {"inputs": "sha256:1"}},
        "created-by": "envsync",
        "lock-version": "1.0",
    }
    assert lock_text(document) == (
        'lock-version = "1.0"\n'
        'created-by = "envsync"\n'
        "\n"
        "[[packages]]\n"
        'name = "one"\n'
        "wheels = [\n"
        '    { url = "https://index.example/a.whl", hashes = { sha256 = "0" } },\n'
        '    { url = "https://index.example/b.whl", hashes = { sha256 = "0" } },\n'
        "]\n"
        "\n"
        "[[packages]]\n"
        'name = "two"\n'
        'wheels = [{ url = "https://index.example/a.whl", hashes = { sha256 = "0" } }]\n'
        "\n"
        "[tool.envsync]\n"
        'inputs = "sha256:1"\n'
    )


def test_a_lock_without_packages_has_an_empty_list() -> None:
    assert tomllib.loads(lock_text({"lock-version": "1.0"})) == {"lock-version": "1.0", "packages": []}


@pytest.mark.parametrize("value", [None, b"bytes", {1, 2}, object()])
def test_values_that_toml_cannot_express_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be written to a lock"):
        lock_text({"packages": [{"name": value}]})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"packages": [1]}, "int in the place of a table"),
        ({"packages": [None]}, "NoneType in the place of a table"),
        ({"packages": 1}, "'int' object is not iterable"),
        ({"tool": 1}, "int in the place of a table"),
        ({"tool": {"envsync": [1]}}, "list in the place of a table"),
    ],
)
def test_other_values_in_the_place_of_tables_are_refused(document: dict[str, Any], message: str) -> None:
    """A `pylock.toml` in a generation may contain anything."""
    with pytest.raises(TypeError, match=f"^{message}$"):
        lock_text(document)
