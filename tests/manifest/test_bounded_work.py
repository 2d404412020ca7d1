"""No text within the permitted sizes takes more than time in proportion to its length.

Each text took quadratic time at some point. The bound is generous: at this length, quadratic work takes minutes.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.lock.build_inputs import read_build_inputs
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.logical_lines import logical_lines
from reconciler.manifest.masked_source import SourceMask
from reconciler.manifest.pyproject import parse_toml
from reconciler.manifest.requirement_corrections import corrected_requirement
from reconciler.manifest.requirements_line import parse_requirements_line
from reconciler.manifest.setup_cfg import parse_setup_cfg
from reconciler.manifest.toml_depth import MOST_PARTS, refuse_deep_keys

LENGTH = 100_000
BOUND_SECONDS = 10.0  # of processor time; a fiftieth of it is usual


def blanks(before: str, after: str) -> str:
    return f"{before}{' ' * LENGTH}{after}"


def masked(text: str) -> list[str]:
    """Return all lines of a manifest as an error may show them."""
    lines = tuple(text.split("\n"))
    mask = SourceMask(lines)
    return [mask.line(number + 1).text for number in range(len(lines))]


LONG: dict[str, tuple[Callable[[str], object], str]] = {
    "blanks before no comment": (lambda text: list(logical_lines([text])), blanks("a", "b")),
    "blanks in a requirement": (parse_requirements_line, blanks("a", "!")),
    "blanks before a bracket": (parse_requirements_line, blanks("./a", "[")),
    "blanks before a marker": (parse_requirements_line, blanks("./a", "x;")),
    "words in a path": (parse_requirements_line, "./" + "a " * (LENGTH // 2) + "["),
    "blanks in a hint": (corrected_requirement, blanks("a", "b")),
    "a dotted key": (parse_toml, "a." * (LENGTH // 2) + "a = 1"),
    "a dotted header": (parse_toml, "[" + "a." * (LENGTH // 2) + "a]"),
    "a dotted key in an inline table": (parse_toml, "x = {" + "a . " * (LENGTH // 4) + "a = 1}"),
    "a quoted dotted key": (parse_toml, '"a b".' * (LENGTH // 6) + "a = 1"),
    "lines of a setup.cfg": (parse_setup_cfg, "a\n" * LENGTH * 3),
    "brackets": (parse_toml, "a = " + "[" * LENGTH),
    "mappings in a manifest that is not valid YAML": (masked, "labels: {" + "a: {" * (LENGTH // 4)),
    "keys in a manifest that is not valid YAML": (masked, "labels: {" + "a: b, " * (LENGTH // 6)),
    "a word in a manifest that is not valid YAML": (masked, "env:\n  " + "a" * LENGTH),
    "lines of a manifest that is not valid YAML": (masked, "env:\n" + "  a: b\n" * (LENGTH // 7) + "["),
}


@pytest.mark.parametrize("what", LONG)
def test_a_long_text_is_read_or_refused_in_proportion_to_its_length(what: str) -> None:
    read, text = LONG[what]
    begun = time.process_time()
    with suppress(InvalidTextError, ManifestError, ValueError):
        read(text)
    assert time.process_time() - begun < BOUND_SECONDS


def test_a_pyproject_with_a_dotted_key_of_many_parts_is_invalid_and_says_where() -> None:
    with pytest.raises(InvalidTextError, match=r"not valid TOML: a key has more than 100 parts \(at line 2\)"):
        parse_toml("[project]\n" + "a." * (MOST_PARTS + 1) + "a = 1\n")


def test_build_files_with_such_a_key_count_as_invalid(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("a." * (LENGTH // 2) + "a = 1")
    begun = time.process_time()
    read_build_inputs(tmp_path)
    assert time.process_time() - begun < BOUND_SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "a." * (MOST_PARTS - 1) + "a = 1",
        f'description = "{"word." * 200}"',
        f"# {'A sentence of words. ' * 200}",
        f"versions = [{'1.2, ' * 200}]",
        "\n".join(f"a.b{number}.c = 1" for number in range(200)),
    ],
    ids=["as many as allowed", "a quoted text", "a comment", "a list of numbers", "many keys"],
)
def test_other_texts_with_many_dots_are_allowed(text: str) -> None:
    refuse_deep_keys(text)
