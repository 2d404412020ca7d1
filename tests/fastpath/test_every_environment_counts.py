"""All environments must be unchanged: one that changed, or that is not remembered, is enough for the full program."""

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.fastpath.agreement import RELATIVE_PATHS, SHARED_DIGEST
from reconciler.fastpath.unchanged import _Check
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import plain_columns
from reconciler.state.inventory_scan import take_inventory


def remembered(venv: Path) -> Any:
    """Make an environment, and return what is remembered of it."""
    venv.mkdir()
    (venv / "file").write_text("one")
    columns = plain_columns(take_inventory(venv, InodeHashes()))
    return str(venv), {**columns, SHARED_DIGEST: "", RELATIVE_PATHS: None}, {}, "none"


@pytest.mark.parametrize("files", [True, False])
@pytest.mark.parametrize(("changed", "unchanged"), [("", True), ("a", False), ("b", False), ("c", False)])
def test_every_environment_is_examined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: bool, changed: str, unchanged: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # restored at the end: a check may change the directory
    every = [remembered(tmp_path / name) for name in ("a", "b", "c")]
    if changed:
        (tmp_path / changed / "added").write_text("")
    check = _Check(str(tmp_path), {"names": ["a", "b", "c"]}, files=files)
    assert check.all_unchanged(every, (0, 1)) is unchanged
    os.chdir(tmp_path)
    assert not check.all_unchanged([None], (0, 1))
    assert not check.all_unchanged([*every, None], (0, 1))
    assert check.all_unchanged([], (0, 1))
