"""An error of the system that no command expects ends with a message and a hint, and without a traceback."""

import errno
import gc
from collections.abc import Iterator

import pytest
import typer

from reconciler.cli import app as program
from reconciler.fs.os_error_hint import os_error_hint

CHECK = "check the file or directory, then run the command again"


@pytest.fixture(autouse=True)
def process_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the streams and signals of this process alone, and restore its garbage collection."""
    monkeypatch.setattr(program, "stop_on_signals", lambda: None)
    monkeypatch.setattr(program, "open_streams", lambda: None)
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


class Failing:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def main(self, **_: object) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (OSError(errno.EIO, "Input/output error", "/a/b"), "/a/b: Input/output error", CHECK),
        (OSError(errno.EIO, "Input/output error"), "Input/output error", CHECK),
        (OSError("odd"), "odd", CHECK),
        (
            OSError(errno.ENOSPC, "No space left on device", "/a"),
            "/a: No space left on device",
            os_error_hint(OSError(errno.ENOSPC, "")),
        ),
    ],
)
def test_it_has_a_place_and_a_hint(
    error: OSError, message: str, hint: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(typer.main, "get_command", lambda _: Failing(error))
    assert program.main(["plan"]) == 1
    assert capfd.readouterr().err == f"error: {message}\nhint: {hint}\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupt_is_reported_as_one(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(typer.main, "get_command", lambda _: Failing(error))
    assert program.main(["plan"]) == 130
    assert "interrupted" in capfd.readouterr().err
