"""Which files that change during the build of an editable project are its results: those that it makes again."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.apply.generated_files import find_generated_files
from reconciler.engines.engine import Engine, InstallRequest
from reconciler.errors import EngineError
from reconciler.lock.file_digests import file_state
from reconciler.lock.select import select_artifacts
from reconciler.state.generated_files import read_generated_files
from reconciler.state.layout import Layout
from tests.engines.requests import install_request
from tests.lock.test_select import INTERPRETER, lock_of

STATIC = '[project]\nname = "own"\nversion = "1"\n[build-system]\nbuild-backend = "{}"\nrequires = ["{}"]\n'
HOOK = STATIC.format("hatchling.build", 'hatchling", "hatch-vcs') + (
    '[tool.hatch.build.hooks.vcs]\nversion-file = "src/_version.py"\n'
)
OWN_BACKEND = STATIC.format("backend", "x").replace("requires", 'backend-path = ["."]\nrequires')


class Builder:
    """An engine that builds by a function, which gets the directory of the only package; and the project."""

    def __init__(self, place: Path, build: Callable[[Path], object], pyproject: str = OWN_BACKEND) -> None:
        self.project, self.layout = place / "project", Layout(place / "root")
        self.copies: list[Path] = []
        self._build = build
        self.layout.cache.mkdir(parents=True)
        (self.project / "src").mkdir(parents=True)
        (self.project / "pyproject.toml").write_text(pyproject)
        (self.project / "src/own.py").write_text("")
        (self.project / "locks").mkdir()

    def create(self, venv: Path, *_: Any, **__: Any) -> None:
        venv.mkdir()

    def install(self, request: InstallRequest) -> None:
        [package] = tomllib.loads(request.pylock.read_text())["packages"]
        copy = Path(package["directory"]["path"])
        assert copy != self.project
        assert package["directory"]["editable"]
        self.copies.append(copy)
        self._build(copy)

    def run(self, meanwhile: Callable[[Path], object] = lambda _: None) -> dict[str, str]:
        """Build in the project's own directory; return the recorded files by name."""
        lock = lock_of(
            {"name": "own", "directory": {"path": "..", "editable": True}},
            path=self.project / "locks/pylock.web.toml",
        )
        request = install_request(Path("venv"), Path("pylock.toml"))
        with find_generated_files(
            lock,
            select_artifacts(lock, INTERPRETER),
            request,
            INTERPRETER,
            engine=cast("Engine", self),
            layout=self.layout,
        ):
            self._build(self.project)
            meanwhile(self.project)
        found = read_generated_files(self.layout)
        return {Path(path).relative_to(self.project).as_posix(): state for path, state in found.items()}


def writing(name: str, text: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_text(text)


def test_a_file_that_the_build_makes_again_is_recorded_and_not_built_twice_the_next_time(tmp_path: Path) -> None:
    builder = Builder(tmp_path, writing("src/made.py", "MADE = 1"))
    expected = builder.run()
    assert expected == {"src/made.py": file_state(builder.project / "src/made.py")}
    assert len(builder.copies) == 1
    assert not builder.copies[0].exists()
    (builder.project / "src/made.py").write_text("changed manually")
    assert builder.run() == expected
    assert len(builder.copies) == 1, "it is recorded"


def test_what_the_build_makes_of_changed_sources_is_recorded_again(tmp_path: Path) -> None:
    builder = Builder(
        tmp_path, lambda each: (each / "src/made.py").write_text((each / "src/own.py").read_text().upper())
    )
    builder.run()
    (builder.project / "src/own.py").write_text("word")
    assert builder.run() == {"src/made.py": file_state(builder.project / "src/made.py")}
    assert len(builder.copies) == 2


@pytest.mark.parametrize("name", ["src/own.py", "src/added.py"])
def test_what_someone_else_writes_during_the_build_is_not_recorded(name: str, tmp_path: Path) -> None:
    builder = Builder(tmp_path, writing("src/made.py", "MADE = 1"))
    assert [*builder.run(writing(name, "MEANWHILE = 1"))] == ["src/made.py"]


@pytest.mark.parametrize("text", ["DEFAULT = 1", "", "\n"])
def test_a_file_that_a_build_only_makes_if_it_is_missing_is_a_source(text: str, tmp_path: Path) -> None:
    """The next build keeps it, so what it makes of other sources may differ from what is there."""

    def build(directory: Path) -> None:
        if not (directory / "src/settings.py").exists():
            (directory / "src/settings.py").write_text(text)

    assert Builder(tmp_path, build).run() == {}


@pytest.mark.parametrize("text", ["MADE = 1", "", "\n"])
def test_any_contents_can_be_a_result(text: str, tmp_path: Path) -> None:
    assert [*Builder(tmp_path, writing("src/made.py", text)).run()] == ["src/made.py"]


def test_a_file_that_differs_after_every_build_is_a_source(tmp_path: Path) -> None:
    numbers = iter(range(9))
    builder = Builder(tmp_path, lambda each: (each / "src/made.py").write_text(str(next(numbers))))
    assert builder.run() == {}


def test_after_a_build_that_fails_in_the_copy_nothing_is_recorded(tmp_path: Path) -> None:
    def build(directory: Path) -> None:
        if directory != tmp_path / "project":
            raise EngineError("it failed", hint=None)
        (directory / "src/made.py").write_text("MADE = 1")

    builder = Builder(tmp_path, build)
    assert builder.run() == {}
    assert len(builder.copies) == 1


@pytest.mark.parametrize(
    ("pyproject", "name"),
    [
        (STATIC.format("hatchling.build", "hatchling"), "src/made.py"),  # no code takes part
        (HOOK, "src/_version.py"),  # it never counts
        (OWN_BACKEND, "locks/pylock.other.toml"),  # the lock of another environment
        (OWN_BACKEND, "src/__pycache__/x.pyc"),
    ],
)
def test_other_changes_cause_no_second_build(pyproject: str, name: str, tmp_path: Path) -> None:
    builder = Builder(tmp_path, lambda _: None, pyproject)
    (builder.project / name).parent.mkdir(exist_ok=True)
    assert builder.run(writing(name, "MEANWHILE = 1")) == {}
    assert builder.copies == []
