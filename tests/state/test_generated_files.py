"""The cache of the files that builds wrote into source trees."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.state.generated_files import read_generated_files, write_generated_files
from reconciler.state.layout import Layout
from tests.state.edited import write_stored


def test_files_are_added_replaced_and_removed(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "root")
    layout.cache.mkdir(parents=True)
    one, two = (str(tmp_path / name) for name in ("one.py", "größe.py"))
    for each in (one, two):
        Path(each).write_text("")
    write_generated_files(layout, {one: "f1"})
    write_generated_files(layout, {two: "f2"})
    assert read_generated_files(layout) == {one: "f1", two: "f2"}
    write_generated_files(layout, {one: "f3", two: None})
    assert read_generated_files(layout) == {one: "f3"}


def test_files_that_no_longer_exist_are_forgotten(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "root")
    layout.cache.mkdir(parents=True)
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("")
        write_generated_files(layout, {str(tmp_path / name): "f"})
    (tmp_path / "one.py").unlink()
    write_generated_files(layout, {str(tmp_path / "three.py"): "f"})
    assert read_generated_files(layout) == {str(tmp_path / "two.py"): "f"}


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "{}", "[" * 10**5),
        '{"format": 1, "files": {"/a": "f"}}',  # valid, but envsync did not write it
        *({}, {"format": 2, "files": {"/a": "f"}}, {"format": 1, "files": {"/a": 1}}, {"format": 1, "files": ["/a"]}),
    ],
)
def test_a_damaged_cache_has_no_files(content: str | dict[str, Any], tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.cache.mkdir(parents=True)
    if isinstance(content, str):
        layout.generated_files.write_text(content)
    else:
        write_stored(layout.generated_files, content)
    assert read_generated_files(layout) == {}
    (tmp_path / "a.py").write_text("")
    write_generated_files(layout, {str(tmp_path / "a.py"): "f"})
    assert json.loads(layout.generated_files.read_text())["files"] == {str(tmp_path / "a.py"): "f"}


def test_a_cache_that_cannot_be_written_is_missing(tmp_path: Path) -> None:
    (tmp_path / ".envsync").write_text("no directory")
    write_generated_files(Layout(tmp_path), {str(tmp_path): "f"})
    assert read_generated_files(Layout(tmp_path)) == {}
