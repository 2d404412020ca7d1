"""A generation in use is not collected: the lock of `run`, and each trace in /proc, protects it without the others."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.state.layout import Layout
from tests.functional.host_state import generations
from tests.host import Host, base_environment

WEB = 'web:\n  python: "3.11"\n  packages: [%s]\n  keep_generations: 1\n'
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SLEEP = "print('on', flush=True); import sys; sys.stdin.readline()"


@pytest.fixture
def replaced(host: Host) -> Host:
    """Return a host with generations 1, which nothing needs, and 2, which is published."""
    for package in ("gamma", "beta"):
        host.manifest(WEB % package)
        assert host.envsync("apply", "--yes", "--no-gc").code == 0
    assert generations(host, "web") == [1, 2]
    return host


@contextmanager
def running(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> Iterator[None]:
    """Run a program that prints a line and then waits for the end of the block."""
    with subprocess.Popen(
        command, cwd=cwd, env=env or base_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "on\n"
        yield
        child.communicate("go\n", timeout=30)


def assert_kept_until_it_ends(host: Host, program: Iterator[None]) -> None:
    next(program)
    assert host.envsync("gc").code == 0
    assert generations(host, "web") == [1, 2]
    assert next(program, None) is None
    assert host.envsync("gc").code == 0
    assert generations(host, "web") == [2]


def test_run_holds_a_shared_lock_that_its_program_inherits(host: Host) -> None:
    """On a system without /proc, only this lock protects the generation."""
    host.manifest(WEB % "gamma")
    host.apply()
    in_use = Layout(host.root).generation("web", 1).in_use
    command = (sys.executable, "-m", "reconciler", "run", "web", "--", "python", "-c", SLEEP)
    with running(*command, cwd=host.directory), in_use.open() as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # a second program may run too
    with in_use.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_lock_alone_protects(replaced: Host) -> None:
    """The process that holds it here has no trace of the generation in /proc."""

    def hold() -> Iterator[None]:
        descriptor = os.open(Layout(replaced.root).generation("web", 1).in_use, os.O_RDONLY | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
        os.close(descriptor)

    assert_kept_until_it_ends(replaced, hold())


def in_its_command_line(venv: Path, elsewhere: Path) -> Iterator[None]:
    with running(venv / "bin/python", "-c", SLEEP, cwd=elsewhere):
        yield


def in_its_environment(venv: Path, elsewhere: Path) -> Iterator[None]:
    with running(sys.executable, "-c", SLEEP, cwd=elsewhere, env={**base_environment(), "VIRTUAL_ENV": str(venv)}):
        yield


def as_its_directory(venv: Path, elsewhere: Path) -> Iterator[None]:
    with running(sys.executable, "-c", SLEEP, cwd=venv):
        yield


def mapped_into_its_memory(venv: Path, elsewhere: Path) -> Iterator[None]:
    (elsewhere / "map.py").write_text(
        "import mmap, sys\n"
        "file = open(input())\n"
        "mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)\n"
        "file.close()\n" + SLEEP
    )
    with subprocess.Popen(
        (sys.executable, "map.py"), cwd=elsewhere, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{venv}/pyvenv.cfg\n")
        child.stdin.flush()
        assert child.stdout.readline() == "on\n"
        yield
        child.communicate("go\n", timeout=30)


@on_linux
@pytest.mark.parametrize(
    "trace",
    [in_its_command_line, in_its_environment, as_its_directory, mapped_into_its_memory],
    ids=lambda each: each.__name__,
)
def test_a_process_that_was_not_started_by_run_protects(trace: object, replaced: Host, tmp_path: Path) -> None:
    assert callable(trace)
    assert_kept_until_it_ends(replaced, trace(Layout(replaced.root).generation("web", 1).venv, tmp_path))
