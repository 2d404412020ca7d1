"""The files that hatchling and poetry-core leave out of a wheel because git ignores them."""

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.lock.build_inputs import read_build_inputs
from reconciler.lock.ignored_by_git import left_out, left_out_files, nothing_left_out

NAMES = ("made.py", "own/made.py", "own/made.txt", "own/deep/made.txt", "own/other.txt", "out/x")
WHEEL = "[tool.hatch.build.targets.wheel]\n"
IGNORED = "made.*\nout/\n"
EVERY = "own/made.py own/made.txt own/deep/made.txt out/x"


@pytest.mark.parametrize(
    ("pyproject", "files", "expected"),
    [
        ("", {".gitignore": IGNORED}, EVERY),
        ("", {}, ""),
        ("", {".gitignore": f"{IGNORED}!own/made.py\n"}, "own/made.txt own/deep/made.txt out/x"),
        ("", {"../.gitignore": IGNORED}, EVERY),
        ("", {"../.gitignore": IGNORED, ".git/HEAD": ""}, ""),
        ("", {"../.gitignore": IGNORED, ".gitignore": "out\n", ".git/HEAD": ""}, "out/x"),
        ("", {".gitignore": IGNORED, ".hgignore": ""}, ""),
        ("", {".gitignore": IGNORED, "../.hgignore": ""}, ""),
        ("", {".gitignore": f"{IGNORED}project\n"}, ""),  # hatchling then ignores nothing
        (f"{WHEEL}ignore-vcs = true\n", {".gitignore": IGNORED}, ""),
        (f"{WHEEL}ignore-vcs = false\n", {".gitignore": IGNORED}, EVERY),
        ("[tool.hatch.metadata.hooks.custom]\n", {".gitignore": IGNORED}, ""),
        ("[tool.hatch.metadata.hooks]\nvcs = {}\nrequirements_txt = {}\n", {".gitignore": IGNORED}, EVERY),
        (f"{WHEEL}exclude = ['own/*.txt', '!own/made.py']\n", {".gitignore": IGNORED}, EVERY.partition(" ")[2]),
        (f"{WHEEL}artifacts = ['*.txt']\n", {".gitignore": IGNORED}, "own/made.py out/x"),
        ("[tool.hatch.build]\nartifacts = ['*.txt']\n", {".gitignore": IGNORED}, "own/made.py out/x"),
        (f"{WHEEL}packages = ['own/made.py', 'out']\n", {".gitignore": IGNORED}, EVERY.partition(" ")[2]),
        (f"{WHEEL}only-include = ['./own/made.py']\n", {".gitignore": IGNORED}, EVERY.partition(" ")[2]),
        (f"{WHEEL}only-include = {{'own/made.py' = 1}}\n", {".gitignore": IGNORED}, EVERY.partition(" ")[2]),
        (f"{WHEEL}only-include = 'own/made.py'\n", {".gitignore": IGNORED}, EVERY),
        (f"{WHEEL}only-include = [1, 'out/x']\n", {".gitignore": IGNORED}, EVERY.removesuffix(" out/x")),
        (f"{WHEEL}force-include = {{'own' = 'x'}}\n", {".gitignore": IGNORED}, "out/x"),
        (f"{WHEEL}sbom-files = ['own/deep']\n", {".gitignore": IGNORED}, "own/made.py own/made.txt out/x"),
        (f"{WHEEL}force-include = {{'.' = 'x'}}\n", {".gitignore": IGNORED}, ""),
        (f"{WHEEL}force-include = {{'../..' = 'x'}}\n", {".gitignore": IGNORED}, ""),
        (f"{WHEEL}force-include = {{'../near' = 'x'}}\n", {".gitignore": IGNORED}, EVERY),
    ],
)
def test_hatchling_leaves_out_what_the_nearest_ignore_file_says(
    pyproject: str, files: Mapping[str, str], expected: str, tmp_path: Path
) -> None:
    is_left_out = left_out_files(written(tmp_path, files), "hatchling", tomllib.loads(pyproject), tracked=())
    assert [each for each in NAMES if is_left_out(each)] == expected.split()


