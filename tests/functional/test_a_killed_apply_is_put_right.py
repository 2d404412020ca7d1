"""A killed apply leaves each environment completely old or completely new, and the next apply completes it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host import Host, base_environment

OLD = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'
NEW = 'web:\n  python: "3.11"\n  packages: [alpha==1.1, gamma]\n  probes: [{import: alpha}]\n'
STEPS = ["lock", "build", "verify", "probe", "seal", "sync", "publish", "record"]


def apply_until(host: Host, step: str, number: signal.Signals) -> int:
    """Start an apply, send it a signal when its step `step` starts, and return its exit code."""
    child = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--yes", "--output", "json"],
        cwd=host.directory,
        env=base_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        event = json.loads(line)
        if event["type"] == "step-started" and event["step"] == step:
            child.send_signal(number)
            break
    child.stdout.read()
    child.stdout.close()
    return child.wait(timeout=60)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_the_environment_is_old_or_new_and_the_next_apply_completes_it(host: Host, step: str) -> None:
    host.manifest(OLD)
    host.apply()
    old = host.freeze("web")
    host.manifest(NEW)

    assert apply_until(host, step, signal.SIGKILL) == -signal.SIGKILL

    new = ["alpha==1.1", "beta==2.0", "gamma==0.1"]
    assert host.freeze("web") in (old, new)
    host.apply()
    assert host.freeze("web") == new
    assert generations(host) == ["1", "2", "3"] or len(generations(host)) == 2
    for number in generations(host):
        seal = host.root / ".envsync/generations/web" / number / "seal.json"
        assert seal.is_file(), "an unfinished generation is left over"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_apply_stops_cleanly_with_130(host: Host, number: signal.Signals) -> None:
    host.manifest(OLD)
    host.apply()
    host.manifest(NEW)
    assert apply_until(host, "build", number) == 130
    assert host.freeze("web") == ["alpha==1.0", "beta==2.0"]
    assert generations(host) == ["1"]
    host.apply()


def generations(host: Host) -> list[str]:
    return sorted(os.listdir(Path(host.root / ".envsync/generations/web")))
