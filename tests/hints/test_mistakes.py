"""Frequent mistakes (tests/cases/hints/mistakes.yaml): the hint of each error has the text to write, and a manifest with this text is valid."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.errors import ManifestError, Problem
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.manifest.models import Environment, Manifest
from reconciler.manifest.source_text import KeyPath, SourceText, format_key_path
from reconciler.manifest.text_file import decode_text
from reconciler.manifest.validation_errors import key_names
from reconciler.manifest.yaml_document import read_document
from tests.hints.trials import pattern, tried

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / "cases" / "hints" / "mistakes.yaml").read_text(encoding="utf-8")
)
KEYS = [tried([f"manifest/{each}" for each in case.get("hints", ())], f"{__name__} {case}"[:100]) for case in CASES]
MOST_HINTS = 12  # that are applied to one manifest
HEAD = "version: 1\nproject: acme\n"
SUGGESTED = re.compile(r"`(?P<text>[^`]+)`")


def written(case: dict[str, Any]) -> str:
    """Return the manifest of a case."""
    if "wrong" in case:
        return HEAD + str(case["wrong"]) + "\n"
    return f'{HEAD}environments:\n  web2: {{python: "3.12"}}\n  web:\n    python: "3.12"\n    {case["keys"]}\n'


def first_problem(file: Path) -> Problem | None:
    try:
        expand(load_manifest(file))
    except ManifestError as error:
        # A key that is missing may have another name, which is a different problem.
        return next((each for each in error.problems if not each.message.startswith("missing key")), error.problems[0])
    return None


def apply_hint(text: str, problem: Problem) -> str:
    """Return a manifest in which a person did what a hint says, as literally as possible."""
    hint = problem.hint or ""
    match = SUGGESTED.search(hint)
    suggested = match["text"] if match else ""
    if hint.startswith("put the value in quotes") and not problem.message.startswith("not valid YAML"):
        return quote_value(text, problem)
    if problem.message.startswith("not valid YAML") or problem.message.startswith(("tags are", "aliases are")):
        return apply_to_line(text, problem, hint, suggested)
    source = read_document("envs.yaml", decode_text(text.encode(), any_unicode=False)).source
    path = next(path for path in (*source.values, *source.keys) if format_key_path(path) == problem.path)
    if added := re.match(r"add it, for example `(\w+): (.+)`", hint):
        manifest = plain(text)
        entry = manifest
        for part in path:
            entry = entry[part]
        entry[added[1]] = yaml.safe_load(added[2])
        return dumped(manifest, text)
    key = source.keys.get(path)
    if problem.place and key and (problem.place.line, problem.place.column) == (key.line, key.column):
        return rename_key(text, path, suggested)
    if problem.message.startswith("expected a mapping") and re.match(r"\w+:\S", str(value_at(text, path))):
        return apply_to_line(text, problem, hint, suggested)  # a space after the colon
    return write_value(text, source, path, hint, suggested)


def apply_to_line(text: str, problem: Problem, hint: str, suggested: str) -> str:
    assert problem.place
    lines = text.split("\n")
    at = problem.place.line - 1
    if hint == "indent with spaces, not with tabs":
        return text.replace("\t", "    ")
    if hint == "put the value in quotes":
        lines[at] = re.sub(r"^(\s*\w+: )(.*)$", r'\1"\2"', lines[at])
    elif no_space := re.match(r"write a space after the colon on line (\d+)", hint):
        lines[int(no_space[1]) - 1] = re.sub(r":(?=\S)", ": ", lines[int(no_space[1]) - 1], count=1)
    elif open_line := re.match(r"close it on line (\d+), where", hint):
        lines[int(open_line[1]) - 1] += '"'
    elif closed := re.match(r"close it on line (\d+)", hint):
        at = int(closed[1]) - 1
        lines[at] = indentation(lines[at]) + suggested
    elif indent := re.match(r"indent it by (\d+) spaces", hint):
        lines[at] = " " * int(indent[1]) + lines[at].lstrip()
    elif quoted := re.match(r"quote the value that starts with `(.)`", hint):
        lines[at] = re.sub(rf"({re.escape(quoted[1])}.*)$", r'"\1"', lines[at])
    elif hint.startswith("quote it"):
        bare = suggested[1:-1]
        assert bare in lines[at], (bare, lines[at])
        lines[at] = lines[at].replace(bare, suggested, 1)
    elif elsewhere := re.match(r"write `.*` on line (\d+)", hint):
        at = int(elsewhere[1]) - 1
        lines[at] = indentation(lines[at]) + suggested
    elif re.match(r"\w+: ", suggested):
        lines[at] = indentation(lines[at]) + suggested
    else:  # a text in double quotes, whose escapes are wrong
        lines[at] = re.sub(r'"[^"]*"', lambda _: suggested, lines[at], count=1)
    return "\n".join(lines)


def quote_value(text: str, problem: Problem) -> str:
    """Return a manifest with the value at the place of a problem in quotes."""
    assert problem.place
    lines = text.split("\n")
    line, start = lines[problem.place.line - 1], problem.place.column - 1
    value = re.match(r"[^,}\s]+", line[start:])
    assert value
    lines[problem.place.line - 1] = f'{line[:start]}"{value[0]}"{line[start + len(value[0]) :]}'
    return "\n".join(lines)


def indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def value_at(text: str, path: KeyPath) -> Any:
    value = plain(text)
    for part in path:
        value = value[part]
    return value


def plain(text: str) -> Any:
    """Return a manifest as plain values that can be changed."""
    return json.loads(json.dumps(read_document("envs.yaml", decode_text(text.encode(), any_unicode=False)).value))


def dumped(manifest: Any, text: str) -> str:
    """Return a manifest as text; numbers that YAML changes (3.10) stay as they are written in `text`."""
    source = read_document("envs.yaml", decode_text(text.encode(), any_unicode=False)).source

    def shown(value: Any, path: KeyPath) -> str:
        if isinstance(value, dict):
            return (
                "{" + ", ".join(f"{json.dumps(key)}: {shown(each, (*path, key))}" for key, each in value.items()) + "}"
            )
        if isinstance(value, list):
            return "[" + ", ".join(shown(each, (*path, at)) for at, each in enumerate(value)) + "]"
        original = source.written.get(path)
        as_read = None if original is None else yaml.safe_load(original)
        return original if original and (as_read, type(as_read)) == (value, type(value)) else json.dumps(value)

    return "\n".join(f"{key}: {shown(value, (key,))}" for key, value in manifest.items()) + "\n"


def rename_key(text: str, path: KeyPath, name: str) -> str:
    manifest = plain(text)
    parent = manifest
    for part in path[:-1]:
        parent = parent[part]
    renamed = {name if key == path[-1] else key: value for key, value in parent.items()}
    parent.clear()
    parent.update(renamed)
    return dumped(manifest, text.replace(f"{path[-1]}:", f"{name}:"))


def write_value(text: str, source: SourceText, path: KeyPath, hint: str, suggested: str) -> str:
    manifest = plain(text)
    parents = [manifest]
    for part in path:
        parents.append(parents[-1][part])
    new = yaml.safe_load(suggested) if suggested[:1] in {'"', "[", "{"} or suggested in {"true", "false"} else suggested
    key = re.fullmatch(r"(\w+): (.+)", suggested)
    if hint.endswith("without quotes"):
        new = yaml.safe_load(suggested)
    if key and hint.startswith("write") and "list" not in hint:
        new = yaml.safe_load(key[2])
        if isinstance(path[-1], int):  # an item of the list of another key, or of this one
            if path[-2] != key[1]:
                del parents[-2][path[-1]]
            parents[-3][path[-2]] = new if path[-2] == key[1] else parents[-2]
            owner = parents[-3]
        else:
            owner = parents[-2]
            if path[-1] != key[1]:
                del owner[path[-1]]
        (manifest if "top level" in hint else owner)[key[1]] = new
    elif hint.startswith("quote it, and the requirement before it"):
        items = parents[-2]
        first = next(at for at in range(path[-1], -1, -1) if not re.match(r"[<>=!~]", items[at]))  # type: ignore[arg-type]
        last = first + new.count(",")
        items[first : last + 1] = [new]
    elif suggested.isdecimal():
        parents[-2][path[-1]] = int(suggested)
    else:
        parents[-2][path[-1]] = new
    return dumped(manifest, text)


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[str(each.get("wrong") or each["keys"])[:70] for each in CASES]
)
def test_a_manifest_is_valid_after_the_hints_of_its_mistake_were_applied(number: int, tmp_path: Path) -> None:
    case = CASES[number]
    for name, content in case.get("files", {}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    file = tmp_path / "envs.yaml"
    text = written(case)
    followed: list[str] = []
    for _ in range(MOST_HINTS):
        file.write_text(text, encoding="utf-8")
        problem = first_problem(file)
        if problem is None or case.get("unfinished") in {problem.path, problem.path.removeprefix("environments.web.")}:
            break
        assert problem.hint, (problem.message, text)
        followed.append(problem.hint)
        text = apply_hint(text, problem)
    else:
        pytest.fail(f"still invalid after {followed}: {text}")
    assert followed, "the manifest of the case is valid"
    for key in KEYS[number]:
        assert any(pattern(key).fullmatch(each) for each in followed), (key, followed)
    if "becomes" in case:
        assert contains(yaml.safe_load(text), case["becomes"]), (text, followed)


def contains(value: Any, wanted: Any) -> bool:
    """Return whether a value is `wanted`, or contains it."""
    if value == wanted and type(value) is type(wanted):
        return True
    if isinstance(value, dict):
        return any(contains(each, wanted) for each in value.values())
    return isinstance(value, list) and any(contains(each, wanted) for each in value)


def test_the_cases_cover_most_keys() -> None:
    text = json.dumps(CASES)
    assert len(CASES) >= 90
    assert {key for key in (*key_names(Environment), *key_names(Manifest)) if key in text} >= {
        "packages",
        "python",
        "env",
    }
