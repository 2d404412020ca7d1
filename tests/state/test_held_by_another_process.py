"""Whether another live process of this host says that it holds the root mutex."""

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.state.layout import Layout
from reconciler.state.root_mutex_holder import held_by_another_process

PARENT = {"pid": os.getppid(), "host": socket.gethostname(), "command": "envsync apply", "since": "now"}


def held(root: Path, content: str) -> bool:
    layout = Layout(root)
    layout.mutex_holder.parent.mkdir(parents=True, exist_ok=True)
    layout.mutex_holder.write_text(content)
    return held_by_another_process(layout)


def test_a_live_process_of_this_host_holds_it(tmp_path: Path) -> None:
    assert held(tmp_path, json.dumps(PARENT))


@pytest.mark.parametrize(
    "other", [{"pid": os.getpid()}, {"host": "elsewhere"}, {"pid": "x"}, {"pid": None}, {"pid": -1}]
)
def test_another_host_or_this_process_or_no_number_does_not_hold_it(tmp_path: Path, other: dict[str, Any]) -> None:
    assert not held(tmp_path, json.dumps({**PARENT, **other}))


def test_a_process_that_has_ended_does_not_hold_it(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    assert not held(tmp_path, json.dumps({**PARENT, "pid": ended.pid}))


@pytest.mark.parametrize("content", ["", "{}", "[]", "1", "[" * 100_000, json.dumps({"pid": 1})])
def test_a_file_that_cannot_be_read_names_no_holder(tmp_path: Path, content: str) -> None:
    assert not held(tmp_path, content)
    assert not held_by_another_process(Layout(tmp_path / "none"))
