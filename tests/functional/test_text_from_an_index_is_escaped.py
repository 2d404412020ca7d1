"""Text from an index or a build is printed without control characters, and never as a command for a CI system."""

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
def untrusted(tmp_path: Path) -> Iterator[Host]:
    """Yield a host whose index gives an untrusted reason for yanking beta, and has a build that prints such text."""
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


def escaped_output(host: Host, *arguments: str, code: int) -> str:
    """Run a command, assert that it prints nothing raw, and return what it printed."""
    ran = host.envsync(*arguments)
    printed = ran.out + ran.err
    assert ran.code == code, printed
    assert not RAW.search(printed), ascii(printed)
    assert not COMMAND.search(printed), printed
    return printed


def test_the_reason_for_yanking_is_escaped(untrusted: Host) -> None:
    untrusted.manifest('web:\n  python: "3.11"\n  packages: [beta]\n')
    printed = escaped_output(untrusted, "lock", code=1)
    assert "yanked" in printed
    assert printed.count("\nhint: ") == 1  # only our own hint; the forged one is indented with the details
    escaped_output(untrusted, "plan", "--output", "json", code=1)

    untrusted.manifest('web:\n  python: "3.11"\n  packages: [beta==2.0]\n')  # uv installs it, and warns with the reason
    for command in (("lock",), ("apply", "--yes", "-vv"), ("plan", "-vv"), ("status",), ("history",)):
        escaped_output(untrusted, *command, code=0)
    lock = (untrusted.directory / "locks/pylock.web.toml").read_text(encoding="utf-8")
    assert "pwned" not in lock


@pytest.mark.parametrize("output", ["text", "json"])
def test_the_output_of_a_build_is_escaped(untrusted: Host, output: str) -> None:
    untrusted.manifest('web:\n  python: "3.11"\n  packages: [talkative]\n')
    assert untrusted.envsync("lock").code == 0
    printed = escaped_output(untrusted, "apply", "--yes", "-vv", "--output", output, code=1)
    assert "pwned" in printed
    if output == "json":
        for line in printed.splitlines():
            json.loads(line)
    history = untrusted.root / ".envsync/history.jsonl"
    assert not RAW.search(history.read_text(encoding="utf-8"))
    assert "pwned" not in history.read_text(encoding="utf-8")
    escaped_output(untrusted, "history", "--output", output, code=0)


def test_file_names_from_an_index_are_escaped(untrusted: Host) -> None:
    untrusted.manifest('web:\n  python: "3.11"\n  packages: ["gamma>0.1"]\n')
    escaped_output(untrusted, "lock", code=1)
    untrusted.manifest('web:\n  python: "3.11"\n  packages: [gamma]\n')
    escaped_output(untrusted, "apply", "--yes", code=0)
    assert untrusted.freeze("web") == ["gamma==0.1"]
    assert "9.7" not in (untrusted.directory / "locks/pylock.web.toml").read_text(encoding="utf-8")
