"""The root's lock: one holder at a time, named to those who wait, and free when it dies."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import LockTimeoutError, StateError
from reconciler.state import root_mutex
from reconciler.state.layout import Layout
from reconciler.state.root_mutex import hold_root
from tests.unprivileged import reachable_directory, unprivileged

_HOLDER = (
    "import pathlib, sys, time\n"
    "from reconciler.state.root_mutex import hold_root\n"
    "from reconciler.state.layout import Layout\n"
    "with hold_root(Layout(pathlib.Path(sys.argv[1])), timeout=5):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


@contextmanager
def another_process(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Hold the root in another process until its standard input closes."""
    env = {**os.environ, "PYTHONPATH": str(Path(root_mutex.__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(root)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder
        finally:
            holder.kill()


def held(layout: Layout, timeout: float = 0.2) -> bool:
    try:
        with hold_root(layout, timeout=timeout):
            return False
    except LockTimeoutError:
        return True


def test_holding_makes_what_is_needed_and_says_who(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "deep" / "root")
    with hold_root(layout, timeout=1):
        assert (layout.root / ".gitignore").read_text() == "*\n"
        holder = json.loads(layout.holder.read_bytes())
        assert (holder["pid"], holder["host"]) == (os.getpid(), socket.gethostname())
    assert not layout.holder.exists()
    assert not held(layout)


def test_a_gitignore_of_the_user_s_own_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("# mine\n")
    with hold_root(Layout(tmp_path), timeout=1):
        pass
    assert (tmp_path / ".gitignore").read_text() == "# mine\n"


def test_a_gitignore_that_leads_nowhere_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").symlink_to("not-yet-there")
    with hold_root(Layout(tmp_path), timeout=1):
        pass
    assert (tmp_path / ".gitignore").readlink() == Path("not-yet-there")


def test_somebody_s_files_in_the_root_are_not_hidden_from_git(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with hold_root(layout, timeout=1):
        pass
    assert sorted(os.listdir(tmp_path)) == [".envsync", "notes.txt"]
    (tmp_path / "notes.txt").unlink()
    (tmp_path / "web").symlink_to(layout.link_target("web", 1))
    with hold_root(layout, timeout=1):
        assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_a_second_holder_waits_and_is_told_who_holds(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(tmp_path) as holder:
        with pytest.raises(LockTimeoutError) as caught, hold_root(layout, timeout=0.3):
            pass
        assert re.fullmatch(
            rf"another envsync holds {re.escape(str(tmp_path))}, after 0\.3 seconds of waiting: "
            rf"pid {holder.pid} on {re.escape(socket.gethostname())}, since \d{{4}}-\S+, -c \S+",
            caught.value.message,
        )
        assert caught.value.hint == "wait for it, or give more time with --lock-timeout"
        assert layout.holder.exists()  # who did not get it leaves the holder's name alone


def test_it_is_free_when_its_holder_is_killed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(tmp_path) as holder:
        assert held(layout)
        holder.kill()
        holder.wait()
        assert not held(layout, timeout=5)
    assert not layout.holder.exists()


def test_it_is_given_on_when_its_holder_is_done(tmp_path: Path) -> None:
    with another_process(tmp_path) as holder:
        assert holder.stdin is not None
        threading.Timer(0.3, holder.stdin.close).start()
        assert not held(Layout(tmp_path), timeout=10)


def test_two_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    found: list[bool] = []
    with hold_root(layout, timeout=1):
        thread = threading.Thread(target=lambda: found.append(held(layout)))
        thread.start()
        thread.join()
    assert found == [True]


def test_it_is_free_after_a_failure_inside(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(ZeroDivisionError), hold_root(layout, timeout=1):
        raise ZeroDivisionError
    assert not held(layout)


def test_children_do_not_inherit_it_unasked(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with hold_root(layout, timeout=1):
        child = subprocess.Popen(["sleep", "30"], close_fds=False)
    try:
        assert not held(layout)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"pid": 1}', b"\xff"])
def test_a_holder_s_file_that_says_nothing_is_said_to_say_nothing(content: bytes, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(tmp_path):
        layout.holder.write_bytes(content)
        with pytest.raises(LockTimeoutError, match="its holder did not say who it is"), hold_root(layout, timeout=0.1):
            pass


def test_a_root_that_may_only_be_read_is_an_error_of_the_state() -> None:
    with reachable_directory() as root:
        root.chmod(0o555)
        for path in (root, root / "new"):
            with unprivileged(), pytest.raises(StateError) as caught, hold_root(Layout(path), timeout=1):
                pass
            assert caught.value.message == f"{path} cannot be written: Permission denied"
        root.chmod(0o755)


def test_a_file_in_the_root_s_place_is_an_error_of_the_state(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("")
    with (
        pytest.raises(StateError, match="root cannot be written: Not a directory"),
        hold_root(Layout(tmp_path / "root")),
    ):
        pass


def test_a_directory_in_the_lock_s_place_is_an_error_of_the_state(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.lock.mkdir(parents=True)
    with pytest.raises(StateError, match="cannot be written"), hold_root(layout, timeout=1):
        pass


def test_a_link_in_the_lock_s_place_is_not_followed(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "root")
    layout.own.mkdir(parents=True)
    (tmp_path / "precious").write_text("mine")
    layout.lock.symlink_to(tmp_path / "precious")
    with pytest.raises(StateError), hold_root(layout, timeout=1):
        pass
    assert (tmp_path / "precious").read_text() == "mine"
