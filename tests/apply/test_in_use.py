"""Which generations live processes use: by the lock of `envsync run`, and by what processes name."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.apply import in_use
from reconciler.apply.in_use import generations_in_use
from reconciler.state.former_name import generation_link
from reconciler.state.layout import Generation, Layout
from reconciler.state.store import State
from tests.state.records import applied, sealed


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return a root with generations 1 and 2 of `web`, and generation 3 that was built for its former name `shop`."""
    layout = State.at(tmp_path).layout
    for what in (applied(), applied(generation=2), applied("shop", generation=3)):
        sealed(layout, what)
    (layout.generation("shop", 3).directory / "renamed").symlink_to("web")
    (layout.generations("web") / "3").symlink_to(generation_link("shop", 3))
    return layout


def generations(layout: Layout) -> list[Generation]:
    return [layout.generation("web", number) for number in (1, 2, 3)]


def used(layout: Layout) -> list[int]:
    return sorted(each.number for each in generations_in_use(generations(layout)))


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return what processes are said to name; it is empty at first."""
    found: list[bytes] = []

    def listed() -> Iterator[bytes]:
        yield from found

    monkeypatch.setattr(in_use, "_process_texts", listed)
    return found


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", []),
        ("{all}/web/1/venv/bin/python\0-m\0x", [1]),
        ("VIRTUAL_ENV={all}/web/2/venv\0PATH={all}/web/1/venv/bin:/bin", [1, 2]),
        ("a{all}/web/{all}/web/1/", [1]),
        ("{all}/web/12/venv", []),
        ("{all}/web/1x/venv", []),
        ("{all}/web", []),
        ("{all}/web/", []),
        ("{all}/web/1", [1]),
        ("{all}/other/1/venv", []),
        ("{all}/web/3/venv", [3]),
        ("{all}/shop/3/venv", [3]),
        ("{all}/../web/1/venv", []),
    ],
)
def test_a_generation_is_used_if_a_process_names_it(
    layout: Layout, texts: list[bytes], text: str, numbers: list[int]
) -> None:
    texts += [b"other", os.fsencode(text.replace("{all}", str(layout.all_generations)))]
    assert used(layout) == numbers


def test_a_generation_is_used_while_a_command_holds_its_lock(layout: Layout, texts: list[bytes]) -> None:
    assert used(layout) == []
    lock = layout.generation("web", 2).in_use
    with lock.open("w") as held:
        assert used(layout) == []
        fcntl.flock(held, fcntl.LOCK_SH)
        before = os.listdir("/dev/fd")
        assert used(layout) == [2]
        assert os.listdir("/dev/fd") == before
    assert used(layout) == []


def link_to_file(path: Path) -> None:
    path.with_name("elsewhere").write_text("")
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("put", [Path.mkdir, os.mkfifo, link_to_file], ids=["directory", "pipe", "link"])
def test_something_else_in_the_place_of_the_mark_does_not_count_as_a_lock(
    layout: Layout, texts: list[bytes], put: Callable[[Path], object]
) -> None:
    mark = layout.generation("web", 2).in_use
    mark.unlink(missing_ok=True)
    put(mark)
    assert used(layout) == []


@pytest.mark.parametrize("links", ["web", "web/2"])
def test_a_link_in_the_place_of_a_directory_on_the_way_is_not_followed(
    layout: Layout, texts: list[bytes], links: str, tmp_path: Path
) -> None:
    mark = layout.generation("web", 2).in_use
    mark.touch()
    place = layout.all_generations / links
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    with mark.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        assert used(layout) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_command_line_environment_and_directory_of_other_processes_are_read(layout: Layout) -> None:
    one, two, three = (each.venv for each in generations(layout))
    code = "input()"
    commands = [
        subprocess.Popen([sys.executable, "-c", code, str(one)], stdin=subprocess.PIPE),
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, env={"A": f"{two}/bin"}),
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=three.resolve()),
    ]
    try:
        assert used(layout) == [1, 2, 3]
    finally:
        for each in commands:
            each.communicate(b"\n")
    assert used(layout) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
@pytest.mark.parametrize(
    ("directory", "program", "numbers"),
    [
        (".", "web/bin/python", [1, 2, 3]),
        ("other", "../web/bin/python", [1, 2, 3]),
        (".envsync/generations/web/1/venv", "bin/python", [1]),
        (".", "./other/python", []),
    ],
)
def test_a_program_that_was_started_by_a_relative_path_counts(
    layout: Layout, directory: str, program: str, numbers: list[int]
) -> None:
    """Through the path of the environment, nothing shows which generation was published when it started."""
    root = layout.root
    (root / "web").symlink_to(layout.link_target("web", 2))
    for path in (root / directory, root / "web", (root / directory / program).parent):
        path.resolve().mkdir(parents=True, exist_ok=True)
    (root / directory / program).symlink_to(sys.executable)
    code = "import os; os.chdir('/'); print(flush=True); input()"
    with subprocess.Popen(
        [program, "-c", code],
        cwd=root / directory,
        env={"PWD": str(root / directory)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        assert used(layout) == numbers
        started.communicate(b"\n")
    assert used(layout) == []


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_on_a_file_system_without_locks_no_command_holds_one(
    layout: Layout, texts: list[bytes], monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    layout.generation("web", 2).in_use.touch()
    monkeypatch.setattr(fcntl, "flock", refused)
    assert used(layout) == []


def test_a_mark_that_nfs_cannot_lock_is_in_use(
    layout: Layout, texts: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exclusive lock needs a descriptor for writing there, which a mark of another user does not give."""

    def lock(descriptor: int, _: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")

    def only_read(path: str, flags: int) -> int:
        if flags != os.O_RDONLY:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return os.open(path, flags)

    layout.generation("web", 2).in_use.touch()
    monkeypatch.setattr(fcntl, "flock", lock)
    assert used(layout) == []
    monkeypatch.setattr(in_use, "open_own", only_read)
    assert used(layout) == [2]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_envsync_itself_does_not_count(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(layout.generation("web", 1).venv)
    assert used(layout) == []


def test_without_proc_only_the_lock_counts(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> list[str]:
        raise PermissionError

    monkeypatch.setattr(os, "listdir", refused)
    assert used(layout) == []


def test_without_generations_nothing_is_read(texts: list[bytes]) -> None:
    assert generations_in_use([]) == set()
