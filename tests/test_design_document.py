"""`docs/design.md` is the contract: the code cites its headings, and its lists are the lists of the code.

The modules that it, `docs/architecture.md` and `docs/concepts.md` name exist.
`python -m tests.test_design_document` runs the commands of `docs/concepts.md` and writes their output into it.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from reconciler import exit_codes
from reconciler.cli.app import app
from reconciler.diff.model import PackageAction
from reconciler.observe.actual import Depth
from reconciler.plan.document import EnvironmentDocument, PlanDocument
from reconciler.plan.model import Action, StepKind
from reconciler.render.formats import Format
from reconciler.state.layout import Layout
from tests.index import ServedIndex, serve_index
from tests.test_layering import BESIDE, LAYERS, PACKAGE, VALUES
from tests.walk import Clones
from tests.wheels import make_wheel

ROOT = PACKAGE.parent
DOCS = ROOT / "docs"
DESIGN = (DOCS / "design.md").read_text(encoding="utf-8")
HEADINGS = (
    "Words", "Data flow", "Manifest", "Lock", "Local projects", "Indexes", "Interpreters", "Observation", "Plan",
    "Apply", "Staging", "Trials", "On disk", "Secrets", "What is trusted", "Exit codes", "Command line", "Speed",
    "Code",
)  # fmt: skip
WORDS = frozenset(
    {
        "manifest", "environment", "template", "matrix", "project", "root", "lock", "desired state", "actual state",
        "last applied state", "generation", "inventory", "seal", "publish", "plan", "action", "reason", "finding",
        "blocked", "probe", "hook", "snapshot", "prior", "prune", "adopt", "retention", "collect", "drift", "pending",
        "depth", "engine", "fast path",
    }
)  # fmt: skip
QUOTING = frozenset({Path(__file__).name, "test_plain_english.py"})  # these quote what may not be written
# A citation names a heading, and may go on after it; it may also be broken over two lines of a docstring or comment.
CITED = re.compile(r"docs/design\.md,[\s#]+\"(?P<heading>[^\"]+)\"")
NUMBERED = re.compile(
    r"\(design[\s#]+section|design,[\s#]+sections?\b|design's[\s#]+section|section[\s#]+\d+[\s#]+of[\s#]+the[\s#]+design"
)
SCENE = re.compile(r"```console\n(?P<text>\$ .*?)```\n", re.DOTALL)
_MANIFEST = re.compile(r"```yaml\n(?P<text>.*?)```\n", re.DOTALL)
_URL = "https://pypi.acme.example/simple/"


def section(heading: str) -> str:
    """Return the text below a level-2 heading of the design."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", DESIGN, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def sources(*directories: str) -> Iterator[tuple[Path, str]]:
    for directory in directories:
        for path in sorted((ROOT / directory).rglob("*.py")):
            if path.name not in QUOTING:
                yield path, path.read_text(encoding="utf-8")


def test_the_headings_are_the_ones_that_may_be_cited() -> None:
    assert tuple(re.findall(r"^## (.+)$", DESIGN, re.MULTILINE)) == HEADINGS


def test_every_citation_names_a_heading() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {found['heading']}"
        for path, text in sources("reconciler", "tests", "benchmarks")
        for found in CITED.finditer(text)
        if found["heading"] not in HEADINGS
    ]
    assert not wrong


def test_nothing_cites_a_section_by_its_number() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path, text in sources("reconciler", "tests", "benchmarks")
        if NUMBERED.search(text)
    ]
    assert not wrong


def test_the_glossary_has_every_word_in_one_sentence() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", section("Words"), re.MULTILINE)
    words = [word for word, _ in rows]
    assert words == sorted(words)
    assert not WORDS - set(words)
    assert len(words) == section("Words").count("\n| ") - 1, "a row without a word in bold"
    assert [word for word, meaning in rows if not meaning.endswith(".") or ". " in meaning] == []


def test_the_layers_are_the_ones_that_the_layering_test_holds() -> None:
    listed = re.findall(r"^\d+\. `([a-z_]+)(/|\.py)`: \S", section("Data flow"), re.MULTILINE)
    assert tuple(name for name, _ in listed) == LAYERS
    assert [name for name, ending in listed if (PACKAGE / name).is_dir() != (ending == "/")] == []


