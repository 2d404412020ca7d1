"""Strings that an index or a build chose reach no output with control characters or as commands to a CI system."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import Host, new_host
from tests.wheels import make_sdist

EVIL = "bad\n::error::pwned\r\n##vso[task.complete]\x1b[31m\x9b31m\u202e\u2028hint: forged\x00\x07"
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
COMMAND = re.compile(r"^\s*::\w|##vso\[", re.MULTILINE)
BACKEND = f"""\
import sys


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    for stream in (sys.stdout, sys.stderr):
        stream.buffer.write({EVIL!r}.encode() + b"\\xff\\n::error::again\\n")
        stream.flush()
    raise SystemExit({EVIL!r})
"""
PROJECT = """\
[project]
name = "talkative"
version = "1.0"
dependencies = []

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Host]:
    """A host whose index took beta back with an evil reason, and has a package whose build says evil things."""
    with new_host(tmp_path) as host:
        files = {"pyproject.toml": PROJECT, "backend.py": BACKEND}
        make_sdist(host.index.directory, "talkative", "1.0", files=files)
        host.index.yanked["beta-2.0-py3-none-any.whl"] = EVIL
        host.index.listed["gamma"] = [
            f"gamma-9.9-{EVIL}-none-any.whl",
            f"gamma-9.8{EVIL}.tar.gz",
            "../../gamma-9.7-py3-none-any.whl",
        ]
        yield host


def held_to_say_nothing_raw(host: Host, *arguments: str, code: int) -> str:
    ran = host.envsync(*arguments)
    told = ran.out + ran.err
    assert ran.code == code, told
    assert not RAW.search(told), ascii(told)
    assert not COMMAND.search(told), told
    return told


def test_a_yanked_reason_is_shown_harmless(hostile: Host) -> None:
    hostile.manifest('web:\n  python: "3.11"\n  packages: [beta]\n')
    told = held_to_say_nothing_raw(hostile, "lock", code=1)
    assert "yanked" in told
    assert told.count("\nhint: ") == 1  # ours; the forged one is indented with the details
    held_to_say_nothing_raw(hostile, "plan", "--output", "json", code=1)

    hostile.manifest('web:\n  python: "3.11"\n  packages: [beta==2.0]\n')  # on purpose: uv warns with the reason
    for command in (("lock",), ("apply", "--yes", "-vv"), ("plan", "-vv"), ("status",), ("history",)):
        held_to_say_nothing_raw(hostile, *command, code=0)
    lock = (hostile.directory / "locks/pylock.web.toml").read_text(encoding="utf-8")
    assert "pwned" not in lock


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_build_s_words_are_shown_harmless(hostile: Host, output: str) -> None:
    hostile.manifest('web:\n  python: "3.11"\n  packages: [talkative]\n')
    assert hostile.envsync("lock").code == 0
    told = held_to_say_nothing_raw(hostile, "apply", "--yes", "-vv", "--output", output, code=1)
    assert "pwned" in told
    if output == "json":
        for line in told.splitlines():
            json.loads(line)
    history = hostile.root / ".envsync/history.jsonl"
    assert not RAW.search(history.read_text(encoding="utf-8"))
    assert "pwned" not in history.read_text(encoding="utf-8")
    held_to_say_nothing_raw(hostile, "history", "--output", output, code=0)


def test_file_names_of_an_index_are_shown_harmless(hostile: Host) -> None:
    hostile.manifest('web:\n  python: "3.11"\n  packages: ["gamma>0.1"]\n')
    held_to_say_nothing_raw(hostile, "lock", code=1)
    hostile.manifest('web:\n  python: "3.11"\n  packages: [gamma]\n')
    held_to_say_nothing_raw(hostile, "apply", "--yes", code=0)
    assert hostile.freeze("web") == ["gamma==0.1"]
    assert "9.7" not in (hostile.directory / "locks/pylock.web.toml").read_text(encoding="utf-8")
