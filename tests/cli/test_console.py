"""Output to a stream whose reader is gone, or that is full."""

import os
from pathlib import Path
from typing import TextIO

import pytest

from reconciler.cli.console import output_errors
from reconciler.errors import OutputError


def write(stream: TextIO, text: str = "text\n") -> None:
    with output_errors(stream):
        stream.write(text)
        stream.flush()


def test_the_rest_is_discarded_if_the_reader_is_gone() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as stream:  # noqa: PTH123  # a descriptor
        write(stream)
        assert os.path.samestat(os.fstat(writing), Path(os.devnull).stat())
        write(stream, "more\n" * 10_000)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_and_the_rest_is_discarded() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        with pytest.raises(OutputError) as caught:
            write(stream)
        assert caught.value.message == "the output could not be written: No space left on device"
        write(stream, "more\n")


def test_other_errors_are_not_those_of_the_output(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        with pytest.raises(ValueError, match="other"), output_errors(stream):
            raise ValueError("other")
        write(stream)
    assert (tmp_path / "out").read_text() == "text\n"
