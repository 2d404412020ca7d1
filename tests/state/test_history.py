"""The history has one line a run, and an incomplete line does not affect others."""

from pathlib import Path

import pytest

from reconciler.errors import StateError
from reconciler.state.history import append_history, read_history
from reconciler.state.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path)
    made.envsync_directory.mkdir()
    return made


def test_runs_are_read_in_order(layout: Layout) -> None:
    assert read_history(layout) == []
    for number in range(3):
        append_history(layout, {"run": number, "text": "line\nbreak \u2028 \udc80 ü"})
    assert [entry["run"] for entry in read_history(layout)] == [0, 1, 2]
    assert read_history(layout)[0]["text"] == "line\nbreak \u2028 \udc80 ü"
    assert len(layout.history.read_bytes().splitlines()) == 3


def test_an_incomplete_line_is_left_out_and_others_are_kept(layout: Layout) -> None:
    append_history(layout, {"run": 1})
    with layout.history.open("ab") as file:
        file.write(b'{"run": 2, "cut sho')
    assert [entry["run"] for entry in read_history(layout)] == [1]
    append_history(layout, {"run": 3})
    append_history(layout, {"run": 4})
    assert [entry["run"] for entry in read_history(layout)] == [1, 3, 4]


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b"3", b"\xff\xfe", b"\0\0\0", b"[" * 100_000, b'{"run": 2'])
def test_any_invalid_line_is_left_out(line: bytes, layout: Layout) -> None:
    layout.history.write_bytes(b'{"run": 1}\n' + line + b'\n{"run": 3}\n')
    assert [entry["run"] for entry in read_history(layout)] == [1, 3]


def test_a_history_that_cannot_be_written_is_ignored(tmp_path: Path) -> None:
    append_history(Layout(tmp_path / "no such root"), {"run": 1})
    layout = Layout(tmp_path)
    layout.history.mkdir(parents=True)
    append_history(layout, {"run": 1})
    assert [each.name for each in tmp_path.rglob("*")] == [".envsync", "history.jsonl"]


def test_a_history_that_cannot_be_read_is_a_state_error(layout: Layout) -> None:
    layout.history.mkdir()
    with pytest.raises(StateError, match=r"history\.jsonl: Is a directory"):
        read_history(layout)
