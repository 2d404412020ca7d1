"""Every step on the way to a file: as `StrictModes` of sshd examines it, through links too."""

import errno
from pathlib import Path

import pytest

from reconciler.fs.path_steps import steps_to


def steps(path: Path | str) -> list[str]:
    return [step for step, _ in steps_to(str(path))]


def test_every_directory_and_link_on_the_way_is_a_step(tmp_path: Path) -> None:
    (tmp_path / "real/bin").mkdir(parents=True)
    (tmp_path / "real/bin/python3.12").touch()
    (tmp_path / "real/bin/python3").symlink_to("python3.12")
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    (tmp_path / "relative").symlink_to("alias/../real/./bin")
    above = steps(tmp_path)
    top = str(tmp_path)
    assert above[0] == "/"
    assert above[-1] == top
    assert steps(tmp_path / "relative/python3") == [
        *above,
        f"{top}/relative",
        f"{top}/alias",
        *above[1:],
        f"{top}/real",
        f"{top}/real",
        f"{top}/real/bin",
        f"{top}/real/bin/python3",
        f"{top}/real/bin/python3.12",
    ]


def test_a_link_out_of_a_directory_counts_before_two_dots(tmp_path: Path) -> None:
    """`link/..` is above what the link points to, not above the link."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/file").touch()
    (tmp_path / "link").symlink_to("a/b")
    assert steps(tmp_path / "link/../file")[-1] == f"{tmp_path}/a/file"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("gone", errno.ENOENT),
        ("circle", errno.ELOOP),
        ("file/below", errno.ENOTDIR),
        ("n" * 300, errno.ENAMETOOLONG),
        ("\0", errno.ENOENT),
        ("\ud800", errno.ENOENT),
    ],
)
def test_a_path_without_a_file_is_an_error(name: str, error: int, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r".") as caught:
        steps(tmp_path / name)
    assert caught.value.errno == error
