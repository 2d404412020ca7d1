"""Where the system has no flush of one file system, all are flushed."""

import os
import sys
from pathlib import Path

import pytest

from reconciler.fs.sync import sync_filesystem


def test_other_systems_than_linux_flush_all_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[bool] = []
    monkeypatch.setattr(os, "sync", lambda: flushed.append(True))
    sync_filesystem(tmp_path)
    assert len(flushed) == (0 if sys.platform == "linux" else 1)
    monkeypatch.setattr(sys, "platform", "darwin")
    sync_filesystem(tmp_path / "missing")
    assert flushed[-1:] == [True]
