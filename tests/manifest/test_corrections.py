"""Properties of suggestions: what a hint says to write is valid, and can be written into any place of a manifest."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from reconciler.errors import ManifestError
from reconciler.manifest.flow_text import flow
from reconciler.manifest.load import load_manifest
from reconciler.manifest.models import Environment, Manifest
from reconciler.manifest.python_request import corrected_python
from reconciler.manifest.requirement_corrections import corrected_requirement, split_requirements
from reconciler.manifest.text_file import decode_text
from reconciler.manifest.validation_errors import key_names
from reconciler.manifest.yaml_document import read_document

# Text that looks like a requirement or a Python version with mistakes.
pieces = st.sampled_from(
    "django six [ ] web >= < == = ~= ~ ^ != 4.2 5 .* , ; @ python_version '3' 3.8 and # * latest py 312 ( )".split(),  # noqa: SIM905  # one line of words is easier to read
) | st.sampled_from([" ", "git+https://a.example/x/y.git"])
mistaken = st.lists(pieces, max_size=8).map("".join) | st.text(max_size=30)


@settings(max_examples=300)
@given(mistaken)
def test_a_corrected_requirement_is_valid_and_needs_no_correction(text: str) -> None:
    corrected = corrected_requirement(text)
    if corrected:
        Requirement(corrected)
        assert corrected_requirement(corrected) == ""
    for each in split_requirements(text):
        Requirement(each)


@settings(max_examples=200)
@given(mistaken)
def test_a_corrected_python_is_a_version_or_a_specifier(text: str) -> None:
    if corrected := corrected_python(text):
        try:
            Version(corrected)
        except InvalidVersion:
            SpecifierSet(corrected)


@pytest.mark.parametrize(
    "text", ["1." * 150, ">=1" * 100, "a" * 300, "[" * 300, "x>=" + "1.1" * 90, " " * 300, "=;" * 150]
)
def test_no_text_takes_long_to_correct(text: str) -> None:
    start = time.process_time()
    corrected_requirement(text)
    corrected_python(text)
    assert time.process_time() - start < 0.5


words = st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), max_size=8) | st.sampled_from(
    [
        "on",
        "No",
        "null",
        "~",
        "3.10",
        "0x1",
        "1e3",
        "2026-11-01",
        "a: b",
        "- x",
        "a, b",
        "#",
        "*x",
        "&x",
        "!x",
        "{a}",
        "",
    ]
)
plain = st.recursive(
    words | st.booleans() | st.integers(-9, 9999),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(plain)
def test_a_value_is_read_as_it_was_written_for_a_hint(value: Any) -> None:
    document = read_document(
        "envs.yaml", decode_text(f"[{flow(value)}, {{key: {flow(value)}}}]".encode(), any_unicode=False)
    )
    read = json.loads(json.dumps(document.value))
    assert read == [value, {"key": value}]


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(key_names(Environment)), plain, max_size=3),
    st.sampled_from(key_names(Manifest)),
    plain,
)
def test_no_value_of_a_wrong_type_stops_the_report_of_errors(entry: dict[str, Any], key: str, value: Any) -> None:
    manifest = {"version": 1, "project": "acme", key: value}
    if key != "environments":
        manifest["environments"] = {"web": entry, "test": {"matrix": {"variant": {"gpu": entry}}}}
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "envs.yaml"
        file.write_text(json.dumps(manifest), encoding="utf-8")
        try:
            load_manifest(file)
        except ManifestError as error:
            for problem in error.problems:
                assert problem.message
                assert "\n" not in (problem.hint or "")
