"""The URLs, repositories and paths that requirements of an environment and its build files declare for a package."""

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.lock.declared_sources import DeclaredSources
from reconciler.manifest.desired import LockSource
from tests.lock.workbench import local, local_project, requiring

COMMIT, OTHER = "c" * 40, "d" * 64
GIT = "https://git.example/own"


@pytest.mark.parametrize(
    ("declared", "name", "url", "found"),
    [
        ("Own_App @ https://files.example/own.zip", "own-app", "https://files.example/own.zip", True),
        ("own @ https://files.example/own.zip", "other", "https://files.example/own.zip", False),
        ("own @ https://files.example/own.zip", "own", "https://files.example/other.zip", False),
        ("own @ https://files.example/own.zip#sha256=abc", "own", "https://Files.example:443/own.zip", True),
        ("own @ https://files.example/a%2Bb.zip", "own", "https://files.example/a+b.zip#x", True),
        ("own @ git+https://files.example/own.zip", "own", "https://files.example/own.zip", False),
        ("own==1.0", "own", "https://files.example/own.zip", False),
        ("not a requirement", "not", "https://files.example/own.zip", False),
    ],
)
def test_an_archive_is_declared_by_name_and_url(declared: str, name: str, url: str, found: bool) -> None:
    assert DeclaredSources(requiring(declared)).has_archive(name, url) is found
    line = local(Path("/nonexistent/own"), text=declared)
    assert DeclaredSources(requiring(requirements=(line,))).has_archive(name, url) is False
    assert DeclaredSources(requiring(constraints=(declared,))).has_archive(name, url) is found
    assert DeclaredSources(requiring(overrides=(declared,))).has_archive(name, url) is found
    project = local_project(Path("/nonexistent"), requirements=(declared,))
    assert DeclaredSources(requiring(project=project)).has_archive(name, url) is found


@pytest.mark.parametrize(
    ("declared", "url", "commit", "found"),
    [
        (f"git+{GIT}", GIT, "", True),
        (f"git+{GIT}", GIT, COMMIT, True),
        (f"git+{GIT}.git@main#egg=own", f"{GIT}/", COMMIT, True),
        (f"git+{GIT}@{COMMIT}", GIT, "", True),
        (f"git+{GIT}@{COMMIT.upper()}", f"git+{GIT}.git", COMMIT.upper(), True),
        (f"git+{GIT}@{COMMIT}", GIT, "e" * 40, False),
        (f"git+{GIT}@{OTHER}", GIT, OTHER, True),
        (f"git+{GIT}@{OTHER}", GIT, COMMIT, False),
        (f"git+{GIT}@{COMMIT[:7]}", GIT, OTHER, True),
        (f"git+{GIT}", "https://git.example/other", "", False),
        (f"git+{GIT}", f"ssh://git@git.example{GIT.partition('example')[2]}", "", False),
        ("git+ssh://git@git.example/a/own.git@v1", "git@git.example:a/own.git", "", True),
        ("git+ssh://git@git.example/a/own", "git.example:/a/own", "", True),
        (f"git+https://git.example/{COMMIT}", f"https://git.example/{COMMIT}", OTHER, True),
        ("git+ssh://git.example:22/own", "ssh://git.example:22/own", "", True),
        ("git+https://user@git.example/own", f"{GIT}?x=1", "", True),
        ("git+https://git.example/a%20b", "https://git.example/a b", "", True),
        (f"git+{GIT}@", GIT, COMMIT, True),
        (f"{GIT}.zip", GIT, "", False),
    ],
)
def test_a_repository_is_declared_by_its_url_and_may_be_by_its_commit(
    declared: str, url: str, commit: str, found: bool
) -> None:
    sources = DeclaredSources(requiring(f"own @ {declared}"))
    assert sources.has_repository("own", url, commit) is found
    assert sources.has_repository("other", url, commit) is False


