"""The overlaps in a record: they are read as they were written, and a record without any is as before."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import DamagedStateError
from reconciler.state.overlap import Overlap
from reconciler.state.store import State
from tests.plan.build import applied_environment

OVERLAP = Overlap(packages=("aa", "bb"), installed="bb", equal=False, files=12, paths=("bin/tool",))


def record_of(tmp_path: Path, *overlaps: Overlap) -> Path:
    state = State.at(tmp_path)
    applied = replace(applied_environment("web", {"generation": 0}), overlaps=overlaps)
    state.record(applied)
    assert state.applied("web") == applied
    return state.layout.record("web")


def test_overlaps_are_recorded_and_a_record_without_any_is_as_an_older_envsync_writes_it(tmp_path: Path) -> None:
    assert json.loads(record_of(tmp_path, OVERLAP).read_bytes())["format"] == 1
    assert "overlaps" not in json.loads(record_of(tmp_path).read_bytes())["applied"]


@pytest.mark.parametrize(
    "change", [{"files": "12"}, {"files": True}, {"equal": 1}, {"packages": "aa"}, {"paths": [1]}, {"installed": None}]
)
def test_damaged_overlaps_are_damage_of_the_record(tmp_path: Path, change: dict[str, Any]) -> None:
    path = record_of(tmp_path, OVERLAP)
    stored = json.loads(path.read_bytes())
    stored["applied"]["overlaps"][0] |= change
    path.write_text(json.dumps(stored))
    with pytest.raises(DamagedStateError):
        State.at(tmp_path).applied("web")
