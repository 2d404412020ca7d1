"""Where `run` finds a command: in the environment, else on absolute directories of PATH, and never a Python or pip."""

from pathlib import Path

import pytest

from reconciler.errors import EnvsyncError
from reconciler.run import _find


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    program(tmp_path / "venv/bin/python")
    program(tmp_path / "venv/bin/tool")
    for directory in ("first", "second"):
        for name in ("tool", "other", "python3.12", "pip3"):
            program(tmp_path / directory / name)
    return tmp_path / "venv"


def found(venv: Path, name: str, path: str = "{top}/first:{top}/second") -> str:
    """Return what is found, relative to the directory of the test."""
    top = str(venv.parent)
    return _find(name, str(venv), path.format(top=top), "web").removeprefix(f"{top}/")


def test_the_environment_comes_first_and_then_the_directories_in_order(venv: Path) -> None:
    assert found(venv, "tool") == "venv/bin/tool"
    assert found(venv, "other") == "first/other"
    assert found(venv, "other", "{top}/none:{top}/second") == "second/other"
    assert found(venv, "/any/path") == "/any/path"
    assert found(venv, "./any") == "./any"


def test_a_file_that_may_not_be_executed_is_passed_over_and_named_if_it_is_the_only_one(venv: Path) -> None:
    first, second = venv.parent / "first/other", venv.parent / "second/other"
    first.chmod(0o644)
    assert found(venv, "other") == "second/other"
    second.chmod(0o644)
    with pytest.raises(EnvsyncError) as caught:
        found(venv, "other")
    assert (caught.value.message, caught.value.exit_code) == (f"`{first}`: Permission denied", 126)


@pytest.mark.parametrize("name", ["pip3", "python3.12", "nothing", ""])
def test_what_is_not_found_or_reserved_is_an_error(venv: Path, name: str) -> None:
    with pytest.raises(EnvsyncError) as caught:
        found(venv, name)
    assert caught.value.exit_code == 127
    assert ("takes no Python or pip" in caught.value.message) is name.startswith(("pip", "python"))


@pytest.mark.parametrize("path", ["", ":", ".", "first", "../{top}/first"])
def test_relative_directories_are_not_searched(venv: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(venv.parent / "first")
    with pytest.raises(EnvsyncError) as caught:
        found(venv, "other", path)
    assert caught.value.exit_code == 127


def test_without_a_python_of_its_own_nothing_from_outside_is_started(venv: Path) -> None:
    (venv / "bin/python").unlink()
    assert found(venv, "tool") == "venv/bin/tool"
    for name in ("other", "/bin/true"):
        with pytest.raises(EnvsyncError, match="has no `python`"):
            found(venv, name)
