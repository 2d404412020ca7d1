"""What documents, templates and hints say is true: their numbers, lists, commands, paths and install commands.

`python -m tests.test_statements` writes the examples of `docs/formats.md` from the code.
"""

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from typer.core import TyperGroup
from typer.main import get_command

from benchmarks.results import read_results
from benchmarks.table import BEGIN, END, render
from reconciler import __version__
from reconciler.cli.app import app
from reconciler.cli.manifest import SchemaName
from reconciler.plan.model import Plan
from reconciler.render.formats import Format, render_report
from reconciler.render.plan_text import render_plan
from reconciler.render.report import Report
from reconciler.render.style import Palette
from reconciler.revision.git_revision import REPOSITORY
from tests.faults.calls import CALLS
from tests.faults.damages import CATALOGUE
from tests.faults.round_script import APPLIES
from tests.faults.rules import RECORDS
from tests.plan.build import world
from tests.safeguards import SAFEGUARDS

TOP = Path(__file__).parent.parent
DOCS = TOP / "docs"
PYPROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
FORMATS = DOCS / "formats.md"
BETA = "lib/python3.12/site-packages/beta.py"  # a file of `beta` in the examples
EXAMPLE = re.compile(r"<!-- example (?P<format>\w+) -->\n```(?P<language>\w*)\n.*?```\n", re.DOTALL)
HOOKS = TOP / ".pre-commit-hooks.yaml"
# Written by people, and shipped or read by users. Generated pages have tests of their own.
TEXTS = sorted(
    path
    for pattern in (
        "*.md", "*.yml", "*.example", ".pre-commit-hooks.yaml", ".github/**/*", "docs/**/*.md", "docs/**/*.yml",
        "docs/**/*.yaml", "docs/systemd/*", "reconciler/**/*.py",
    )
    for path in TOP.glob(pattern)
    if path.is_file() and path.suffix != ".pyc"
)  # fmt: skip


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def rows(text: str) -> list[list[str]]:
    """Return the cells of every row of the Markdown tables in a text; a pipe in backticks is written as `\\|`."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "|---"))]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def section(path: Path, heading: str) -> str:
    """Return what a page says under a level-2 heading."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", read(path), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{name_of(path)} has no heading {heading}"
    return found[1]


