"""Hints about manifests and the files that they name: tests/cases/hints/manifest.yaml has each fault, and it corrected."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from reconciler.errors import ManifestError, Problem
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from tests.hints.trials import pattern, tried

FILE = Path(__file__).parent.parent / "cases" / "hints" / "manifest.yaml"
HEAD = "version: 1\nproject: acme\n"
# The manifest of the cases that are about a requirements file or a constraints file.
NAMES_FILES = (
    'environments: {web: {python: "3.12", requirements: [requirements.txt], constraints: [constraints.txt]}}\n'
)
EMPTY = {"envs.yaml": NAMES_FILES, "requirements.txt": "", "constraints.txt": ""}
VERBS = ("write", "did you mean", "quote it", "rename it", "move", "set", "start it", "add it")
CASES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
KEYS = [tried([f"manifest/{each['hint']}"], f"{__name__} {each['hint']}")[0] for each in CASES]


def files_of(case: dict[str, Any], side: str) -> dict[str, str]:
    """Return the files of one side of a case."""
    written = case[side] if isinstance(case[side], dict) else {"envs.yaml": case[side]}
    named = {} if "envs.yaml" in written and side == "wrong" else EMPTY
    before = files_of(case, "wrong") if side == "right" else {}
    head = "" if case.get("whole") else HEAD
    found = {**named, **case.get("files", {}), **before, **written}
    manifest = found["envs.yaml"]
    return {**found, "envs.yaml": manifest if manifest.startswith(HEAD) else head + manifest}


def problems(
    directory: Path, files: dict[str, str], encoding: str = "utf-8", shell: Mapping[str, str] = MappingProxyType({})
) -> tuple[Problem, ...]:
    """Write files into a directory, and return what is wrong with the manifest in it, with the variables of a shell."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
    try:
        expand(load_manifest(directory / "envs.yaml"), ambient=shell)
    except ManifestError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{each['hint']} {each.get('about', '')}" for each in CASES])
def test_a_manifest_is_valid_after_it_was_changed_as_the_hint_says(number: int, tmp_path: Path) -> None:
    case = CASES[number]
    before, after = tmp_path / "before", tmp_path / "after"
    found = problems(before, files_of(case, "wrong"), case.get("encoding", "utf-8"))
    hints = [each.hint for each in found if each.hint and pattern(KEYS[number]).fullmatch(each.hint)]
    assert hints, found
    right = files_of(case, "right")
    assert problems(after, right, shell=case.get("env", {})) == ()
    assert does_what_it_says(hints[0], "\n".join(right.values())), hints[0]


def does_what_it_says(hint: str, text: str) -> bool:
    """Return whether a corrected text has one of the texts that a hint says to write, in backticks.

    A hint with an alternative can be followed without them.
    """
    if not hint.startswith(VERBS) or re.search(r"(, or|;) ", hint):
        return True
    spans = [re.escape(each) for each in re.findall(r"`+ ?([^`]+?) ?`+", hint)]
    wanted = [re.sub(r"[A-Z]{3,}|\\\.\\\.\\\.", ".+", each.replace(r"<NAME>", "")) for each in spans]
    return not wanted or any(re.search(each, text) for each in wanted)


TOO_MANY = tried(["manifest/uv_workspace.py: list the members without `**`"], f"{__name__} too many directories")


def test_a_workspace_with_too_many_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.manifest.uv_workspace.MOST_DIRECTORIES", 1)
    head = '[project]\nname = "app"\nversion = "1"\n[tool.uv.workspace]\n'
    files = {"envs.yaml": HEAD + 'environments: {web: {python: "3.12", project: {}}}\n', "libs/a/README": ""}
    [found] = problems(tmp_path, {**files, "pyproject.toml": f'{head}members = ["libs/**"]\n'})
    assert pattern(TOO_MANY[0]).fullmatch(found.hint or "")
    monkeypatch.undo()
    assert problems(tmp_path, {**files, "pyproject.toml": f'{head}members = ["libs/a"]\n'}) == ()


LINK = tried(["manifest/load.py: name the file itself: `-f {...}`"], f"{__name__} a link out of the repository")


def test_a_manifest_that_is_a_link_out_of_its_repository(tmp_path: Path) -> None:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "real.yaml").write_text(HEAD + "environments: {}\n", encoding="utf-8")
    (tmp_path / "repository" / "envs.yaml").symlink_to(tmp_path / "real.yaml")
    [found] = problems(tmp_path / "repository", {})
    assert pattern(LINK[0]).fullmatch(found.hint or "")
    named = re.search(r"`-f (.+)`", found.hint or "")
    assert named is not None
    expand(load_manifest(Path(named[1])))


def test_a_correction_that_ignores_the_hint_is_noticed() -> None:
    assert does_what_it_says("write `NAME @ URL`", "acme @ https://a.example/acme.whl")
    assert not does_what_it_says("write `NAME @ URL`", "acme==1.0")
