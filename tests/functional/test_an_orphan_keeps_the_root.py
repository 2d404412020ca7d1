"""A program that a killed apply started keeps the root locked until it ends, so a new apply waits for it."""

import signal
import time
from pathlib import Path

from tests.functional.host_state import generations
from tests.functional.slow_build import alive, make_slow, start
from tests.host import Host
from tests.index_faults import Fault
from tests.resolving import soon

MANIFEST = 'web:\n  python: "3.11"\n  packages: [{}]\n'


def test_an_apply_waits_for_a_build_that_outlives_a_killed_apply(host: Host, tmp_path: Path) -> None:
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
    assert " is locked by programs that a killed envsync started (waited 0.5 seconds): " in ran.err
    assert f"pid {orphan} (`python" in ran.err
    assert f"the killed envsync was pid {first.pid} on " in ran.err
    assert "hint: wait until they end, or end them, or wait longer with `--lock-timeout`" in ran.err

    second = start(host, "--lock-timeout", "60")
    time.sleep(1.5)
    assert second.poll() is None
    assert generations(host, "web") == [1]  # the second apply has not started: there is only the orphan's generation
    builder.unlink()
    (tmp_path / "go").touch()
    errors = second.communicate(timeout=60)[1]
    assert second.returncode == 0, errors
    assert not alive(orphan)
    assert host.freeze("web") == ["slow==1.0"]
    assert host.environment("web")["action"] == "no-op"


def test_an_installer_that_waits_for_an_index_ends_with_its_killed_apply(host: Host) -> None:
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


def test_a_build_that_hangs_ends_at_its_deadline_and_the_root_is_unlocked(host: Host, tmp_path: Path) -> None:
    make_slow(host, tmp_path)
    host.manifest(MANIFEST.format("slow"))
    assert host.envsync("lock").code == 0
    ran = host.envsync("apply", "--yes", "--timeout", "2")
    assert ran.code == 1
    assert "did not finish within 2 seconds" in ran.err
    assert soon(lambda: not alive(int((tmp_path / "builder").read_text())))
    (tmp_path / "go").touch()
    ran = host.envsync("apply", "--yes", "--lock-timeout", "1")
    assert ran.code == 0, ran.err
