"""An environment that is no longer declared is deleted only after everything else in the plan was applied."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.functional.host_state import finished, generations, planned, published
from tests.host import Host, base_environment, new_host, put_back

WEB = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'
SITE = 'site:\n  python: "3.11"\n  packages: [%s]\n%s'
FAILS = '  probes: [{run: ["false"]}]\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host on which `web` is applied; the tests declare `site` in its place."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        host.manifest(WEB)
        host.apply()
        yield host


@pytest.fixture
def renamed(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


def is_as_before(host: Host) -> None:
    """Assert that `web` is published with what it had."""
    assert (published(host, "web"), generations(host, "web")) == (1, [1])
    assert "alpha==1.0" in host.freeze("web")


def test_the_old_one_stays_if_the_probe_of_its_successor_fails(renamed: Host) -> None:
    renamed.manifest(SITE % ("alpha==1.0", FAILS))
    ran = renamed.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 1
    ended = finished(ran)
    assert (ended["site"]["status"], ended["web"]["status"]) == ("failed", "blocked")
    assert ended["web"]["failure"]["code"] == "deletes-wait"
    assert ended["web"]["failure"]["message"] == "not deleted: `site` failed"
    is_as_before(renamed)
    renamed.manifest(SITE % ("alpha==1.0", ""))
    renamed.apply()
    assert (published(renamed, "web"), published(renamed, "site")) == (0, 2)


def test_the_old_one_stays_if_its_successor_cannot_be_locked(renamed: Host) -> None:
    renamed.manifest(SITE % ("alpha==99", ""))
    ran = renamed.envsync("apply", "--yes")
    assert ran.code == 1
    assert "not deleted until `site` can be applied" in ran.out
    is_as_before(renamed)


def test_the_old_one_stays_if_the_index_does_not_answer(renamed: Host) -> None:
    renamed.manifest(SITE % ("gamma", ""))
    assert renamed.envsync("lock").code == 0
    renamed.index.broken["*"] = 500
    ran = renamed.envsync("apply", "--yes")
    assert ran.code == 1
    assert "web: blocked: not deleted: `site` failed" in ran.err
    is_as_before(renamed)
    del renamed.index.broken["*"]
    renamed.apply()


def test_the_old_one_stays_if_something_else_is_at_the_path_of_its_successor(renamed: Host) -> None:
    renamed.manifest(SITE % ("alpha==1.0", ""))
    (renamed.root / "site").mkdir()
    plans = planned(renamed)
    assert [each["code"] for each in plans["web"]["blocked"]] == ["deletes-wait"]
    assert not plans["web"]["steps"]
    assert renamed.envsync("apply", "--yes").code == 4
    is_as_before(renamed)


def test_a_hook_that_fails_stops_a_deletion(renamed: Host) -> None:
    renamed.manifest(SITE % ("alpha==1.0", '  hooks: {after_publish: [["false"]]}\n'))
    ran = renamed.envsync("apply", "--yes")
    assert ran.code == 4
    assert "web: blocked: not deleted: `site` has a failed hook" in ran.err
    is_as_before(renamed)


def test_an_interrupted_change_stops_a_deletion(renamed: Host) -> None:
    started = renamed.directory / "started"
    renamed.manifest(SITE % ("alpha==1.0", f'  probes: [{{run: ["sh", "-c", "touch {started}; sleep 60"]}}]\n'))
    command = [sys.executable, "-m", "reconciler", "apply", "--yes"]
    with subprocess.Popen(command, cwd=renamed.directory, env=base_environment(), stderr=subprocess.PIPE) as child:
        deadline = time.monotonic() + 60
        while not started.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(child.pid, signal.SIGTERM)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    is_as_before(renamed)


def test_an_unrelated_failure_stops_a_deletion_and_destroy_does_not_wait(renamed: Host) -> None:
    renamed.manifest(SITE % ("alpha==1.0", FAILS) + 'jobs:\n  python: "3.11"\n  packages: [beta]\n')
    assert renamed.envsync("apply", "--yes").code == 4
    assert published(renamed, "jobs") == 1
    is_as_before(renamed)
    assert renamed.envsync("destroy", "web", "--yes").code == 0
    assert published(renamed, "web") == 0


def test_what_others_depend_on_is_not_destroyed(host: Host) -> None:
    host.manifest(WEB + '  depends_on: [tools]\ntools:\n  python: "3.11"\n  packages: [beta]\n')
    host.apply()
    ran = host.envsync("destroy", "tools", "--yes")
    assert ran.code == 4
    assert "blocked: `web` depends on it" in ran.out
    assert "hint: remove `tools` from the `depends_on` of `web` and apply that, or delete them too" in ran.out
    assert published(host, "tools") == 1
    host.manifest(WEB + 'tools:\n  python: "3.11"\n  packages: [beta]\n')
    host.apply()
    assert host.envsync("destroy", "tools", "--yes").code == 0


def test_what_a_process_runs_from_is_named_before_it_is_deleted(renamed: Host) -> None:
    python = renamed.venv("web").resolve() / "bin/python"
    with subprocess.Popen([python, "-c", "input()"], stdin=subprocess.PIPE) as child:
        renamed.manifest('jobs:\n  python: "3.11"\n')
        noted = "note: `web`: a running process uses generation 1, which will be deleted; its files are kept until the"
        assert noted in renamed.envsync("plan").err
        ran = renamed.envsync("apply", "--yes")
        assert noted in ran.err
        assert (ran.code, published(renamed, "web"), generations(renamed, "web")) == (0, 0, [1])
        child.communicate(b"\n", timeout=60)
    assert noted not in renamed.envsync("plan").err
