"""tests/README.md names every directory and helper module of the tests; its commands and its example case work."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from tests.plan.build import world
from tests.plan.shown import shown, shown_result
from tests.plan.test_cases import KEYS
from tests.repository_files import ROOT, repository_files

TESTS = ROOT / "tests"
PAGE = TESTS / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```", "", TEXT, flags=re.DOTALL | re.MULTILINE)
FILES = [path for path in repository_files("tests") if path.parts[:2] != ("tests", "cases")]
HELPERS = sorted(
    path
    for path in FILES
    if path.suffix == ".py" and not path.name.startswith(("test_", "__")) and path.name != "conftest.py"
)
DIRECTORIES = sorted({path.parent for path in FILES} - {Path("tests")} | {Path("tests/cases")})
MAIN = '\nif __name__ == "__main__":\n'
# Test modules that hold a list; the table "new ... fails in" names them.
LISTS = ("test_every_format.py", "test_every_finding.py", "test_every_key.py", "test_completeness.py")


@pytest.mark.parametrize("directory", DIRECTORIES, ids=str)
def test_every_directory_has_a_row(directory: Path) -> None:
    row = re.search(rf"^\| `{directory}` \| (.+) \|$", TEXT, re.MULTILINE)
    assert row is not None, f"tests/README.md, `The tree`: add a row for {directory} with one sentence"
    assert row[1].endswith("."), f"tests/README.md: the row of {directory} is not a sentence"


@pytest.mark.parametrize("path", HELPERS, ids=str)
def test_every_helper_module_is_named(path: Path) -> None:
    name = path.name if path.parts[1] == "faults" else str(path)
    assert f"`{name}`" in TEXT, f"tests/README.md, `Helpers`: add a row for {path}"


@pytest.mark.parametrize("name", LISTS)
def test_every_test_of_a_list_is_named(name: str) -> None:
    [path] = [path for path in FILES if path.name == name]
    assert f"`{path}`" in TEXT


def test_every_path_exists() -> None:
    named = [each for each in re.findall(r"`([\w./-]+)`", PROSE) if re.search(r"^(tests|docs|reconciler)/", each)]
    assert len(named) > 60
    placeholders = re.compile(r"NAME|CODE|REASON|FORMAT")
    missing = [each for each in named if not placeholders.search(each) and not (ROOT / each).exists()]
    assert missing == [], "tests/README.md names files that do not exist"
    for each in named:
        if found := placeholders.search(each):
            assert (ROOT / each[: found.start()]).is_dir(), each


def commands() -> list[str]:
    return [each for each in re.findall(r"`([^`]+)`", PROSE) if re.match(r"([A-Z]+=\d+ )?(python -m |bash )", each)]


@pytest.mark.parametrize("command", commands())
def test_every_command_exists(command: str) -> None:
    words = [each for each in command.split() if "=" not in each]
    if words[0] == "bash":
        assert (ROOT / words[1]).is_file()
        return
    module, *arguments = words[2:]
    if module == "pytest":
        for each in arguments:
            assert not each.startswith("tests") or (ROOT / each).exists(), f"{each} does not exist"
        return
    file = ROOT / f"{module.replace('.', '/')}.py"
    source = (file if file.exists() else file.with_suffix("") / "__main__.py").read_text(encoding="utf-8")
    assert MAIN in source, f"{module} is not a command"
    for each in arguments:
        assert not each.startswith("--") or f'"{each}"' in source, f"{module} has no option {each}"


def test_commands_are_found() -> None:
    assert len(commands()) > 15
    programs = [path for path in FILES if path.suffix == ".py" and MAIN in (ROOT / path).read_text(encoding="utf-8")]
    named = " ".join(commands())
    started_by_others = {
        "tests/api/nightly.py",
        "tests/docs/site.py",
        "tests/faults/worker.py",
        "tests/interpreters/faked_facts.py",
        "tests/plan/all_plans.py",
    }
    missing = [
        str(path)
        for path in programs
        if str(path) not in started_by_others | {"tests/preloaded.py"}
        and f"python -m {'.'.join(path.with_suffix('').parts).removesuffix('.__main__')}" not in named
    ]
    assert missing == [], "tests/README.md: name the command of each"


def test_the_example_case_gives_its_plan() -> None:
    [text] = re.findall(r"<!-- case -->\n```yaml\n(.*?)```", TEXT, re.DOTALL)
    case = yaml.safe_load(text)
    assert case.keys() <= KEYS
    plan = world(case).plan()
    assert shown(plan) == case["plan"]
    assert shown_result(plan) == case["result"]


def keys_of_the_short_form() -> set[str]:
    """Return the keys that tests/plan/build.py reads: `x["key"]`, `x.get("key")`, `"key" in x`, and sets of keys."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((TESTS / "plan" / "build.py").read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_]):
                found.add(key)
            case ast.Subscript(slice=ast.Constant(value=str(key))):
                found.add(key)
            case ast.Compare(left=ast.Constant(value=str(key)), ops=[ast.In()]):
                found.add(key)
            case ast.MatchMapping(keys=keys) | ast.Set(elts=keys):
                found |= {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
            case _:
                pass
    return found - {"import", "run", "timeout"}  # of a probe, as in the manifest


@pytest.mark.parametrize("key", sorted(keys_of_the_short_form()))
def test_every_key_of_the_short_form_is_described(key: str) -> None:
    described = TEXT.partition("## A plan case, step by step")[2].partition("## Faults")[0]
    assert f"`{key}`" in described, f'tests/README.md, "A plan case, step by step": add a row for `{key}`'
