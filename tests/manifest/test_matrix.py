"""A matrix means the same as its members written out, whatever its axes are and in whatever order its keys are."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import ManifestError
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.expand import environments_by_entry, expand
from reconciler.manifest.load import load_manifest

PARTS = {"4.2": "42", "5.2": "52", "10.0": "100", "a-b": "ab", "Rc_1": "rc1"}
VARIANTS: dict[str, dict[str, Any]] = {
    "cpu": {},
    "gpu": {"packages": ["torch=={one}"], "env": {"DEVICE": "{axis}"}, "labels": {"kind": "gpu"}},
    "slow-one": {"env": {"WAIT": "{{{one}}}"}, "probes": ["dependencies"], "keep_generations": 7},
}
versions = st.lists(st.sampled_from(["4.2", "5.2", "10.0"]), min_size=1, max_size=2, unique=True)
lists = st.lists(st.sampled_from(sorted(PARTS)), min_size=1, max_size=2, unique=True)
variants = st.lists(st.sampled_from(sorted(VARIANTS)), min_size=1, max_size=2, unique=True)
matrices = st.fixed_dictionaries(
    {"one": versions},
    optional={
        "python": st.lists(st.sampled_from(["3.9", "3.10", "3.12.1"]), min_size=1, max_size=2, unique=True),
        "two-2": lists,
        "axis": variants,
        "build": variants,
    },
)


def expanded(entry: dict[str, Any], others: dict[str, Any] | None = None) -> DesiredState:
    """Return the desired state of a manifest with the environment `test`."""
    with TemporaryDirectory() as directory:
        file = Path(directory) / "envs.yaml"
        environments = {"test": entry} if others is None else others
        text = json.dumps({"version": 1, "project": "acme", "environments": environments}, indent=1)
        file.write_text(text, encoding="utf-8")
        return expand(load_manifest(file))


def placeless(environment: DesiredEnvironment) -> DesiredEnvironment:
    lines = tuple(replace(line, source="") for line in environment.requirements)
    return replace(environment, place="", python_place="", requirements=lines)


def filled(value: Any, values: dict[str, str]) -> Any:
    """Return a value of a manifest with the placeholders of all its texts replaced, in the simplest possible way."""
    if isinstance(value, dict):
        return {key: filled(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, values) for each in value]
    if not isinstance(value, str):
        return value
    for axis, each in values.items():
        value = value.replace(f"{{{axis}}}", each)
    return value.replace("{{", "{").replace("}}", "}")


def joined(earlier: Any, later: Any) -> Any:
    """Return what a key has after a variant was merged: lists are joined, mappings merged, other values replaced."""
    if isinstance(earlier, list):
        return earlier + later
    return earlier | later if isinstance(earlier, dict) else later


def written_out(entry: dict[str, Any], left_out: list[dict[str, str]]) -> dict[str, Any]:
    """Return the members of a matrix as environments of their own."""
    matrix = {axis: each for axis, each in entry["matrix"].items() if axis != "exclude"}
    order = sorted(matrix, key=lambda axis: (isinstance(matrix[axis], dict), axis != "python", axis))
    found: dict[str, Any] = {}
    for chosen in itertools.product(*(matrix[axis] for axis in order)):
        values = dict(zip(order, chosen, strict=True))
        if any(each.items() <= values.items() for each in left_out):
            continue
        name = "test"
        keys: dict[str, Any] = {
            "packages": entry["packages"],
            "env": entry["env"],
            "python": values.get("python", "3.11"),
        }
        for axis, value in values.items():
            if isinstance(matrix[axis], dict):
                name += f"-{value}"
                keys = keys | {key: joined(keys.get(key), each) for key, each in matrix[axis][value].items()}
            else:
                name += "-py" + value.replace(".", "") if axis == "python" else f"-{axis}{PARTS[value]}"
        found[name] = filled(keys, values)
    return found


@settings(max_examples=40)
@given(matrices, st.randoms(use_true_random=False))
def test_a_matrix_means_the_same_as_its_members_written_out(matrix: dict[str, Any], random: Any) -> None:
    for axis in matrix.keys() & {"axis", "build"}:
        # Each variant of the second axis has other texts, which only name axes that exist.
        texts = json.dumps({each: VARIANTS[each] for each in matrix[axis]}).replace("{axis}", f"{{{axis}}}")
        matrix[axis] = json.loads(texts)
    entry = {"python": "3.11", "matrix": matrix, "packages": ["django=={one}", "six"], "env": {"C": '{{"a": "{one}"}}'}}
    values = {axis: list(each) for axis, each in matrix.items()}
    combinations = [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]
    left_out = [
        dict(random.sample(sorted(each.items()), random.randint(1, len(each))))
        for each in random.sample(combinations, min(random.randint(0, 2), len(combinations)))
    ]
    members = written_out(entry, left_out)
    if left_out:
        matrix["exclude"] = left_out
    if not members:
        with pytest.raises(ManifestError, match="leaves out every combination"):
            expanded(entry)
        return
    state = expanded(entry)
    flat = expanded({}, members)
    assert [placeless(each) for each in state.environments] == [placeless(each) for each in flat.environments]
    assert len(state.environments) == sum(
        not any(out.items() <= each.items() for out in left_out) for each in combinations
    )
    reordered = entry | {"matrix": dict(reversed(matrix.items()))}
    assert expanded(reordered).digest == state.digest
    assert all(each.isprintable() for environment in state.environments for each in environment.env.values())


def test_versions_are_sorted_as_versions_and_other_values_by_their_numbers(tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    file.write_text(
        "version: 1\nproject: acme\nenvironments:\n"
        '  test: {matrix: {python: ["3.10", "3.9", "3.13rc1", "3.13.0"]}}\n'
        '  more: {python: "3.12", matrix: {os: [b10, b9, a, "1.10", "1.9"]}}\n',
        encoding="utf-8",
    )
    found = environments_by_entry(load_manifest(file))
    assert found["test"] == ("test-py39", "test-py310", "test-py313rc1", "test-py3130")
    assert found["more"] == ("more-os19", "more-os110", "more-osa", "more-osb9", "more-osb10")


def test_256_combinations_are_allowed_and_any_number_of_others_is_refused_at_once(tmp_path: Path) -> None:
    letters = [chr(ord("a") + number) for number in range(16)]
    assert len(expanded({"python": "3.12", "matrix": {"a": letters, "b": letters}}).environments) == 256
    huge = {f"axis-{each}": letters for each in letters}  # 16 ** 16
    with pytest.raises(ManifestError, match="18,446,744,073,709,551,616 combinations"):
        expanded({"python": "3.12", "matrix": huge})


@pytest.mark.parametrize("key", ["description", "env", "labels"])
def test_a_matrix_of_python_versions_takes_a_text_without_python_as_it_is(key: str) -> None:
    for text, result in [
        ('{"a": {b}}', '{"a": {b}}'),
        ("{{x}}", "{{x}}"),
        ("${HOME}", "${HOME}"),
        ("{python}", "3.12"),
    ]:
        value = text if key == "description" else {"A": text}
        (member,) = expanded({"matrix": {"python": ["3.12"]}, key: value}).environments
        found = getattr(member, key)
        assert (found if key == "description" else found["A"]) == result
