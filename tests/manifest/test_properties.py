"""Properties of every requirement, every order of keys, and every text given as a manifest."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from reconciler.errors import ManifestError
from reconciler.manifest.expand import expand
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.load import load_manifest
from reconciler.manifest.requirement import normalize_requirement, parse_requirement
from reconciler.manifest.requirements_line import parse_requirements_line
from reconciler.redaction import redact
from reconciler.render.error_text import render_problems

names = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,8}[A-Za-z0-9]", fullmatch=True)
versions = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}(rc[0-9])?", fullmatch=True)
specifiers = st.lists(st.builds("{}{}".format, st.sampled_from(["==", ">=", "<", "!=", ">"]), versions), max_size=3)
markers = st.sampled_from(["", ' ; python_version < "3.13"', "; sys_platform=='win32' or extra == 'A_b'"])
extras = st.lists(names, max_size=2).map(lambda each: f"[{','.join(each)}]" if each else "")
requirements = st.builds(
    lambda name, extra, specifier, marker: f"{name}{extra} {', '.join(specifier)}{marker}",
    names,
    extras,
    specifiers,
    markers,
)


@given(requirements)
def test_a_normalized_requirement_means_the_same_and_stays_the_same(text: str) -> None:
    first = normalize_requirement(text)
    assert normalize_requirement(first) == first
    assert Requirement(first) == parse_requirement(text)
    assert not first.startswith("-")
    assert "\n" not in first


@given(st.text(max_size=60))
def test_any_text_is_a_requirement_or_an_error_at_a_place_inside_it(text: str) -> None:
    for parse in (normalize_requirement, parse_requirements_line):
        offset = _error_offset(parse, text)
        assert offset is None or 0 <= offset <= len(text)


def _error_offset(parse: Callable[[str], object], text: str) -> int | None:
    try:
        parse(text)
    except InvalidTextError as error:
        return error.offset
    return None


@given(st.text(alphabet="ab@:/?#= \"'", max_size=30), st.sampled_from(["https", "git+https", "file"]))
def test_a_password_is_redacted_in_any_surroundings(tail: str, scheme: str) -> None:
    assert "s3cret" not in redact(f"{tail} {scheme}://user:s3cret@host/{tail}")
    assert "s3cret" not in redact(f"{tail} {scheme}://s3cret@host/{tail}")
    assert "s3cret" not in redact(f"{tail} {scheme}://user:s3/c@s3cret@host/{tail}")


entries = st.fixed_dictionaries(
    {"python": st.sampled_from(["3.12", ">=3.11"])},
    optional={
        "packages": st.lists(requirements, max_size=3),
        "labels": st.dictionaries(st.sampled_from(["team", "tier", "kind"]), st.sampled_from(["a", "b"])),
        "env": st.dictionaries(st.sampled_from(["A", "B", "C"]), st.text(alphabet="xyz 1", max_size=4)),
        "extends": st.lists(st.sampled_from(["one", "two"]), max_size=2, unique=True),
        "builds": st.sampled_from(["allow", "deny", ["numpy"]]),
        "hooks": st.just({"before_delete": [["b"]], "after_publish": [["a"]]}),
    },
)
manifests = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "project": st.just("acme"),
        "templates": st.fixed_dictionaries({"one": entries, "two": entries}).map(
            lambda each: {name: {key: v for key, v in t.items() if key != "extends"} for name, t in each.items()}
        ),
        "environments": st.dictionaries(st.sampled_from(["web", "worker", "cron"]), entries),
    }
)


def _reversed(value: Any) -> Any:
    """Return the value with the keys of all its mappings in reverse order."""
    if isinstance(value, dict):
        return {key: _reversed(each) for key, each in reversed(value.items())}
    return [_reversed(each) for each in value] if isinstance(value, list) else value


def _placeless(file: Path) -> Any:
    state = expand(load_manifest(file))
    return state.digest, [
        (each.name, each.python, [line.text for line in each.requirements], each.labels, each.env, each.hooks)
        for each in state.environments
    ]


@settings(max_examples=60)
@given(manifests)
def test_expanding_is_the_same_every_time_and_in_every_order_of_keys(manifest: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "envs.yaml"
        file.write_text(json.dumps(manifest), encoding="utf-8")  # JSON is YAML, and this has no anchors
        first = _placeless(file)
        assert _placeless(file) == first
        file.write_text(json.dumps(_reversed(manifest), indent=2), encoding="utf-8")
        assert _placeless(file) == first


lines = ["version: 1\n", "project: acme\n", "environments:\n", "  web:\n", "    python: ", "extends: web\n", "---\n"]
values = ["3.12\n", "'3.12'\n", "[django=5]\n", "!!str ", "&a ", "*a", "<<: ", "- ", "? ", ": ", "\t", "#", *"[]{}'\""]
fragments = st.sampled_from(lines + values)


@settings(max_examples=150)
@given(st.lists(fragments | st.text(max_size=5), max_size=25).map("".join))
def test_any_text_is_a_manifest_or_an_error_at_places_inside_the_file(text: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "envs.yaml"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            load_manifest(file)
        except ManifestError as error:
            for problem in error.problems:
                assert problem.place
                assert 1 <= problem.place.line <= text.count("\n") + text.count("\r") + 1
            shown = render_problems(error)
            assert all(line.isprintable() for line in shown.split("\n"))