@pytest.mark.parametrize(
    ("pyproject", "files", "tracked", "expected"),
    [
        ("", {".git/HEAD": "", ".gitignore": IGNORED}, "", f"made.py {EVERY}"),
        ("", {".gitignore": IGNORED}, "", ""),
        ("", {".git/HEAD": "", "own/.gitignore": "made.txt\n/other.txt\n"}, "",
         "own/made.txt own/deep/made.txt own/other.txt"),
        ("", {".git/HEAD": "", ".gitignore": IGNORED, "own/.gitignore": "!made.txt\n"}, "",
         "made.py own/made.py out/x"),
        ("", {"../.git/HEAD": "", "../.gitignore": IGNORED}, "", ""),
        ("", {"../.git/HEAD": "", "../.gitignore": IGNORED}, "own/other.txt", ""),
        ("", {"../.git/HEAD": "", "../.gitignore": IGNORED}, "pyproject.toml", f"made.py {EVERY}"),
        ("", {"../.git/HEAD": "", "../.gitignore": "project/own/*.txt\n"}, "pyproject.toml",
         "own/made.txt own/other.txt"),
        ("[tool.poetry]\ninclude = ['own/*.txt', {path = 'out', format = 'sdist'}]\n",
         {".git/HEAD": "", ".gitignore": IGNORED}, "", "made.py own/made.py own/deep/made.txt"),
    ],
)  # fmt: skip
def test_poetry_leaves_out_what_git_ignores(
    pyproject: str, files: Mapping[str, str], tracked: str, expected: str, tmp_path: Path
) -> None:
    directory = written(tmp_path, files)
    is_left_out = left_out_files(directory, "poetry", tomllib.loads(pyproject), tracked=tracked.split())
    assert [each for each in NAMES if is_left_out(each)] == expected.split()


@pytest.mark.parametrize("backend", ["hatchling", "poetry"])
def test_git_does_not_follow_a_link_to_an_ignore_file_and_hatchling_does(backend: str, tmp_path: Path) -> None:
    directory = written(tmp_path, {".git/HEAD": "", "elsewhere": IGNORED})
    (directory / ".gitignore").symlink_to("elsewhere")
    is_left_out = left_out_files(directory, backend, {}, tracked=())
    assert is_left_out("own/made.txt") is (backend == "hatchling")


def test_without_git_poetry_leaves_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = written(tmp_path, {".git/HEAD": "", ".gitignore": IGNORED})
    assert shutil.which("git"), "poetry-core asks git"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert left_out_files(directory, "poetry", {}, tracked=()) is nothing_left_out


def test_other_backends_leave_nothing_out(tmp_path: Path) -> None:
    directory = written(tmp_path, {".git/HEAD": "", ".gitignore": IGNORED})
    is_left_out = left_out_files(directory, "setuptools", {}, tracked=())
    assert is_left_out is nothing_left_out
    assert is_left_out("own/made.py") is False


@pytest.mark.parametrize(
    ("more", "tracked", "expected"),
    [
        ("", "", "own/made.py own/made.txt"),
        ("", "own/made.py", "own/made.txt"),
        ("license-files = ['own/made.txt']\n", "", "own/made.py"),
        ("[tool.hatch.build.hooks.custom]\n", "", ""),
        ("dynamic = ['dependencies']\n", "", ""),  # the build may read them from any file
    ],
)
def test_files_that_are_tracked_or_that_metadata_is_read_from_are_not_left_out(
    more: str, tracked: str, expected: str, tmp_path: Path
) -> None:
    build = '[build-system]\nbuild-backend = "hatchling.build"\n[project]\nname = "own"\n'
    directory = written(
        tmp_path, {"pyproject.toml": build + more, ".gitignore": IGNORED, "own/made.py": "", "own/made.txt": ""}
    )
    found = left_out(read_build_inputs(directory), NAMES[1:3], tracked.split())
    assert " ".join(sorted(found)) == expected


def written(directory: Path, files: Mapping[str, str]) -> Path:
    """Write files relative to a project in `directory`, and return its path."""
    project = directory / "project"
    project.mkdir()
    for name, text in files.items():
        (project / name).parent.mkdir(exist_ok=True, parents=True)
        (project / name).write_text(text)
    return project