def test_paths_are_those_of_lines_projects_and_urls(tmp_path: Path) -> None:
    for name in ("line", "project", "url"):
        (tmp_path / name).mkdir()
    (tmp_path / "own.whl").touch()
    (tmp_path / "link").symlink_to("line")
    environment = requiring(
        requirements=(
            local(tmp_path / "line"),
            local(tmp_path / "own.whl"),
            *requiring(f"own @ {(tmp_path / 'url').as_uri()}").requirements,
        ),
        project=local_project(tmp_path / "project"),
    )
    sources = DeclaredSources(environment)
    names = ("line", "link", "project", "url", "own.whl", "other")
    assert [sources.has_path(tmp_path / each) for each in names] == [True, True, True, True, True, False]
    assert [each.name for each in sources.directories] == ["url", "line", "project"]


BUILD_FILES = {
    "pyproject.toml": f"""
[project]
name = "app"
dynamic = ["dependencies"]
dependencies = ["one[x] @ https://files.example/one.zip", "near @ file:../near"]
[tool.setuptools.dynamic]
dependencies = {{file = ["more.txt", "gone.txt"]}}
[tool.own.sources]
two = {{git = "{GIT}", rev = "{COMMIT}"}}
three = {{git = "{GIT}", tag = "v1", branch = "{COMMIT}"}}
four = [{{url = "https://files.example/four.zip", marker = "x"}}, {{path = "four"}}]
five = {{file = "five.zip"}}
other = {{git = "../other"}}
six = {{git = 1, url = 2, path = 3, file = 4}}
seven = {{git = "{GIT}", rev = 5, branch = "{COMMIT}"}}
""",
    "more.txt": f"eight @ git+{GIT}\nhttps://files.example/nine.zip#sha=1&egg=nine\n'git+{GIT}#egg=ten'\n",
    "setup.py": "x = ['eleven@https://files.example/eleven.zip']\n",
    "../near/pyproject.toml": '[project]\nname = "near"\ndependencies = ["far @ https://files.example/far.zip"]\n',
}


def test_build_files_of_local_projects_declare_sources_too(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (tmp_path / "near").mkdir()
    for name, text in BUILD_FILES.items():
        (app / name).write_text(text)
    sources = DeclaredSources(requiring(project=local_project(app)))
    assert not sources.has_archive("one", "https://files.example/other.zip"), "the build files are read now"
    assert not DeclaredSources(sources.environment).has_repository("one", GIT)
    assert sources.has_repository("other", "../other")
    for name in ("one", "four", "nine", "eleven", "far"):
        assert sources.has_archive(name, f"https://files.example/{name}.zip"), name
        assert not sources.has_archive("other", f"https://files.example/{name}.zip"), name
    commits = {name: [sources.has_repository(name, GIT, each) for each in ("", COMMIT, OTHER)] for name in REPOSITORIES}
    assert commits == REPOSITORIES
    paths = ("four", "five.zip", "../near", ".", "3")
    assert [sources.has_path(app / each) for each in paths] == [True, True, True, True, False]


REPOSITORIES = {
    "two": [True, True, False],
    "three": [True, True, True],
    "seven": [True, True, False],
    "eight": [True, True, True],
    "ten": [True, True, True],
    "six": [False, False, False],
}


def test_the_project_of_the_lock_of_another_tool_declares_sources_and_a_damaged_build_file_none(tmp_path: Path) -> None:
    source = LockSource(path=tmp_path / "pdm.lock", relative="pdm.lock", tool="pdm", sha256="0")
    environment = replace(requiring(), lock=source)
    (tmp_path / "pyproject.toml").write_text(f'[project]\ndependencies = ["own @ git+{GIT}"]\n')
    assert DeclaredSources(environment).has_repository("own", GIT)
    (tmp_path / "pyproject.toml").write_text(f"= own @ git+{GIT}\n[tool.x]\nown = {{git = '{GIT}/other'}}\n")
    sources = DeclaredSources(environment)
    assert sources.has_repository("own", GIT)  # the text alone
    assert not sources.has_repository("own", f"{GIT}/other")
