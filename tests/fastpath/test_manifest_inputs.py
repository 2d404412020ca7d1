"""The files that a manifest was read from are unchanged, or their contents are; in every doubt they changed."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.fastpath.agreement import manifest_inputs_unchanged, stat_signature
from tests.unprivileged import reachable_directory, unprivileged

SHA256 = hashlib.sha256(b"one").hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "envs.yaml"
    made.write_bytes(b"one")
    return made


def nothing(_: Path) -> None:
    """Leave the file as it is."""


def touched(file: Path) -> None:
    os.utime(file, (1, 1))


def written_again(file: Path) -> None:
    file.unlink()
    file.write_bytes(b"one")


def edited(file: Path) -> None:
    file.write_bytes(b"two")


def deleted(file: Path) -> None:
    file.unlink()


def replaced_by_a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def replaced_by_a_loop(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


def replaced_by_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def replaced_by_a_link_to_a_device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def replaced_by_a_file_of_the_kernel(file: Path) -> None:
    file.unlink()
    file.symlink_to("/proc/kcore")


def grown_to_a_tebibyte(file: Path) -> None:
    os.truncate(file, 1 << 40)


@pytest.mark.parametrize(
    ("change", "unchanged"),
    [
        (nothing, True),
        (touched, True),
        (written_again, True),
        (edited, False),
        (replaced_by_a_pipe, False),
        (replaced_by_a_link_to_a_device, False),
        (replaced_by_a_file_of_the_kernel, False),
        (grown_to_a_tebibyte, False),
        (deleted, False),
        (replaced_by_a_directory, False),
        (replaced_by_a_loop, False),
    ],
)
@pytest.mark.parametrize("others", [0, 2])
def test_only_the_contents_of_a_file_count(
    file: Path, change: Callable[[Path], None], unchanged: bool, others: int
) -> None:
    inputs = [(str(file), SHA256, stat_signature(file.stat()))]
    for number in range(others):
        other = file.with_name(f"other-{number}")
        other.write_bytes(b"one")
        inputs.insert(0, (str(other), SHA256, stat_signature(other.stat())))
    change(file)
    assert manifest_inputs_unchanged({"inputs": inputs}) is unchanged


def test_a_file_without_a_signature_is_read(file: Path) -> None:
    assert manifest_inputs_unchanged({"inputs": [(str(file), SHA256, None)]})
    edited(file)
    assert not manifest_inputs_unchanged({"inputs": [(str(file), SHA256, None)]})


def test_a_missing_file_is_still_missing(file: Path) -> None:
    missing = (str(file.with_name("none")), "", None)
    signed = (str(file), SHA256, stat_signature(file.stat()))
    assert manifest_inputs_unchanged({"inputs": [missing, signed]})
    assert not manifest_inputs_unchanged({"inputs": [(str(file), "", stat_signature(file.stat()))]})
    edited(file)
    assert not manifest_inputs_unchanged({"inputs": [missing, signed]})


def test_an_unreadable_file_is_not_unchanged() -> None:
    with reachable_directory() as directory:
        file = directory / "envs.yaml"
        file.write_bytes(b"one")
        file.chmod(0)
        with unprivileged():
            assert not manifest_inputs_unchanged({"inputs": [(str(file), SHA256, None)]})
        directory.chmod(0o700)
        signature = stat_signature(file.stat())
        with unprivileged():
            assert not manifest_inputs_unchanged({"inputs": [(str(file), SHA256, signature)]})
