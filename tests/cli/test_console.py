"""What is written to which stream, also if its reader is gone or it is full."""

import io
import os
import sys
from pathlib import Path
from typing import TextIO

import pytest

from reconciler.cli.console import Console, open_streams, output_errors, shown_root
from reconciler.errors import OutputError
from reconciler.render.manifest_option import set_manifest_option
from reconciler.render.style import Palette


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


@pytest.mark.parametrize(("text", "written"), [("", ""), ("a", "a\n"), ("a\n", "a\n"), ("a\n\n", "a\n\n")])
def test_text_ends_with_a_line_end_and_an_empty_text_writes_nothing(
    text: str, written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Console().print(text)
    assert capsys.readouterr() == (written, "")
    Console().message(text)
    assert capsys.readouterr() == ("", written)
    Console(quiet=True).print(text)
    Console(quiet=True).message(text)
    assert capsys.readouterr() == (written, "")


def test_only_commands_in_messages_get_the_manifest_that_was_named(capsys: pytest.CaptureFixture[str]) -> None:
    set_manifest_option("other.yaml", {})
    try:
        Console().print("run `envsync apply`")
        Console().message("run `envsync apply`")
    finally:
        set_manifest_option(None, {})
    assert capsys.readouterr() == ("run `envsync apply`\n", "run `envsync apply -f other.yaml`\n")


@pytest.mark.parametrize(("terminal", "width"), [(True, 77), (False, 100)])
def test_the_width_is_that_of_the_terminal_or_100_columns(
    terminal: bool, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("COLUMNS", "77")
    assert Console().width == width


@pytest.mark.parametrize(
    ("color", "terminal", "colored"),
    [("auto", True, True), ("auto", False, False), ("always", False, True), ("never", True, False)],
)
def test_by_default_only_a_terminal_has_colors(
    color: str, terminal: bool, colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    assert Console(color=color).palette(stream) == Palette.chosen(color=colored)


def test_closed_streams_are_opened_and_every_character_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    for name, stream in (("stdin", None), ("stdout", None), ("stderr", ascii_only)):
        monkeypatch.setattr(sys, name, stream)
    open_streams()
    assert sys.stderr is ascii_only
    assert [each.name for each in (sys.stdin, sys.stdout)] == [os.devnull] * 2
    assert (sys.stdin.readable(), sys.stdin.writable(), sys.stdout.writable()) == (True, False, True)
    for each in (sys.stdout, sys.stderr):
        each.write("\u65e5\udcff")
        each.flush()
    assert ascii_only.buffer.getvalue() == rb"\u65e5\udcff"
    for opened in (sys.stdin, sys.stdout):
        opened.close()


def test_a_root_below_the_working_directory_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [shown_root(f"{tmp_path}{each}") for each in ("", "/.envs", "/a/b", "x")] == [
        ".",
        ".envs",
        "a/b",
        f"{tmp_path}x",
    ]
    assert shown_root("/srv/envs") == "/srv/envs"
