"""The short form of the long run: a few applies and checks in one root leave nothing behind."""

import tempfile
from pathlib import Path

import pytest

from tests.faults.long_run import long_run, ratio, section
from tests.functional.conftest import host
from tests.host import Host

__all__ = ["host"]


def test_a_toggling_run_leaves_nothing_behind(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    run = long_run(host, temporary, 15, 15, lambda _run: None)
    assert run.problems == []
    assert len(run.checks) == 15
    assert section(run).startswith("15 applies and 15 checks in one root: ")


def test_the_ratio_compares_the_last_tenth_with_the_first_after_the_first_cycle() -> None:
    assert ratio([9.0] * 5 + [1.0] * 10 + [3.0] * 80 + [2.0] * 10) == 2.0