def test_the_exceptions_of_the_layers_are_named() -> None:
    lines = re.findall(r"^- (.+) belongs? to `(\w+)`", section("Data flow"), re.MULTILINE)
    named = {name: layer for names, layer in lines for name in re.findall(r"`([a-z_/]+)\.py`", names)}
    assert named == {module.replace(".", "/"): layer for module, layer in BESIDE.items()}
    assert [name for name in sorted(VALUES) if f"`{name}`" not in section("Data flow")] == []


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Words", [each.value for each in Action]),
        ("Plan", [each.value for each in PackageAction]),
        ("Plan", [*PlanDocument.model_fields, *EnvironmentDocument.model_fields]),
        ("Observation", [each.value for each in Depth]),
        ("Apply", [each.value for each in StepKind]),
        ("Command line", [each.value for each in Format]),
        ("Command line", list(typer.main.get_command(app).commands)),  # type: ignore[attr-defined]  # a group has them
    ],
)
def test_what_the_code_lists_the_design_lists(heading: str, names: list[str]) -> None:
    missing = [name for name in names if f"`{name}`" not in section(heading)]
    assert missing == [], f'docs/design.md, "{heading}": name each of these in backticks'


def test_the_exit_codes_are_the_table_that_the_commands_use() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", section("Exit codes"), re.MULTILINE)
    assert {int(code): meaning for code, meaning, _ in rows} == exit_codes.MEANINGS
    all_but_run = [name for name in exit_codes.BY_COMMAND if name != "run"]
    for code, _, commands in rows:
        named = all_but_run if commands == "all except `run`" else re.findall(r"`([a-z]+)`", commands)
        assert named == [name for name, codes in exit_codes.BY_COMMAND.items() if int(code) in codes], code


def test_the_design_says_where_everything_is_on_disk() -> None:
    layout = Layout(Path("/root"))
    generation = layout.generation("web", 7)
    places = [
        layout.link_target("web", 7), layout.record("web").name, layout.history.name, layout.mutex_holder.name,
        layout.adopted.name, layout.engine_cache.name, layout.interpreter_facts.name, layout.inode_hashes.name,
        layout.agreements.name,
        *(f"/{each.name}" for each in (generation.venv, generation.seal, generation.inventory, generation.pylock)),
        *(f"/{each.name}" for each in (generation.identity, generation.unpublished, generation.in_use)),
    ]  # fmt: skip
    assert [place for place in places if place not in section("On disk")] == []


@pytest.mark.parametrize("page", ["design.md", "architecture.md", "concepts.md"])
def test_every_module_that_is_named_exists(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:reconciler/)?([a-z_]+(?:/[a-z_]+)*(?:\.py|/))`", text))
    missing = [each for each in sorted(named) if not ((PACKAGE / each).exists() or (ROOT / each).exists())]
    assert missing == []


def test_the_concepts_page_shows_what_the_commands_print(tmp_path: Path) -> None:
    page = (DOCS / "concepts.md").read_text(encoding="utf-8")
    with serve_index(tmp_path / "wheels") as index:
        assert with_output(page, tmp_path, index) == page, "run `python -m tests.test_design_document`"


def with_output(page: str, directory: Path, index: ServedIndex) -> str:
    """Return the page with what the commands of its console blocks print, run in order in one directory."""
    for name, version, requires in (
        ("flask", "3.0.3", ("werkzeug>=3.0",)),
        ("flask", "3.1.2", ("werkzeug>=3.1",)),
        ("werkzeug", "3.1.3", ()),
        ("orjson", "3.11.4", ()),
    ):
        make_wheel(index.directory, name, version, requires=requires)
    (directory / "host").mkdir()
    (directory / "tmp").mkdir()
    manifest = _MANIFEST.search(page)
    assert manifest is not None
    (directory / "host/envs.yaml").write_text(manifest["text"].replace(_URL, index.url), encoding="utf-8")
    clones = Clones(directory=directory, index=index)

    def run(found: re.Match[str]) -> str:
        commands = [line for line in found["text"].splitlines() if line.startswith("$ ")]
        printed = "".join(f"{each}\n{clones.run('host', each[2:])[1]}" for each in commands)
        assert "Traceback" not in printed, printed
        return f"```console\n{printed}```\n"

    return SCENE.sub(run, page)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, serve_index(Path(made) / "wheels") as served:
        concepts = DOCS / "concepts.md"
        concepts.write_text(with_output(concepts.read_text(encoding="utf-8"), Path(made), served), encoding="utf-8")
