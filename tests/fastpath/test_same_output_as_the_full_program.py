"""If nothing changed, the fast path and the full program print the same bytes."""

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host import Host, base_environment
from tests.preloaded import run_on_a_terminal

WEB = 'web:\n  python: "3.11"\n  packages: [beta]\n'
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "plain": {"TERM": "xterm"},
    "no-color": {"TERM": "xterm", "NO_COLOR": "1"},
    "forced": {"TERM": "dumb", "FORCE_COLOR": "1"},
    "ci": {"TERM": "xterm", "CI": "true"},
    "narrow": {"TERM": "xterm", "COLUMNS": "20"},
}


def on_a_terminal(host: Host, *arguments: str, env: dict[str, str]) -> bytes:
    """Return what a command writes to a terminal."""
    code, written = run_on_a_terminal(arguments, cwd=host.directory, env={**base_environment(), **env})
    assert code == 0
    return written


def in_a_new_process(host: Host, *arguments: str, env: dict[str, str]) -> bytes:
    """Return the same of a command that is started as a user starts it."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=host.directory,
        env={**base_environment(), **env},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as command:
        os.close(terminal)
        assert command.wait(60) == 0
    try:
        return os.read(controller, 65536)
    finally:
        os.close(controller)


def forget(host: Host) -> None:
    shutil.rmtree(host.root / ".envsync/cache/agreed")


@pytest.fixture
def settled(host: Host) -> Host:
    host.manifest(WEB)
    host.apply()
    return host


def test_on_a_terminal(settled: Host) -> None:
    for name, env in ENVIRONMENTS.items():
        for command in (["plan"], ["check", "--color", "always"], ["plan", "--color=never", "--depth", "metadata"]):
            forget(settled)
            full = on_a_terminal(settled, *command, env=env)
            assert (settled.root / ".envsync/cache/agreed/web").exists()
            assert on_a_terminal(settled, *command, env=env) == full, name
            assert full.replace(b"\r\n", b" ").split()[:1] != []
    assert in_a_new_process(settled, *command, env=env) == full
    forget(settled)
    assert in_a_new_process(settled, *command, env=env) == full


def test_off_a_terminal(settled: Host, tmp_path: Path) -> None:
    for env in ({}, {"FORCE_COLOR": "1"}):
        for command in (["plan"], ["check", "-q"], ["plan", "--detailed-exitcode", "--color", "always"]):
            forget(settled)
            full = settled.envsync(*command, env=env)
            assert settled.envsync(*command, env=env) == full
            assert full.code == 0
    odd = settled.directory / "my envs\u2014\u00e9.yaml"
    (settled.directory / "envs.yaml").rename(odd)
    first = settled.envsync("plan", "-f", str(odd))
    assert settled.envsync("plan", "-f", str(odd)) == first
    assert odd.name in first.out


def test_both_report_output_that_could_not_be_written(settled: Host) -> None:
    for _ in ("full", "quick"):
        with Path("/dev/full").open("wb") as full_device:
            done = subprocess.run(
                [sys.executable, "-m", "reconciler", "plan"],
                cwd=settled.directory,
                env=base_environment(),
                stdout=full_device,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert (done.returncode, "the output could not be written" in done.stderr) == (1, True)
