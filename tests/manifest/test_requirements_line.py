"""One line of a requirements file: every form that is supported, and the place and hint of every error."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.requirements_line import parse_requirements_line, relative_to

FILE = Path(__file__).parent.parent / "cases" / "manifest" / "requirements-lines.yaml"
CASES = yaml.safe_load(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", [each for each in CASES if "kind" in each])
def test_a_line_is_read(case: dict[str, Any]) -> None:
    line = parse_requirements_line(case["line"])
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(line).items()}
    written = {name: value for name, value in values.items() if value or isinstance(value, bool)}
    assert {"line": case["line"], "kind": type(line).__name__, **written} == case


@pytest.mark.parametrize("case", [each for each in CASES if "message" in each])
def test_an_invalid_line_has_a_place_and_a_hint(case: dict[str, str]) -> None:
    with pytest.raises(InvalidTextError) as caught:
        parse_requirements_line(case["line"])
    error = caught.value
    assert (error.message, error.hint) == (case["message"], case.get("hint", ""))
    assert error.offset is not None
    assert case["line"][error.offset : error.offset + error.width] == case["wrong"]


@pytest.mark.parametrize(
    ("path", "directory", "relative"),
    [
        ("/a/b", "/a", "./b"),
        ("/a", "/a", "."),
        ("/b", "/a", "../b"),
        ("/", "/a", ".."),
        ("/a/..b", "/a", "./..b"),
    ],
)
def test_a_path_is_relative_to_the_directory_of_the_manifest(path: str, directory: str, relative: str) -> None:
    assert relative_to(path, Path(directory)) == relative


@pytest.mark.parametrize(
    ("written", "path"),
    [('"a b"', "a b"), ("'a b'", "a b"), ("a\\ b", "a b"), ('"', '"'), ("'a\"", "'a\"")],
)
def test_a_path_may_have_quotes_or_backslashes(written: str, path: str) -> None:
    line = parse_requirements_line(f"-r {written}")
    assert asdict(line)["path"] == path
