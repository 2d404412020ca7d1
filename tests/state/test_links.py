"""Which texts of symbolic links envsync takes as its own: of published generations, renamed ones and former paths."""

import os
from pathlib import Path

import pytest

from reconciler.state.former_name import home_of, is_name, linked_home, owner_of, renamed_to
from reconciler.state.published_link import link_target, published_number

LONG = "9" * 19


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (link_target("web", 1), 1),
        (f".envsync/generations/web/{LONG}/venv", int(LONG)),
        (f".envsync/generations/web/{LONG}9/venv", 0),
        (".envsync/generations/web/0/venv", 0),
        (".envsync/generations/web/01/venv", 0),
        (".envsync/generations/web/-1/venv", 0),
        (".envsync/generations/web/\u0661/venv", 0),
        (".envsync/generations/web/\u00b2/venv", 0),
        (".envsync/generations/web//venv", 0),
        (".envsync/generations/web/1", 0),
        (".envsync/generations/web/1/venv/", 0),
        (".envsync/generations/other/1/venv", 0),
        ("/root/.envsync/generations/web/1/venv", 0),
        ("1/venv", 0),
        ("1", 0),
    ],
)
def test_only_the_text_that_envsync_writes_publishes_a_generation(text: str, number: int, tmp_path: Path) -> None:
    (tmp_path / "web").symlink_to(text)
    assert os.readlink(tmp_path / "web") == text  # noqa: PTH115  # the text itself
    assert published_number(str(tmp_path), "web") == number


def test_what_is_not_a_link_publishes_nothing(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    assert [published_number(str(tmp_path), name) for name in ("web", "none")] == [0, 0]


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("web", True),
        ("a", True),
        ("0", True),
        ("web-2_x", True),
        ("", False),
        ("-web", False),
        ("_web", False),
        ("Web", False),
        ("web.x", False),
        ("web/x", False),
        ("..", False),
        ("w\u00e9b", False),
    ],
)
def test_a_name_of_an_environment_has_few_characters(text: str, valid: bool) -> None:
    assert is_name(text) is valid


@pytest.mark.parametrize(
    ("text", "home"),
    [
        ("../web/7", "web"),
        ("../web/8", ""),
        ("../Web/7", ""),
        ("../../web/7", ""),
        ("web/7", ""),
        ("../web/", ""),
        ("../7", ""),
        ("..//7", ""),
        ("", ""),
    ],
)
def test_only_a_link_to_the_same_number_of_another_name_is_one_to_a_generation(text: str, home: str) -> None:
    assert linked_home(text, "7") == home


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (".envsync/../site", "site"),
        (".envsync/../Site", ""),
        (".envsync/../", ""),
        (".envsync/../../site", ""),
        ("./.envsync/../site", ""),
        ("site", ""),
    ],
)
def test_only_the_text_that_envsync_writes_is_a_former_path(text: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "web").symlink_to(text)
    (tmp_path / "directory").mkdir()
    assert [renamed_to(str(tmp_path), each) for each in ("web", "directory", "none")] == [name, "", ""]


def test_a_generation_belongs_to_the_name_in_its_mark_or_to_that_of_its_directory(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"web/{number}").mkdir(parents=True)
    (tmp_path / "web/2/renamed").symlink_to("site")
    (tmp_path / "web/3/renamed").write_text("site")  # no link
    (tmp_path / "web/4").touch()
    (tmp_path / "web/5").symlink_to("1")
    owners = [owner_of(str(tmp_path), "web", number) for number in range(1, 7)]
    assert owners == ["web", "site", "web", "", "", ""]


def test_a_link_and_the_mark_must_agree(tmp_path: Path) -> None:
    (tmp_path / "web/7").mkdir(parents=True)
    for name in ("site", "thief"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "7").symlink_to("../web/7")
    (tmp_path / "web/7/renamed").symlink_to("site")
    assert [home_of(str(tmp_path), each, 7) for each in ("site", "thief", "web")] == ["web", "thief", "web"]
    assert home_of(str(tmp_path), "site", 8) == "site"
