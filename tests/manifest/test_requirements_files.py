"""The limits of requirements files: lines, paths and options, reported errors, and levels of includes."""

import itertools
from pathlib import Path

import pytest

from tests.manifest.test_project_sources import expanded, problems

WEB = 'environments: {web: {python: "3.12", requirements: [r.txt]}}\n'
INDEX = 'indexes: [{name: a, url: "https://a.example/simple"}]\n'


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("six\n" * 20_001, "20001:1: more than 20,000 lines"),
        ("-i https://a.example/simple\n" * 501, "501:1: more than 500 paths and options"),
    ],
)
def test_the_lines_and_options_of_a_file_are_limited(content: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(content)
    assert problems(tmp_path, INDEX + WEB) == [f"r.txt:{problem}"]
    (tmp_path / "r.txt").write_text(content[: content.rindex("\n", 0, -1)])
    assert problems(tmp_path, INDEX + WEB) == []


def test_only_the_first_ten_lines_with_control_characters_are_reported(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("six\x01\n" * 20)
    found = [f"r.txt:{line}:4: control characters are not allowed: `\\x01`" for line in range(1, 11)]
    assert problems(tmp_path, WEB) == found


def test_files_are_included_in_at_most_32_levels(tmp_path: Path) -> None:
    names = ["r.txt", *(f"{number}.txt" for number in range(2, 34))]
    for name, included in itertools.pairwise(names):
        (tmp_path / name).write_text(f"-r {included}\n")
    (tmp_path / "33.txt").write_text("idna\n")
    assert problems(tmp_path, WEB) == ["32.txt:1:1: includes are nested deeper than 32 files"]
    (tmp_path / "32.txt").write_text("six\n")
    [environment] = expanded(tmp_path, WEB).environments
    assert [each.text for each in environment.requirements] == ["six"]
