"""Leftovers of a killed run are cleaned up before the next run starts."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.apply.recover import recover
from reconciler.fs.atomic_write import clear_temporaries
from reconciler.state.layout import Layout
from reconciler.state.store import State
from tests.faults.tracer import CAN_TRACE, Fault, trace
from tests.host import base_environment, new_host

traced_here = pytest.mark.skipif(not CAN_TRACE, reason="the tracer supports only Linux on x86-64")
# The index is a thread, which a forked child does not have; the child calls exec immediately.
forks_beside_threads = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


@pytest.fixture
def dead() -> int:
    """Return the id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        return child.pid


def test_temporary_files_of_ended_processes_are_deleted_and_others_kept(tmp_path: Path, dead: int) -> None:
    for name in (f".web.json.{dead}.tmp", f".web.json.{os.getpid()}.tmp", "web.json", ".mine.tmp", f"x.{dead}.tmp"):
        (tmp_path / name).touch()
    clear_temporaries(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".mine.tmp", f".web.json.{os.getpid()}.tmp", "web.json", f"x.{dead}.tmp"]


def test_a_missing_directory_has_nothing_to_clean_up(tmp_path: Path) -> None:
    clear_temporaries(tmp_path / "none")
    recover(State.at(tmp_path / "root"), locks=None)
    assert os.listdir(tmp_path) == []


def test_prepared_links_are_deleted_and_other_files_of_such_a_name_kept(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.envsync_directory.mkdir()
    (layout.envsync_directory / "publish.web").symlink_to("nowhere")
    (layout.envsync_directory / "publish.notes").write_text("foreign")
    recover(State(layout), locks=None)
    assert os.listdir(layout.envsync_directory) == ["publish.notes"]


@traced_here
@forks_beside_threads
def test_a_rollback_never_chooses_a_generation_that_was_not_published(tmp_path: Path) -> None:
    with new_host(tmp_path) as host:
        host.manifest('web:\n  python: "3.11"\n  packages: [alpha==1.0]\n')
        host.apply()
        host.manifest('web:\n  python: "3.11"\n  packages: [alpha==1.1]\n')
        fault = Fault(whose="own", at=1, only="rename publish.web")
        argv = [sys.executable, "-m", "reconciler", "apply", "--yes"]
        assert (
            trace(argv, cwd=host.directory, env=base_environment(), output_directory=tmp_path, fault=fault).code == -9
        )
        assert host.freeze("web") == ["alpha==1.0", "beta==2.0"]
        assert (host.root / ".envsync/generations/web/2/seal.json").is_file()

        host.apply()

        assert sorted(os.listdir(host.root / ".envsync/generations/web")) == ["1", "2"]
        assert host.envsync("rollback", "web").code == 0
        assert host.freeze("web") == ["alpha==1.0", "beta==2.0"]


@traced_here
@forks_beside_threads
def test_a_failed_flush_after_publish_says_that_it_is_published(tmp_path: Path) -> None:
    with new_host(tmp_path) as host:
        host.manifest('web:\n  python: "3.11"\n  packages: [alpha==1.0]\n')
        fault = Fault(whose="own", at=2, only="fsync .envs", error=errno.EIO)
        argv = [sys.executable, "-m", "reconciler", "apply", "--yes"]
        traced = trace(argv, cwd=host.directory, env=base_environment(), output_directory=tmp_path, fault=fault)
        assert traced.code == 1
        assert "Input/output error (the new generation is already published)" in traced.err
        assert host.freeze("web") == ["alpha==1.0", "beta==2.0"]
        host.apply()
