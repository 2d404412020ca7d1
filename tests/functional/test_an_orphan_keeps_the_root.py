"""What a killed apply had started never works beside a new apply: it keeps the root's lock until it ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.functional.looking import generations
from tests.host import Host, base_environment
from tests.index_faults import Fault
from tests.resolving import soon
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
# It builds what every backend builds, once a file appears; and says where it is.
BACKEND = """\
import os, time
from backend import build_wheel as built


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with open({here!r} + "/builder", "w") as file:
        file.write(str(os.getpid()))
    while not os.path.exists({here!r} + "/go"):
        time.sleep(0.02)
    return built(wheel_directory, config_settings, metadata_directory)
"""
MANIFEST = 'web:\n  python: "3.11"\n  packages: [{}]\n'


def start(host: Host, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--yes", *arguments],
        cwd=host.directory,
        env=base_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def alive(pid: int) -> bool:
    """Say whether a process runs; a dead one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def make_slow(host: Host, here: Path) -> None:
    plain = make_sdist(here / "plain", "slow", "1.0")
    backend = subprocess.run(
        ["tar", "xzOf", plain, "slow-1.0/backend.py"], capture_output=True, text=True, check=True
    ).stdout
    files = {"pyproject.toml": PROJECT, "slow.py": BACKEND.format(here=str(here)), "backend.py": backend}
    make_sdist(host.index.directory, "slow", "1.0", files=files)


def test_a_build_that_outlives_a_killed_apply_is_waited_for(host: Host, tmp_path: Path) -> None:
    make_slow(host, tmp_path)
    host.manifest(MANIFEST.format("slow"))
    assert host.envsync("lock").code == 0
    first = start(host)
    builder = tmp_path / "builder"
    assert soon(lambda: builder.exists() and builder.read_text(), seconds=30)
    orphan = int(builder.read_text())
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert alive(orphan)

    ran = host.envsync("apply", "--yes", "--lock-timeout", "0.5")
    assert ran.code == 1
    assert "error: what a killed envsync started still works in" in ran.err
    assert f"pid {orphan} (python" in ran.err
    assert f"killed was pid {first.pid} on " in ran.err
    assert "hint: wait for it or end it, or give more time with --lock-timeout" in ran.err

    second = start(host, "--lock-timeout", "60")
    time.sleep(1.5)
    assert second.poll() is None
    assert generations(host, "web") == [1]  # the second has not begun: the orphan's stands alone
    builder.unlink()
    (tmp_path / "go").touch()
    errors = second.communicate(timeout=60)[1]
    assert second.returncode == 0, errors
    assert not alive(orphan)
    assert host.freeze("web") == ["slow==1.0"]
    assert host.environment("web")["action"] == "no-op"


def test_an_installer_that_waits_for_an_index_dies_with_its_apply(host: Host) -> None:
    host.manifest(MANIFEST.format("gamma"))
    assert host.envsync("lock").code == 0
    file = "/files/gamma-0.1-py3-none-any.whl"
    host.index.faulty[file] = Fault.HANG
    first = start(host)
    assert soon(lambda: file in host.index.requests, seconds=30)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    host.index.faulty.clear()
    begun = time.monotonic()
    ran = host.envsync("apply", "--yes", "--lock-timeout", "5")
    assert ran.code == 0, ran.err
    assert time.monotonic() - begun < 15
    assert host.freeze("web") == ["gamma==0.1"]


def test_a_build_that_hangs_ends_at_its_deadline_and_the_lock_is_given_back(host: Host, tmp_path: Path) -> None:
    make_slow(host, tmp_path)
    host.manifest(MANIFEST.format("slow"))
    assert host.envsync("lock").code == 0
    ran = host.envsync("apply", "--yes", "--timeout", "2")
    assert ran.code == 1
    assert "did not end within 2 seconds" in ran.err
    assert soon(lambda: not alive(int((tmp_path / "builder").read_text())))
    (tmp_path / "go").touch()
    ran = host.envsync("apply", "--yes", "--lock-timeout", "1")
    assert ran.code == 0, ran.err
