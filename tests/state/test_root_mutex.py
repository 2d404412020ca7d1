"""The root mutex has one holder at a time, which is named to those who wait; it is free when the holder ends."""

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
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS, acquire_root_mutex, prepare_cache
from tests.unprivileged import reachable_directory, unprivileged

_HOLDER = (
    "import pathlib, sys, time\n"
    "from reconciler.state.root_mutex import acquire_root_mutex\n"
    "from reconciler.state.layout import Layout\n"
    "with acquire_root_mutex(Layout(pathlib.Path(sys.argv[1])), timeout=5):\n"
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


def is_held(layout: Layout, timeout: float = 0.2) -> bool:
    try:
        with acquire_root_mutex(layout, timeout=timeout):
            return False
    except LockTimeoutError:
        return True


def test_it_creates_directories_and_says_who_holds_it(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "deep" / "root")
    with acquire_root_mutex(layout, timeout=1):
        assert (layout.root / ".gitignore").read_text() == "*\n"
        assert layout.mark.is_file()
        assert layout.cache.is_dir(), "what an apply remembers is below it, whichever cache the engine uses"
        holder = json.loads(layout.mutex_holder.read_bytes())
        assert (holder["pid"], holder["host"]) == (os.getpid(), socket.gethostname())
    assert not layout.mutex_holder.exists()
    assert not is_held(layout)


def test_a_gitignore_of_the_user_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("# mine\n")
    with acquire_root_mutex(Layout(tmp_path), timeout=1):
        pass
    assert (tmp_path / ".gitignore").read_text() == "# mine\n"


def test_a_dangling_gitignore_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").symlink_to("not-yet-there")
    with acquire_root_mutex(Layout(tmp_path), timeout=1):
        pass
    assert (tmp_path / ".gitignore").readlink() == Path("not-yet-there")


def test_the_user_s_files_in_the_root_are_not_hidden_from_git(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with acquire_root_mutex(layout, timeout=1):
        pass
    assert sorted(os.listdir(tmp_path)) == [".envsync", "notes.txt"]
    (tmp_path / "notes.txt").unlink()
    (tmp_path / "web").symlink_to(layout.link_target("web", 1))
    with acquire_root_mutex(layout, timeout=1):
        assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_a_second_process_waits_and_its_error_names_the_holder(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(tmp_path) as holder:
        with pytest.raises(LockTimeoutError) as caught, acquire_root_mutex(layout, timeout=0.3):
            pass
        assert re.fullmatch(
            rf"`{re.escape(str(tmp_path))}` is locked by another envsync \(waited 0\.3 seconds\): "
            rf"pid {holder.pid} on `{re.escape(socket.gethostname())}`, since \d{{4}}-\S+, `-c \S+`",
            caught.value.message,
        )
        assert caught.value.hint == "wait until it ends, or wait longer with `--lock-timeout`"
        assert layout.mutex_holder.exists()  # only the holder removes it


def test_it_is_free_when_its_holder_is_killed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(tmp_path) as holder:
        assert is_held(layout)
        holder.kill()
        holder.wait()
        assert not is_held(layout, timeout=5)
    assert not layout.mutex_holder.exists()


def test_a_waiting_process_gets_it_when_the_holder_ends(tmp_path: Path) -> None:
    with another_process(tmp_path) as holder:
        assert holder.stdin is not None
        threading.Timer(0.3, holder.stdin.close).start()
        assert not is_held(Layout(tmp_path), timeout=10)


def test_two_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    found: list[bool] = []
    with acquire_root_mutex(layout, timeout=1):
        thread = threading.Thread(target=lambda: found.append(is_held(layout)))
        thread.start()
        thread.join()
    assert found == [True]


def test_it_is_free_after_a_failure_inside(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(ZeroDivisionError), acquire_root_mutex(layout, timeout=1):
        raise ZeroDivisionError
    assert not is_held(layout)


def test_children_do_not_inherit_it_by_default(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with acquire_root_mutex(layout, timeout=1):
        child = subprocess.Popen(["sleep", "30"], close_fds=False)
    try:
        assert not is_held(layout)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"pid": 1}', b"\xff"])
def test_an_unreadable_holder_file_gives_an_unknown_process(content: bytes, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(tmp_path):
        layout.mutex_holder.write_bytes(content)
        with pytest.raises(LockTimeoutError, match="an unknown process"), acquire_root_mutex(layout, timeout=0.1):
            pass


def test_a_read_only_root_is_a_state_error() -> None:
    with reachable_directory() as root:
        if os.geteuid() == 0:
            os.chown(root, 65534, 65534)  # the root of a different user is refused for that reason
        root.chmod(0o555)
        for path in (root, root / "new"):
            with unprivileged(), pytest.raises(StateError) as caught, acquire_root_mutex(Layout(path), timeout=1):
                pass
            assert caught.value.message == f"`{path}` could not be written: Permission denied"
        root.chmod(0o755)


def test_a_file_in_place_of_the_root_is_a_state_error(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("")
    with (
        pytest.raises(StateError, match="root` could not be written: Not a directory"),
        acquire_root_mutex(Layout(tmp_path / "root"), timeout=DEFAULT_TIMEOUT_SECONDS),
    ):
        pass


def test_a_directory_in_place_of_the_mutex_is_a_state_error(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.mutex.mkdir(parents=True)
    with pytest.raises(StateError, match="could not be written"), acquire_root_mutex(layout, timeout=1):
        pass


def test_a_link_in_place_of_the_mutex_is_not_followed(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "root")
    layout.envsync_directory.mkdir(parents=True)
    (tmp_path / "precious").write_text("mine")
    layout.mutex.symlink_to(tmp_path / "precious")
    with pytest.raises(StateError), acquire_root_mutex(layout, timeout=1):
        pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_the_cache_is_made_with_the_access_of_the_root(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "above" / "root")
    assert prepare_cache(layout)
    assert layout.cache.is_dir()
    assert (layout.root / ".gitignore").read_text() == "*\n"
    assert prepare_cache(layout)
    for directory in (layout.cache, layout.envsync_directory):
        elsewhere = tmp_path / f"elsewhere-{directory.name}"
        directory.rename(elsewhere)
        directory.symlink_to(elsewhere)
        assert not prepare_cache(layout)
        directory.unlink()
        elsewhere.rename(directory)
    (tmp_path / "file").write_text("")
    assert not prepare_cache(Layout(tmp_path / "file"))
    assert not prepare_cache(Layout(tmp_path / "file" / "root"))
