"""Where files are below a root, and which symbolic link is ours."""

from pathlib import Path

import pytest

from reconciler.errors import StateError
from reconciler.state.layout import Layout


def test_all_paths_are_below_the_root_and_nothing_is_created(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "root")
    generation = layout.generation("web", 7)
    for path in (
        layout.mutex, layout.mutex_holder, layout.history, layout.engine_cache, layout.record("web"), layout.adopted,
        generation.seal, generation.inventory, generation.pylock, generation.in_use,
    ):  # fmt: skip
        assert path.is_relative_to(layout.envsync_directory)
    assert layout.environment("web") == layout.root / "web"
    assert layout.published_number("web") == 0
    assert layout.generation_numbers("web") == []
    assert not layout.root.exists()


def test_a_published_link_points_to_its_generation(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.generation("web", 12).venv.mkdir(parents=True)
    layout.environment("web").symlink_to(layout.link_target("web", 12))
    assert layout.published_number("web") == 12
    assert layout.environment("web").resolve() == layout.generation("web", 12).venv


@pytest.mark.parametrize(
    "target",
    [
        "/elsewhere", "venv", "web", ".envsync/generations/web/7", ".envsync/generations/web/7/venv/",
        ".envsync/generations/web//venv", ".envsync/generations/web/0/venv", ".envsync/generations/web/07/venv",
        ".envsync/generations/web/-7/venv", ".envsync/generations/web/+7/venv", ".envsync/generations/web/7x/venv",
        ".envsync/generations/web/7/../8/venv", ".envsync/generations/web/../api/7/venv",
        ".envsync/generations/api/7/venv", "./.envsync/generations/web/7/venv", ".envsync/generations/web/7\n/venv",
        ".envsync/generations/web/ 7/venv", ".envsync/generations/web/\u0667/venv", ".envsync/generations/web/7_0/venv",
        ".envsync/generations/web/venv",
    ],
)  # fmt: skip
def test_any_other_link_is_not_ours(target: str, tmp_path: Path) -> None:
    (tmp_path / "web").symlink_to(target)
    assert Layout(tmp_path).published_number("web") == 0


def test_an_absolute_link_to_a_generation_is_not_ours(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.environment("web").symlink_to(layout.generation("web", 7).venv)
    assert layout.published_number("web") == 0


def test_a_directory_or_file_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "api").write_text(".envsync/generations/api/7/venv")
    assert Layout(tmp_path).published_number("web") == Layout(tmp_path).published_number("api") == 0


def test_generation_numbers_are_directory_names(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for name in ("1", "10", "9", "0", "01", "x", "-1", ".7", "7\n", "\u0667"):
        (layout.generations("web") / name).mkdir(parents=True)
    assert layout.generation_numbers("web") == [1, 9, 10]


def test_a_file_in_place_of_the_generations_is_a_state_error(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.generations("web").parent.mkdir(parents=True)
    layout.generations("web").write_text("")
    with pytest.raises(StateError, match="generations/web: Not a directory"):
        layout.generation_numbers("web")
