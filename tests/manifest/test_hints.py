"""A hint that names a replacement works: the manifest with the replacement no longer has the error."""

import re
from pathlib import Path

import pytest

import reconciler
from reconciler.errors import ManifestError, Problem
from reconciler.manifest.load import load_manifest
from reconciler.manifest.source_text import format_key_path
from reconciler.manifest.text_file import decode_text
from reconciler.manifest.yaml_document import read_document

PACKAGE = Path(reconciler.__file__).parent
BAD = Path(__file__).parent.parent / "cases" / "manifest" / "bad"
REPLACEMENTS = (
    re.compile(r"quote it: `(?P<text>.+)`"),
    re.compile(r"write it as a list: `(?P<text>.+)`"),
    re.compile(r"write `(?P<text>\[.+\])` to allow builds .+"),
    re.compile(r"did you mean `(?P<text>.+)`\?"),
    re.compile(r"rename it, for example to `(?P<text>.+)`"),
    re.compile(r"write `version: (?P<text>1)`"),
)


def problems(file: Path) -> tuple[Problem, ...]:
    try:
        load_manifest(file)
    except ManifestError as error:
        return error.problems
    return ()


def replacement(problem: Problem) -> str | None:
    found = next((match for each in REPLACEMENTS if (match := each.fullmatch(problem.hint or ""))), None)
    return found["text"] if found else None


CASES = [
    pytest.param(file, number, id=f"{file.stem}-{problem.path or number}")
    for file in sorted(BAD.glob("*.yaml"))
    for number, problem in enumerate(problems(file))
    if replacement(problem)
]


@pytest.mark.parametrize(("file", "number"), CASES)
def test_following_the_hint_removes_the_error(file: Path, number: int, tmp_path: Path) -> None:
    before = problems(file)
    problem = before[number]
    text = replacement(problem)
    assert problem.place
    assert text
    content = file.read_bytes()
    lines = content.decode("utf-8").splitlines()
    changed = tmp_path / file.name
    if "not valid YAML" in problem.message:  # it has no values with places: the replacement is for the whole line
        line = lines[problem.place.line - 1]
        lines[problem.place.line - 1] = line[: len(line) - len(line.lstrip())] + text
        changed.write_text("\n".join(lines) + "\n", encoding="utf-8")
        assert problems(changed) == ()
        return
    source = read_document(str(file), decode_text(content, any_unicode=False)).source
    path = next((path for path in source.values if format_key_path(path) == problem.path), None)
    # An error inside of a string has a place of its own; the replacement is for the whole string.
    whole = path is not None and problem.place.line == source.values[path].line and problem.message != "unknown key"
    place = source.values[path] if path and whole and problem.place != source.keys.get(path) else problem.place
    line = lines[place.line - 1]
    old = line[place.column - 1 : place.column - 1 + place.width]
    keep_quotes = old[0] in "\"'" and text[0] not in '["' and problem.path != "version"
    new = f"{old[0]}{text}{old[0]}" if keep_quotes else text
    lines[place.line - 1] = line[: place.column - 1] + new + line[place.column - 1 + place.width :]
    changed.write_text("\n".join(lines) + "\n", encoding="utf-8")
    after = problems(changed)
    at = (place.line, place.column)
    assert not [each for each in after if each.place and (each.place.line, each.place.column) == at], after
    assert len(after) < len(before)


def test_only_one_module_makes_this_hint() -> None:
    made = {path.name for path in PACKAGE.rglob("*.py") if "did you mean" in path.read_text(encoding="utf-8")}
    assert made == {"hints.py"}


def test_hints_with_a_replacement_are_found() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("packages: django>=5,<6", 'write it as a list: `["django>=5,<6"]`'),
        ("packages: 'six; python_version > \"3\"'", 'write it as a list: `["six; python_version > \\"3\\""]`'),
        ("extras: web", "write it as a list: `[web]`"),
        ("extras: it's", 'write it as a list: `["it\'s"]`'),
        ("extras: 'on'", 'write it as a list: `["on"]`'),
        (
            "exclude_newer: 7",
            "write a date (`2026-11-01`), an RFC 3339 time (`2026-11-01T12:00:00Z`) or an age (`7 days`, `P7D`)",
        ),
        ("keep_generations: 010", 'write a plain decimal number, or quote it: `"010"`'),
    ],
)
def test_the_hint_is_right_for_values_that_need_care(written: str, hint: str, tmp_path: Path) -> None:
    key = written.partition(":")[0]
    body = {"extras": f"project: {{{written}}}", "run": f"probes: [{{{written}}}]"}.get(key, written)
    if key == "run":
        body = f"probes:\n      - {written}"
    file = tmp_path / "envs.yaml"
    file.write_text(
        f'version: 1\nproject: acme\nenvironments:\n  web:\n    python: "3.12"\n    {body}\n', encoding="utf-8"
    )
    assert [each.hint for each in problems(file)] == [hint]
