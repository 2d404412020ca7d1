"""A package whose build waits for a file, and an apply that runs at the same time as the test."""

import subprocess
import sys
from pathlib import Path

from tests.host import Host, base_environment
from tests.wheels import make_sdist

PROJECT = """\
[project]
name = "slow"
version = "1.0"
dependencies = []

[build-system]
requires = []
build-backend = "slow"
backend-path = ["."]
"""
# It writes its process id, waits for a file, and then builds like any backend. If `deaf`, it ignores SIGTERM.
BACKEND = """\
import os, signal, time
from backend import build_wheel as built


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    if {deaf}:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open({directory!r} + "/builder", "w") as file:
        file.write(str(os.getpid()))
    while not os.path.exists({directory!r} + "/go"):
        time.sleep(0.02)
    return built(wheel_directory, config_settings, metadata_directory)
"""


def start(host: Host, *arguments: str) -> subprocess.Popen[str]:
    """Start an apply and return its process; its messages are on its standard error."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--yes", *arguments],
        cwd=host.directory,
        env=base_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def make_slow(host: Host, directory: Path, *, deaf: bool = False) -> None:
    """Give the index an sdist; its build writes its pid to `directory / "builder"` and waits for `directory / "go"`."""
    plain = make_sdist(directory / "plain", "slow", "1.0")
    backend = subprocess.run(
        ["tar", "xzOf", plain, "slow-1.0/backend.py"], capture_output=True, text=True, check=True
    ).stdout
    slow = BACKEND.format(directory=str(directory), deaf=deaf)
    files = {"pyproject.toml": PROJECT, "slow.py": slow, "backend.py": backend}
    make_sdist(host.index.directory, "slow", "1.0", files=files)
