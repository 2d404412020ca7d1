"""The first signal stops an apply cleanly, the second at once. In both cases the next apply completes the work."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.functional.host_state import generations, published
from tests.functional.slow_build import alive, make_slow, start
from tests.host import Host
from tests.index_faults import Fault
from tests.resolving import soon

WEB = 'web:\n  python: "3.11"\n  packages: [{}]\n'
FILE = "/files/gamma-0.1-py3-none-any.whl"
DEAF = """\
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({pid_file!r}).write_text(str(os.getpid()))
time.sleep(300)
"""


def ended(apply: "subprocess.Popen[str]") -> str:
    """Wait for an apply that got a signal, assert that it exits with 130, and return its messages."""
    try:
        _, messages = apply.communicate(timeout=30)
    finally:
        apply.kill()
        apply.wait()
    assert apply.returncode == 130, messages
    assert "Traceback" not in messages
    return messages


def converge(host: Host) -> None:
    """Apply again: the root is not locked, and afterwards nothing is left to do."""
    ran = host.envsync("apply", "--yes", "--lock-timeout", "5")
    assert ran.code == 0, ran.err
    assert host.envsync("check").code == 0


@pytest.fixture
def applied(host: Host) -> Host:
    """Return a host with a published generation of `web`."""
    host.manifest(WEB.format("alpha==1.0"))
    host.apply()
    return host


def test_after_the_first_signal_the_old_generation_is_published_and_nothing_is_half_done(applied: Host) -> None:
    applied.manifest(WEB.format("gamma"))
    assert applied.envsync("lock").code == 0
    applied.index.faulty[FILE] = Fault.HANG
    apply = start(applied)
    assert soon(lambda: FILE in applied.index.requests, seconds=30)
    apply.send_signal(signal.SIGINT)
    messages = ended(apply)
    assert "stopping: published environments stay" in messages
    assert "Nothing is half-done." in messages
    assert (published(applied, "web"), generations(applied, "web")) == (1, [1])
    assert applied.freeze("web") == ["alpha==1.0", "beta==2.0"]

    applied.index.faulty.clear()
    converge(applied)
    assert applied.freeze("web") == ["gamma==0.1"]


def test_after_the_first_signal_a_build_that_ignores_it_is_killed(applied: Host, tmp_path: Path) -> None:
    make_slow(applied, tmp_path, deaf=True)
    applied.manifest(WEB.format("slow"))
    assert applied.envsync("lock").code == 0
    builder = tmp_path / "builder"
    apply = start(applied)
    assert soon(lambda: builder.exists() and builder.read_text(), seconds=30)
    apply.send_signal(signal.SIGTERM)
    assert "Nothing is half-done." in ended(apply)
    assert soon(lambda: not alive(int(builder.read_text())))
    (tmp_path / "go").touch()
    converge(applied)
    assert generations(applied, "web") == [1, 2]


def test_the_second_signal_ends_a_probe_that_ignores_the_first(applied: Host, tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(DEAF.format(pid_file=str(tmp_path / "probing")))
    applied.manifest(WEB.format("gamma") + f"  probes: [{{run: [python, {probe}], timeout: 5m}}]\n")
    assert applied.envsync("lock").code == 0
    apply = start(applied)
    probing = tmp_path / "probing"
    assert soon(lambda: probing.exists() and probing.read_text(), seconds=30)
    apply.send_signal(signal.SIGINT)
    assert apply.stderr
    assert "again to stop at once" in apply.stderr.readline()
    assert apply.poll() is None, "the probe ignores signals, and apply waits for it"
    apply.send_signal(signal.SIGINT)
    ended(apply)
    assert soon(lambda: not alive(int(probing.read_text())))
    assert published(applied, "web") == 1
    assert applied.freeze("web") == ["alpha==1.0", "beta==2.0"]

    applied.manifest(WEB.format("gamma"))
    converge(applied)
    assert applied.freeze("web") == ["gamma==0.1"]
    assert published(applied, "web") in generations(applied, "web")


def test_the_second_signal_also_ends_planning(host: Host) -> None:
    host.manifest(WEB.format("gamma"))
    host.index.faulty["/simple/*"] = Fault.HANG
    apply = start(host)
    assert soon(lambda: host.index.requests, seconds=30)
    apply.send_signal(signal.SIGINT)
    apply.send_signal(signal.SIGTERM)
    ended(apply)
    assert generations(host, "web") == []
    assert not (host.directory / "locks").exists()
    host.index.faulty.clear()
    converge(host)