def ticked(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


# Installing


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_nothing_says_to_install_a_name_that_is_not_published(path: Path) -> None:
    """`envsync-reconciler` is not on the index, and `envsync` is a different project: install the repository."""
    text = read(path).replace("\\", "")
    for found in re.finditer(r"((pip|pipx|uv tool|uv pip|uv) install|uvx|pipx run)\b[^\n`&;]*", text):
        assert "@ git+" in found[0] or "envsync" not in found[0], found[0]
    for found in re.finditer(r"envsync-reconciler(\[[a-z,]+\])?(?P<rest>.{0,7})", text):
        assert found["rest"].startswith(" @ git+") or not found[1], found[0]


def test_every_install_command_is_pinned_to_this_version_of_the_one_repository() -> None:
    assert PROJECT["urls"]["Repository"] == REPOSITORY
    assert f"{PROJECT['name']}[git] @ git+{REPOSITORY}@v{__version__}" in read(TOP / "README.md")
    variables = yaml.safe_load(read(DOCS / "gitlab-ci.yml"))["variables"]
    assert variables["ENVSYNC_REPOSITORY"] == REPOSITORY
    assert re.fullmatch("[0-9a-f]{40}", variables["ENVSYNC_COMMIT"])
    hosts = rf"github\.com/{PROJECT['urls']['Repository'].split('/')[3]}/[\w-]+"
    for path in [*TEXTS, TOP / "pyproject.toml"]:
        for found in re.findall(hosts, read(path)):
            assert f"https://{found}" == REPOSITORY, name_of(path)
    for workflow in (DOCS / "github").iterdir():
        assert f"uses: {REPOSITORY.removeprefix('https://github.com/')}@" in read(workflow)


# Commands


def commands() -> dict[str, set[str]]:
    """Return every command with its options."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    common = {"-h", "--help", "--color", "-q", "--quiet", "-v", "--verbose"}
    return {
        name: {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | common
        for name, command in group.commands.items()
    }


def command_lines(path: Path) -> Iterator[list[str]]:
    """Yield the words after `envsync` of each command in the scripts, code blocks and inline code of a file."""
    text = read(path)
    if path.suffix == ".md":
        blocks = re.findall(r"^```(sh|yaml|ini|)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        consoles = re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        typed = [line for block in consoles for line in re.findall(r"^\w*\$ (.*)$", block, re.MULTILINE)]
        inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
        text = "\n".join([*(block for language, block in blocks if language), *typed, *inline])
    lines = [re.sub(r"(^|\s)#.*", "", line) for line in text.splitlines()]
    if path.suffix in {".yaml", ".yml"}:  # not in descriptions
        lines = [line for line in lines if re.match(r" *(- )?((run|entry|script|command): )?[\w${}./-]*envsync ", line)]
    for line in lines:
        for found in re.finditer(r"(?:^|[\s/\"';&|(])\$?envsync\"? ([^;&|>)`]*)", line):
            words = shlex.split(re.sub(r"[\\'\"]", "", found[1]))
            if words and re.fullmatch(r"[a-z]+|--?[A-Za-z][a-z-]*", words[0]):
                yield words


@pytest.mark.parametrize(
    "path", [each for each in TEXTS if each.suffix != ".py" and each.name != "comment.py"], ids=name_of
)
def test_every_command_line_has_a_command_and_options_that_exist(path: Path) -> None:
    known = commands()
    for words in command_lines(path):
        if words[0].startswith("-"):
            assert words[0] in {"-V", "--version", "-h", "--help"}, words
            continue
        assert words[0] in known, words
        for word in words[1 : words.index("--") if "--" in words else None]:
            if re.match(r"--?[a-zA-Z]", word):
                assert word.partition("=")[0] in known[words[0]], words


def test_command_lines_are_found() -> None:
    found = {words[0] for path in TEXTS if path.suffix in {".md", ".sh", ".yml"} for words in command_lines(path)}
    assert found >= commands().keys() - {"schema"}


def test_the_schema_loop_covers_every_schema() -> None:
    names = {path.name.removesuffix(".schema.json") for path in (TOP / "schemas").glob("*.schema.json")}
    [loop] = re.findall(r"for n in ([a-z ]+); do envsync schema", read(TOP / "CONTRIBUTING.md"))
    assert set(loop.split()) == names
    [checked] = re.findall(r"for name in ([a-z ]+); do\n +\.venv/bin/envsync schema", read(TOP / ".ci/run"))
    assert set(checked.split()) == names
    assert {each.value for each in SchemaName} == names


# Contributing


def test_the_paths_in_contributing_exist() -> None:
    text = read(TOP / "CONTRIBUTING.md")
    named = [each for each in ticked(text) if "/" in each and re.fullmatch(r"[\w./-]+", each)]
    assert len(named) > 30
    named += [word for each in ticked(text) if each.startswith("python -m pytest ") for word in each.split()[3:]]
    missing = [each for each in named if not re.search(r"NAME|CODE", each) and not (TOP / each).exists()]
    assert missing == []
    modules = re.findall(r"`python -m ([\w.]+)", text) + re.findall(r"\.venv/bin/python -m ([\w.]+)", text)
    for module in set(modules) - {"pytest"}:
        path = TOP / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_the_english_rules_are_numbered() -> None:
    numbers = [int(row[0]) for row in rows(section(TOP / "CONTRIBUTING.md", "Plain English")) if row[0].isdigit()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 20


def test_the_changelog_has_this_version() -> None:
    [latest, *_] = re.findall(r"^## (\S+)", read(TOP / "CHANGELOG.md"), re.MULTILINE)
    assert latest == __version__ == PROJECT["version"]


def test_the_python_versions_are_those_of_the_package() -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=")
    series = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", each)]
    assert series[0] == oldest
    for page in (TOP / "README.md", DOCS / "ci.md"):
        assert f"Python {oldest} or newer" in read(page)
    systems = {each for each in PROJECT["classifiers"] if each.startswith("Operating System")}
    assert systems == {"Operating System :: POSIX :: Linux"}, "a system is named when its job has passed"
    assert "You need Linux ([what was run where](docs/platforms.md))" in read(TOP / "README.md")


# In CI


def test_the_inputs_of_the_action_are_listed() -> None:
    action = yaml.safe_load(read(TOP / "action.yml"))
    listed = {row[0].strip("`"): row[1] for row in rows(section(DOCS / "ci.md", "GitHub")) if len(row) == 2}
    listed.pop("input")
    assert list(listed) == list(action["inputs"])
    for name, each in action["inputs"].items():
        default = each.get("default", "")
        if default and not default.startswith("${{"):
            assert f"default: `{default}`" in listed[name].replace('"', ""), name
    assert list(action["outputs"]) == ["report"]
    for page in re.findall(r"docs/[\w./-]+", read(TOP / "action.yml")):
        assert (TOP / page.rstrip(".")).exists(), page


def test_the_workflows_are_listed_with_their_permissions() -> None:
    listed = {row[0]: ticked(row[2]) for row in rows(section(DOCS / "ci.md", "GitHub")) if len(row) == 3}
    listed.pop("workflow")
    assert len(listed) == len(list((DOCS / "github").iterdir()))
    for link, permissions in listed.items():
        [path] = re.findall(r"\((.+)\)", link)
        workflow = yaml.safe_load(read(DOCS / path))
        assert workflow["permissions"] == {}
        needed = {f"{name}: {value}" for job in workflow["jobs"].values() for name, value in job["permissions"].items()}
        assert needed == set(permissions)


def test_the_jobs_of_the_gitlab_template_are_listed() -> None:
    template = yaml.safe_load(read(DOCS / "gitlab-ci.yml"))
    jobs = [name for name in template if not name.startswith(".") and name != "variables"]
    text = section(DOCS / "ci.md", "GitLab")
    assert [row[0].strip("`") for row in rows(text)][1:] == jobs
    assert f"in {['no', 'one', 'two', 'three', 'four'][len(jobs)]} jobs" in text
    assert f"its {['no', 'one', 'two', 'three', 'four'][len(template['variables'])]} variables" in text


def hooks() -> list[dict[str, Any]]:
    found = yaml.safe_load(read(HOOKS))
    assert isinstance(found, list)
    return found


def test_the_hooks_are_listed() -> None:
    text = section(DOCS / "ci.md", "pre-commit")
    names = [each["id"] for each in hooks()]
    assert f"has {['no', 'one', 'two'][len(names)]} hooks" in text
    assert all(f"`{name}`" in text for name in names)
    [config] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    [repository] = yaml.safe_load(config)["repos"]
    assert [each["id"] for each in repository["hooks"]] == names
    assert (repository["repo"], repository["rev"]) == (REPOSITORY, f"v{__version__}")


def test_a_commit_of_any_file_runs_the_hooks() -> None:
    """A manifest can name files of any name. A commit that only deletes one has no files for pre-commit."""
    for hook in hooks():
        assert hook["always_run"] is True, hook["id"]
        assert hook["pass_filenames"] is False, hook["id"]


# Formats


def example_plan() -> Plan:
    return world(
        {
            "manifest": {
                "same": {"packages": {"gamma": "0.1"}},
                "web": {"packages": {"alpha": "1.1", "beta": "2.0"}},
            },
            "applied": {
                "same": {"packages": {"gamma": "0.1"}},
                "web": {"packages": {"alpha": "1.0", "beta": "2.0"}},
            },
            "actual": {"web": {"findings": [{"code": "file-changed", "path": BETA, "package": "beta"}]}},
        }
    ).plan()


def example_of(form: str) -> tuple[str, str]:
    """Return the language and the text of a format's example; of `sarif` one result, of `gitlab` one entry."""
    plan = example_plan()
    places = {"same": "envs.yaml:5:3", "web": "envs.yaml:9:3"}
    command: Any = "plan" if form == Format.MARKDOWN else "check"
    report = Report(plan=plan, command=command, file="envs.yaml", places=places)
    match form:
        case Format.TEXT:
            palette = Palette.plain()
            text = render_plan(plan, palette=palette, width=80, verbose=0, shown_root=".envs", manifest="envs.yaml")
            return "", text
        case Format.MARKDOWN:
            return "markdown", render_report(report, Format.MARKDOWN)
        case Format.SARIF:
            results = json.loads(render_report(report, Format.SARIF))["runs"][0]["results"]
            found = [each for each in results if "beta.py" in each["message"]["text"]]
            return "json", json.dumps(found[-1], indent=2) + "\n"
        case Format.GITLAB:
            [*_, last] = json.loads(render_report(report, Format.GITLAB))
            return "json", json.dumps([last], indent=2) + "\n"
        case Format.JUNIT:
            return "xml", render_report(report, Format.JUNIT)
        case _:
            return "", render_report(report, Format(form))


def with_examples(page: str) -> str:
    """Return the page with every example as the code prints it."""

    def replaced(found: re.Match[str]) -> str:
        language, text = example_of(found["format"])
        return f"<!-- example {found['format']} -->\n```{language}\n{text}```\n"

    return EXAMPLE.sub(replaced, page)


def test_every_format_has_a_section_and_a_row() -> None:
    names = [each.value for each in Format]
    assert re.findall(r"^## (.+)$", read(FORMATS), re.MULTILINE) == names, (
        "docs/formats.md: add a section `## NAME` for each member of Format, in their order"
    )
    listed = [row[0] for row in rows(read(FORMATS).partition("\n## ")[0])][1:]
    assert listed == [f"[`{name}`](#{name})" for name in names], (
        "docs/formats.md: add a row to the table at the top for each member of Format, in their order"
    )


def test_the_examples_are_what_the_code_prints() -> None:
    page = read(FORMATS)
    missing = set(Format) - {Format.JSON, Format.HTML} - {found["format"] for found in EXAMPLE.finditer(page)}
    assert not missing, (
        "docs/formats.md: write `<!-- example NAME -->` and an empty code block into the section of each of these "
        "formats, then run `python -m tests.test_statements`"
    )
    assert with_examples(page) == page, "run `python -m tests.test_statements`"


@pytest.mark.parametrize(
    ("heading", "said", "module", "number"),
    [
        ("markdown", "more than 20 rows", "reconciler/render/markdown/blocks.py", 21),
        ("markdown", "at most 65,000 characters", "reconciler/render/markdown/document.py", 65_000),
        ("markdown", "more than 300 characters", "reconciler/render/markdown/escape.py", 300),
        ("markdown", "more than 1,000", "reconciler/render/markdown/escape.py", 1_000),
        ("github", "10 annotations of a kind", "reconciler/render/github.py", 10),
        ("sarif", "At most 20 results of one code", "reconciler/render/issue_drift.py", 20),
        ("sarif", "5,000 results", "reconciler/render/sarif.py", 5_000),
        ("html", "first 50 environments", "reconciler/cli/report_extras.py", 50),
        ("html", "last 20 runs", "reconciler/cli/report_extras.py", 20),
        ("html", "up to 80 distributions", "reconciler/render/html/graph.py", 80),
        ("html", "ends at 200 entries", "reconciler/render/html/changes.py", 200),
    ],
)
def test_the_limits_of_the_formats_are_those_of_the_code(heading: str, said: str, module: str, number: int) -> None:
    assert said in " ".join(section(FORMATS, heading).split())
    assert number in constants(TOP / module)


def constants(path: Path) -> set[int]:
    """Return the whole numbers that a module gives names to."""
    values = [node.value for node in ast.parse(read(path)).body if isinstance(node, ast.Assign)]
    return {each.value for each in values if isinstance(each, ast.Constant) and isinstance(each.value, int)}


# Reliability


def test_the_damages_are_counted_and_listed() -> None:
    ways = {each.name for each in CATALOGUE} | set(RECORDS)
    assert f"in one of {len(ways)} ways" in section(DOCS / "reliability.md", "Compared with a model")
    [listed] = re.findall(r"^\| damage \((.*)\) \|", read(DOCS / "reliability.md"), re.MULTILINE)
    assert {re.sub(r" \d+$", "", each) for each in re.split(r", (?!size)", listed)} == ways


def test_a_round_has_as_many_applies_as_the_page_says() -> None:
    words = {8: "eight"}
    assert f"{words[APPLIES]} applies run at the same time" in read(DOCS / "reliability.md")


def test_the_system_calls_that_are_named_are_among_those_that_are_stopped() -> None:
    text = section(DOCS / "reliability.md", "How it is tested").partition("and similar calls")[0]
    [_, *named] = ticked(text)
    assert len(named) > 10
    assert set(named) <= set(CALLS.values())


def test_the_safeguards_are_listed_with_tests_that_exist() -> None:
    listed = rows(section(DOCS / "reliability.md", "Without each safeguard"))[1:]
    assert [(name, promise) for name, promise, _ in listed] == [(each.name, each.promise) for each in SAFEGUARDS]
    for row, safeguard in zip(listed, SAFEGUARDS, strict=True):
        sources = "".join(read(TOP / each.partition("::")[0]) for each in safeguard.tests)
        for test in row[2].split(", "):
            why = f"{safeguard.name}: no {test}; run `python -m tests.faults.document --only safeguards`"
            assert f"def {test.partition('[')[0]}(" in sources, why


# Dependencies, performance


def test_every_dependency_has_a_row() -> None:
    text = read(DOCS / "dependencies.md")
    declared: dict[str, Requirement] = {each.name: each for each in map(Requirement, PROJECT["dependencies"])}
    listed = {row[0]: row for row in rows(text) if len(row) == 3 and row[0] != "package"}
    assert {ticked(each)[0] for each in listed} == set(declared)
    for cell in listed:
        for bound in re.findall(r"\(>= ([\d.]+)\)", cell):
            assert f">={bound}" in str(declared[ticked(cell)[0]].specifier)
    [uv] = [each for each in listed if ticked(each) == ["uv"]]
    assert uv == "`uv` (0.13)"
    assert declared["uv"].specifier.contains("0.13.9")
    assert not declared["uv"].specifier.contains("0.14")


def test_every_extra_is_described() -> None:
    text = read(DOCS / "dependencies.md")
    extras = PROJECT["optional-dependencies"]
    listed = {ticked(row[0])[0]: row[1] for row in rows(text) if len(row) == 4 and row[0] != "extra"}
    assert listed.keys() | {each for each in extras if f"extra `{each}` has" in text} == set(extras)
    for name, cell in listed.items():
        [requirement] = extras[name]
        assert cell == f"`{Requirement(requirement).name}` (>= {requirement.partition('>=')[2]})"
    assert all(f"`{Requirement(each).name}`" in text for each in PYPROJECT["build-system"]["requires"])


def test_the_tables_of_the_benchmarks_are_those_of_its_results() -> None:
    _, _, rest = read(DOCS / "performance.md").partition(BEGIN)
    found, end, _ = rest.partition(END)
    assert end
    assert found.strip("\n") == render(read_results(TOP / "benchmarks/results.json")).strip("\n")


def test_the_number_of_environments_that_share_an_index_of_inodes_is_bounded_as_said() -> None:
    assert "at most a million" in " ".join(read(DOCS / "performance.md").split())
    assert 1_000_000 in constants(TOP / "reconciler/state/inode_hashes.py")


if __name__ == "__main__":
    FORMATS.write_text(with_examples(read(FORMATS)), encoding="utf-8")
