"""Each bound refuses what is just above it, with its place and in words, and reads what is just below it."""

import json
from pathlib import Path

import pytest
import tomli

from reconciler.errors import DamagedStateError, LockError, ManifestError, PlanFileError, SnapshotError
from reconciler.lock.ignore_patterns import parse_patterns
from reconciler.lock.lock_file import read_lock
from reconciler.lock.lock_toml import parse_lock_toml
from reconciler.manifest.bounds import MOST_ENVIRONMENTS, MOST_INHERITED, MOST_REQUIREMENTS
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.manifest.problem_limit import MOST_PROBLEMS
from reconciler.manifest.yaml_document import MOST_VALUES
from reconciler.observe.ignore_globs import ignore_matcher
from reconciler.plan.plan_file import read_plan
from reconciler.render.error_document import error_document
from reconciler.render.error_text import render_problems
from reconciler.snapshot.file import read_snapshot
from reconciler.state.state_file import read_state_file
from tests.bounded.growth import is_linear

HEAD = "version: 1\nproject: acme\n"


def refused(directory: Path, text: str) -> ManifestError:
    (directory / "envs.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        expand(load_manifest(directory / "envs.yaml"))
    return caught.value


def read(directory: Path, text: str) -> int:
    """Return the number of environments."""
    (directory / "envs.yaml").write_text(text, encoding="utf-8")
    return len(expand(load_manifest(directory / "envs.yaml")).environments)


def environments(number: int, more: str = "python: '3.12'") -> str:
    return "environments:\n" + "".join(f"  web{at}: {{{more}}}\n" for at in range(number))


def labels(number: int) -> str:
    return "".join(f"    label{at}: a\n" for at in range(number))


def test_keys_and_values_of_a_manifest(tmp_path: Path) -> None:
    text = f"{HEAD}environments:\n web:\n  python: '3.12'\n  labels:\n"
    above = f"{text}{labels(MOST_VALUES // 2)}"
    [problem] = refused(tmp_path, above).problems
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (25_000, 17), "4 keys, 2 values and 3 mappings come before"
    assert "more than 50,000 keys and values" in str(refused(tmp_path, above))
    assert read(tmp_path, f"{text}{labels(MOST_VALUES // 2 - 10)}") == 1


def test_aliases_count_as_values(tmp_path: Path) -> None:
    error = refused(tmp_path, f"{HEAD}x: [&a b{', *a' * MOST_VALUES}]\n")
    assert "more than 50,000 keys and values" in error.problems[-1].message


def test_environments_of_a_manifest(tmp_path: Path) -> None:
    error = refused(tmp_path, HEAD + environments(MOST_ENVIRONMENTS + 1))
    [problem] = error.problems
    assert (problem.message, problem.path) == ("more than 4,000 environments", f"environments.web{MOST_ENVIRONMENTS}")
    assert problem.place is not None
    assert problem.place.line == MOST_ENVIRONMENTS + 4


def test_the_members_of_a_matrix_count(tmp_path: Path) -> None:
    values = ", ".join(f"'{number}'" for number in range(16))
    matrix = f"python: '3.12', matrix: {{a: [{values}], b: [{values}]}}"
    assert "more than 100,000 values in all environments" in str(refused(tmp_path, HEAD + environments(16, matrix)))
    assert read(tmp_path, HEAD + environments(4, matrix)) == 4 * 256
    values = ", ".join(f"'{number}'" for number in range(6))
    matrix = f"matrix: {{python: ['3.12'], a: [{values}], b: [{values}]}}"
    assert "more than 4,000 environments" in str(refused(tmp_path, HEAD + environments(120, matrix)))


def test_inherited_values_count_once_for_each_environment(tmp_path: Path) -> None:
    packages = "".join(f"      - acme{number}\n" for number in range(1000))
    template = f"{HEAD}templates:\n  base:\n    python: '3.12'\n    packages:\n{packages}"
    above = template + environments(MOST_INHERITED // 1000 + 1, "extends: base")
    assert "more than 100,000 values in all environments" in str(refused(tmp_path, above))
    assert read(tmp_path, template + environments(MOST_INHERITED // 1000 - 2, "extends: base")) == 98


def test_inherited_text_counts(tmp_path: Path) -> None:
    template = f"{HEAD}templates:\n  base: {{python: '3.12', description: {'a' * 500_000}}}\n"
    assert "more than 32 MiB of text" in str(refused(tmp_path, template + environments(80, "extends: base")))
    assert read(tmp_path, template + environments(60, "extends: base")) == 60


def test_requirements_in_files_count_once_for_each_environment(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("".join(f"acme{number}\n" for number in range(10_000)))
    above = HEAD + environments(MOST_REQUIREMENTS // 10_000 + 1, "python: '3.12', requirements: [requirements.txt]")
    assert "more than 100,000 requirements in the files" in str(refused(tmp_path, above))


@pytest.mark.parametrize(("line", "most"), [("acme", "20,000 lines"), ("--pre", "500 paths and options")])
def test_lines_of_a_requirements_file(line: str, most: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"{line}\n" * 30_000)
    error = refused(tmp_path, HEAD + environments(1, "python: '3.12', requirements: [requirements.txt]"))
    if line == "acme":
        assert f"more than {most}" in error.problems[-1].message
        assert str(error).startswith(f"{tmp_path}/requirements.txt:20001:1: ")
    else:
        assert len(error.problems) == MOST_PROBLEMS + 1, "each of these options is an error already"


def test_more_errors_than_are_listed_are_mentioned_in_every_format(tmp_path: Path) -> None:
    error = refused(tmp_path, HEAD + "".join(f"key{number}: 1\n" for number in range(MOST_PROBLEMS + 1)))
    assert error.incomplete
    assert render_problems(error).endswith("\nerror: more than 400 more problems\n")
    listed = error_document(error).error.problems
    assert (len(listed), listed[-1].message) == (MOST_PROBLEMS + 1, "more than 500 problems")

    error = refused(tmp_path, HEAD + "".join(f"key{number}: 1\n" for number in range(MOST_PROBLEMS)))
    assert (len(error.problems), error.incomplete) == (MOST_PROBLEMS, False)


@pytest.mark.parametrize("key", ["root", "locks"])
def test_a_path_that_no_system_call_accepts_is_refused(key: str, tmp_path: Path) -> None:
    [problem] = refused(tmp_path, f"{HEAD}{key}: {'a/' * 100_000}b\n").problems
    assert (problem.message, problem.path) == ("the path has more than 4,096 characters", key)


def test_a_long_line_is_not_shown_with_its_error(tmp_path: Path) -> None:
    error = refused(tmp_path, f"{HEAD}key: {'a' * 20_000}\n")
    assert error.problems[0].context == ()
    assert error.problems[0].place is not None
    assert error.problems[0].place.line == 3


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a = 1\n" * 200_001, "more than 200,000 lines"),
        (f"a = [{'1,' * 1_000_001}]", "more than 1,000,000 values"),
        (f"a = [{'{},' * 150_001}]", "more than 150,000 tables"),
        (f"{'a.' * 60}a = 1\n" * 20_000, "more than 1,000,000 dots in its keys"),
        (f"{'a.' * 101}a = 1\n", "a key has more than 100 parts"),
        (f"[[packages]]\ndirectory = {{ path = '{'a/' * 5000}' }}", "a `path` has more than 8,192 characters"),
        (
            f"[[packages]]\ndirectory = {{ path = '{'a/' * 4000}' }}\n" * 150,
            "its paths have more than 500,000 components",
        ),
        (f"environments = ['{'a' * 1_000_001}']", "its markers have more than 1,000,000 characters"),
        (f"[[packages]]\nmarker = '{'a' * 1_000_001}'", "its markers have more than 1,000,000 characters"),
        (f"[[package]]\nmarkers = '{'a' * 1_000_001}'", "its markers have more than 1,000,000 characters"),
    ],
    ids=lambda each: each[:40] if each.startswith(("more", "its", "a key")) else "",
)
def test_a_lock_with_too_much_is_refused(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse_lock_toml(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("\n" * 200_000, ""),
        ("," * 1_000_000, "Invalid statement"),
        ("{" * 150_000, "Invalid statement"),
        ("[[" * 150_000, "Invalid initial character"),
        ("b = 'a.b'\n" + f"{'a.' * 50}a = 1\n" * 20_000, "Cannot overwrite"),
        (f'a = "{"." * 1_000_001}"', ""),
        (f"[[packages]]\ndirectory = {{ path = '{'a' * 8192}' }}", ""),
        (f"[[packages]]\ndirectory = {{ path = '{'a/' * 4000}' }}\n" * 125, ""),
        (f"[[packages]]\nwheels = [{{ url = 'file:{'a/' * 4000}' }}]\n" * 125, ""),
        (f"[[packages]]\nwheels = [{{ url = 'https:{'a/' * 4000}' }}]\n" * 126, ""),
        (f"environments = [1, '{'a' * 1_000_000}']", ""),
        (f"[[packages]]\nmarker = '{'a' * 1_000_000}'", ""),
        ("packages = [1, {wheels = 1, archive = 1, vcs = {path = 1}, marker = 1}]", ""),
        ("packages = 1\npackage = [1]\nenvironments = 1", ""),
    ],
    ids=range(14),
)
def test_a_lock_at_its_bounds_is_read(text: str, error: str) -> None:
    """A text that is not TOML shows the bound without the time that parsing it takes."""
    if not error:
        assert parse_lock_toml(text) == tomli.loads(text)
        return
    with pytest.raises(ValueError, match=error):
        parse_lock_toml(text)


@pytest.mark.parametrize("key", ["path", "url"])
@pytest.mark.parametrize(
    "table", ["directory = {%s}", "archive = {%s}", "vcs = {%s}", "sdist = {%s}", "wheels = [1, {%s}]"]
)
def test_the_paths_of_every_kind_of_source_are_bounded(table: str, key: str) -> None:
    long, deep = (table % f"{key} = '{text}'" for text in ("a" * 8193, f"file:{'a/' * 4000}"))
    with pytest.raises(ValueError, match=f"^a `{key}` has more than 8,192 characters$"):
        parse_lock_toml(f"[[packages]]\n{long}")
    with pytest.raises(ValueError, match=r"^its paths have more than 500,000 components$"):
        parse_lock_toml(f"[[packages]]\n{deep}\n" * 126)


def test_the_error_of_a_lock_does_not_contain_a_value_of_a_mebibyte(tmp_path: Path) -> None:
    lock = f'lock-version = "1.0"\ncreated-by = "a"\n[[packages]]\nname = "{"a-" * 500_000}"\nversion = "1"\n'
    (tmp_path / "pylock.web.toml").write_text(lock)
    with pytest.raises(LockError) as caught:
        read_lock(tmp_path / "pylock.web.toml", "web", reach=None)
    assert len(caught.value.message) < 2000


def test_a_real_large_lock_is_read(tmp_path: Path) -> None:
    packages = ""
    for number in range(3000):
        packages += f'[[packages]]\nname = "acme{number}"\nversion = "1.0"\nwheels = [\n'
        for minor in range(10):
            file = f"acme{number}-1.0-cp3{minor}-cp3{minor}-manylinux_2_17_x86_64.whl"
            digest = "a" * 64
            packages += (
                f'  {{ name = "{file}", url = "https://a.example/{file}", hashes = {{ sha256 = "{digest}" }} }},\n'
            )
        packages += "]\n"
    (tmp_path / "pylock.web.toml").write_text(f'lock-version = "1.0"\ncreated-by = "a"\n{packages}')
    lock = read_lock(tmp_path / "pylock.web.toml", "web", reach=None)
    assert lock is not None
    assert len(lock.document["packages"]) == 3000


def test_a_plan_with_too_many_urls_and_a_snapshot_with_too_many_values_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("?://" * 150_001)
    with pytest.raises(PlanFileError, match="more than 300,000 URLs and parameters"):
        read_plan(file)
    file.write_text("," * 4_000_001)
    with pytest.raises(SnapshotError, match="more than 4,000,000 values"):
        read_snapshot(file)


@pytest.mark.parametrize("depth", [10, 100, 300, 600, 900, 2000, 100_000])
def test_a_state_file_that_is_nested_deeply_is_damaged(depth: int, tmp_path: Path) -> None:
    path = tmp_path / ".envsync/records/web.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": 1, "a": "NESTED"}).replace('"NESTED"', "[" * depth + "]" * depth))
    with pytest.raises(DamagedStateError):
        read_state_file(path, 1, hint=None)


def test_of_an_ignore_file_with_too_many_patterns_any_may_match() -> None:
    rules = parse_patterns([f"pattern{number}" for number in range(10_000)])
    assert not rules.certainly_match("pattern1")
    assert rules.possibly_match("anything")
    assert rules.possibly_keep("anything")


@pytest.mark.parametrize("stars", ["*a", "**/", "*a/", "**/*a", "?*"])
def test_a_glob_with_many_stars_takes_linear_time(stars: str) -> None:
    matches = ignore_matcher([stars * 20 + "x"])
    assert is_linear(matches, lambda length: "a" * length, length=4000, quick=0.01, most=10)
    assert is_linear(matches, lambda length: "a/" * (length // 2), length=4000, quick=0.01, most=10)
