"""The fast path prints only a line that fits the terminal; else the full program answers."""

import os

import pytest

from reconciler.fastpath.answer import _sentence
from reconciler.fastpath.command_line import QuickRequest

LINE = b"No changes. 2 environments match `envs.yaml`.\n"


def sentence(number: int = 2, file: str = "/a/envs.yaml", color: str = "auto", **environ: str) -> bytes:
    return _sentence(QuickRequest("plan", file, files=True, color=color), number, environ)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: True)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((80, 24)))


def test_off_a_terminal_it_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: False)
    assert sentence() == sentence(COLUMNS="10") == LINE
    assert sentence(1) == b"No changes. 1 environment matches `envs.yaml`.\n"
    assert sentence(0) == b""
    assert sentence(file="/a/\u00e9.yaml") == b""
    assert sentence(color="always") == b"\x1b[1m" + LINE.strip() + b"\x1b[0m\n"


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("columns", "fits"), [("", True), ("0", True), ("45", True), ("44", False), ("wide", False)])
def test_on_a_terminal_it_must_fit(columns: str, fits: bool) -> None:
    assert sentence(COLUMNS=columns, NO_COLOR="1") == (LINE if fits else b"")


@pytest.mark.usefixtures("terminal")
def test_a_terminal_without_a_size_is_for_the_full_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> os.terminal_size:
        raise OSError

    monkeypatch.setattr(os, "get_terminal_size", fail)
    assert sentence() == b""
