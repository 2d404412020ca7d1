"""The module that starts child processes, tested with real programs."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.processes import child
from reconciler.processes.child import Completed, allow_children, run_child, stop_children
from tests.resolving import soon

ENV = {"PATH": os.environ["PATH"]}


class Held:
    """A file lock that is free when every process that inherited its descriptor has ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def free(self) -> bool:
        other = os.open(self.path, os.O_RDWR)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(other)
        return True


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(tmp_path / "held")


@pytest.fixture(autouse=True)
def _children_allowed() -> Iterator[None]:
    yield
    allow_children()


def run(*argv: str, timeout: float = 20.0, inherit: tuple[int, ...] = ()) -> Completed:
    return run_child(argv, env=ENV, cwd=Path("/"), timeout=timeout, inherit=inherit)


def sh(script: str, *, timeout: float = 20.0, inherit: tuple[int, ...] = ()) -> Completed:
    return run_child(["sh", "-c", script], env=ENV, cwd=Path("/"), timeout=timeout, inherit=inherit)


def test_output_and_exit_code_are_captured() -> None:
    done = sh(r"printf 'a\377b'; echo text >&2; exit 3")
    assert (done.stdout, done.stderr, done.returncode, done.ok) == (b"a\xffb", b"text\n", 3, False)
    assert done.last_lines() == ("text",)


def test_the_last_lines_are_those_of_standard_output_if_standard_error_is_blank() -> None:
    done = sh("echo; echo one; echo; echo two; printf ' \n' >&2")
    assert done.last_lines(1) == ("two",)
    assert done.last_lines() == ("one", "two")


def test_a_child_ended_by_a_signal_has_a_negative_code() -> None:
    assert sh("kill -9 $$").returncode == -signal.SIGKILL


def test_standard_input_is_empty() -> None:
    assert run("cat", timeout=5).ok


def test_a_child_gets_only_the_given_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "http://index.example/simple")
    program = "import os, json; print(json.dumps(dict(os.environ)))"
    done = run_child([sys.executable, "-I", "-c", program], env={"ONLY": "this"}, cwd=Path("/"), timeout=20)
    assert b'"ONLY": "this"' in done.stdout
    assert b"UV_INDEX_URL" not in done.stdout


def test_a_child_gets_only_the_inherited_descriptors(held: Held, tmp_path: Path) -> None:
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(other, True)
    script = f"test -e /dev/fd/{held.descriptor} && ! test -e /dev/fd/{other}"
    assert sh(script, inherit=(held.descriptor,)).ok
    os.close(other)


def test_a_missing_program_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        run("/no/such/program")


def test_the_deadline_ends_the_whole_process_group(held: Held) -> None:
    done = sh("echo started; sleep 60 & sleep 60 & wait", timeout=0.5, inherit=(held.descriptor,))
    os.close(held.descriptor)
    assert done.timed_out
    assert not done.ok
    assert done.stdout == b"started\n"
    assert soon(held.free)


def test_the_deadline_kills_processes_that_ignore_sigterm(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_GRACE_SECONDS", 0.2)
    script = "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & while :; do sleep 1; done"
    done = sh(script, timeout=0.5, inherit=(held.descriptor,))
    os.close(held.descriptor)
    assert done.returncode == -signal.SIGKILL
    assert soon(held.free)


def test_a_grandchild_that_left_the_group_causes_no_delay() -> None:
    daemon = "import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(60)"
    started = time.monotonic()
    done = run_child(["sh", "-c", '"$0" -c "$1" & wait', sys.executable, daemon], env=ENV, cwd=Path("/"), timeout=2.0)
    os.kill(int(done.stdout), signal.SIGKILL)  # it has no parent now, so the test must end it
    assert done.timed_out
    assert time.monotonic() - started < 15


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_a_child_ends_with_its_parent(held: Held, tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from reconciler.processes.child import run_child\n"
        "fd, root = int(sys.argv[1]), pathlib.Path(sys.argv[2])\n"
        "run_child(['sh', '-c', 'touch started; exec sleep 60'], env={'PATH': '/usr/bin:/bin'}, cwd=root,"
        " timeout=60, inherit=(fd,))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(held.descriptor), str(tmp_path)],
        pass_fds=(held.descriptor,),
        env={**os.environ, "PYTHONPATH": str(Path(child.__file__).parents[2])},
    ) as parent:
        os.close(held.descriptor)
        assert soon((tmp_path / "started").exists)
        assert not held.free()
        parent.kill()
    assert soon(held.free)


def test_stop_children_ends_running_children_and_starts_no_others(tmp_path: Path) -> None:
    ended: list[Completed] = []

    def work() -> None:
        ended.append(run_child(["sh", "-c", "touch started; exec sleep 60"], env=ENV, cwd=tmp_path, timeout=60))
        ended.append(run_child(["touch", "never"], env=ENV, cwd=tmp_path, timeout=60))

    thread = threading.Thread(target=work)
    thread.start()
    assert soon((tmp_path / "started").exists)
    stop_children()
    thread.join(10)
    assert [each.returncode for each in ended] == [-signal.SIGTERM, -signal.SIGTERM]
    assert not (tmp_path / "never").exists()
    allow_children()
    assert run("true").ok


def test_a_signal_handler_may_stop_children_at_any_moment() -> None:
    """The handler can run in a thread that holds the guard of the list of children."""

    def work() -> None:
        with child._running_guard:
            stop_children()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()


def test_children_of_several_threads_do_not_mix() -> None:
    found: dict[int, bytes] = {}

    def work(number: int) -> None:
        found[number] = sh(f"sleep 0.1; echo {number}").stdout

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == {number: f"{number}\n".encode() for number in range(8)}
