"""The first signal stops an apply cleanly, the second at once; the next apply goes on from there either way."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.functional.looking import generations, published
from tests.functional.slow_build import alive, make_slow, start
from tests.host import Host
from tests.index_faults import Fault
from tests.resolving import soon

WEB = 'web:\n  python: "3.11"\n  packages: [{}]\n'
FILE = "/files/gamma-0.1-py3-none-any.whl"
DEAF = """\
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({here!r}).write_text(str(os.getpid()))
time.sleep(300)
"""


def ended(apply: "subprocess.Popen[str]") -> str:
    """Wait for an apply that was told to stop, and return what it said."""
    try:
        _, said = apply.communicate(timeout=30)
    finally:
        apply.kill()
        apply.wait()
    assert apply.returncode == 130, said
    assert "Traceback" not in said
    return said


def converge(host: Host) -> None:
    """Apply again: nobody holds the root, and nothing is left to do after it."""
    ran = host.envsync("apply", "--yes", "--lock-timeout", "5")
    assert ran.code == 0, ran.err
    assert host.envsync("check").code == 0


@pytest.fixture
def standing(host: Host) -> Host:
    """A host on which an older generation of `web` is live."""
    host.manifest(WEB.format("alpha==1.0"))
    host.apply()
    return host


def test_after_the_first_what_was_live_is_live_and_nothing_is_half_done(standing: Host) -> None:
    standing.manifest(WEB.format("gamma"))
    assert standing.envsync("lock").code == 0
    standing.index.faulty[FILE] = Fault.HANG
    apply = start(standing)
    assert soon(lambda: FILE in standing.index.requests, seconds=30)
    apply.send_signal(signal.SIGINT)
    said = ended(apply)
    assert "stopping: published environments stay" in said
    assert "Nothing is half-done." in said
    assert (published(standing, "web"), generations(standing, "web")) == (1, [1])
    assert standing.freeze("web") == ["alpha==1.0", "beta==2.0"]

    standing.index.faulty.clear()
    converge(standing)
    assert standing.freeze("web") == ["gamma==0.1"]


def test_after_the_first_no_build_goes_on_that_heeds_no_signal(standing: Host, tmp_path: Path) -> None:
    make_slow(standing, tmp_path, deaf=True)
    standing.manifest(WEB.format("slow"))
    assert standing.envsync("lock").code == 0
    builder = tmp_path / "builder"
    apply = start(standing)
    assert soon(lambda: builder.exists() and builder.read_text(), seconds=30)
    apply.send_signal(signal.SIGTERM)
    assert "Nothing is half-done." in ended(apply)
    assert soon(lambda: not alive(int(builder.read_text())))
    (tmp_path / "go").touch()
    converge(standing)
    assert generations(standing, "web") == [1, 2]


def test_the_second_waits_for_nothing_and_the_next_apply_converges(standing: Host, tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(DEAF.format(here=str(tmp_path / "probing")))
    standing.manifest(WEB.format("gamma") + f"  probes: [{{run: [python, {probe}], timeout: 5m}}]\n")
    assert standing.envsync("lock").code == 0
    apply = start(standing)
    probing = tmp_path / "probing"
    assert soon(lambda: probing.exists() and probing.read_text(), seconds=30)
    apply.send_signal(signal.SIGINT)
    assert apply.stderr
    assert "again to stop at once" in apply.stderr.readline()
    assert apply.poll() is None, "the probe heeds no signal, and is waited for"
    apply.send_signal(signal.SIGINT)
    ended(apply)
    assert soon(lambda: not alive(int(probing.read_text())))
    assert published(standing, "web") == 1
    assert standing.freeze("web") == ["alpha==1.0", "beta==2.0"]

    standing.manifest(WEB.format("gamma"))
    converge(standing)
    assert standing.freeze("web") == ["gamma==0.1"]
    assert published(standing, "web") in generations(standing, "web")


def test_the_second_ends_planning_too(host: Host) -> None:
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
