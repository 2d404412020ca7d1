"""The history has one line a run, and an incomplete line does not affect others."""

import os
import pwd
from pathlib import Path

import pytest

from reconciler.canonical_json import Json
from reconciler.errors import StateError
from reconciler.state.history import MOST_BYTES, append_history, history_entry, made_by, read_history, runs_of
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
    with pytest.raises(StateError, match=r"history\.jsonl: a directory, not a file"):
        read_history(layout)


def test_an_entry_names_the_user_even_if_the_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    name = pwd.getpwuid(os.getuid()).pw_name
    assert history_entry({"USER": "anna"}, [])["by"] == "anna"
    assert history_entry({}, [])["by"] == history_entry({"USER": ""}, [])["by"] == name
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)  # no user has this number
    assert history_entry({}, [])["by"] == "4000000"


def test_the_history_does_not_grow_without_a_bound(layout: Layout) -> None:
    text = "x" * 300_000
    count = 3 * MOST_BYTES // len(text)
    for number in range(count):
        append_history(layout, {"run": number, "text": text})
        assert layout.history.stat().st_size <= MOST_BYTES
    runs = [entry["run"] for entry in read_history(layout)]
    assert runs == list(range(count - len(runs), count)), "the newest runs, without a gap"
    assert len(runs) > MOST_BYTES // 2 // len(text) - 2
    assert [each.name for each in layout.envsync_directory.iterdir()] == [layout.history.name]


def run(plan: str, at: str, *environments: dict[str, Json], by: str = "alice") -> dict[str, Json]:
    return {"at": at, "by": by, "plan": plan, "environments": list[Json](environments)}


RUNS = [
    run("p1", "2026-11-30T09:00:01+00:00", {"name": "web", "generation": 1}, {"name": "job", "generation": 1}),
    run("p2", "2026-11-30T09:00:02+00:00", {"name": "web", "generation": 1, "status": "rolled-back"}, by="bob"),
    run(
        "p3",
        "2026-11-30T09:00:03+00:00",
        {"name": "site", "generation": 2, "status": "applied", "renamed_from": "web"},
        {"name": "web", "generation": 1},
    ),
    run("", "2026-11-30T09:00:04+00:00", {"name": "site", "generation": 4, "status": "applied"}, by="carol"),
]


def test_the_runs_of_an_environment_are_found_under_its_former_name_and_name_no_other() -> None:
    assert [[each.get("name") for each in found["environments"]] for found in runs_of(RUNS, "site")] == [  # type: ignore[union-attr]
        ["web"],
        ["web"],
        ["site"],
        ["site"],
    ]
    assert runs_of(RUNS, "api") == []
    assert runs_of([{"environments": "damaged"}, {}], "web") == []


@pytest.mark.parametrize(
    ("number", "plan", "rebuilt", "by"),
    [
        (1, "p1", False, "alice"),
        (3, "p2", False, "bob"),  # it was rolled back, so that its run names the previous one
        (4, "", True, "carol"),
        (5, "", True, ""),
        (1, "unknown", False, ""),
    ],
)
def test_who_made_a_generation_is_found_by_its_plan(number: int, plan: str, rebuilt: bool, by: str) -> None:
    own = runs_of(RUNS, "site")
    assert made_by(own, number, created="2026-11-30T09:00:00+00:00", plan=plan, rebuilt=rebuilt) == by
    assert made_by(own, number, created="2026-12-01T00:00:00+00:00", plan=plan, rebuilt=rebuilt) == ""
