"""A generation is untouched only where every inode holds what its own inventory says, whoever of two looks at it."""

import os
import time
from pathlib import Path

import pytest

from reconciler.state.inodes import TICK_NS, InodeHashes
from reconciler.state.inventory import plain_columns
from reconciler.state.taking import take_inventory
from reconciler.unchanged.untouched import Pass, untouched


@pytest.mark.parametrize("shares", [[(0, 1)], [(0, 2), (1, 2)]], ids=["alone", "by-two"])
def test_what_one_environment_shows_of_a_shared_file_is_held_against_the_other(
    shares: list[tuple[int, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # put back at the end: a look moves
    one, other = tmp_path / "one", tmp_path / "other"
    for venv in (one, other):
        (venv / "lib").mkdir(parents=True)
        (venv / "own.txt").write_text(venv.name)
        (venv / "lib/own.txt").write_text(venv.name)
    for place in ("shared.py", "lib/shared.py"):
        (one / place).write_text(f"{place}\n")
        os.link(one / place, other / place)
    time.sleep(2 * TICK_NS / 1e9)
    columns = {venv: plain_columns(take_inventory(venv, InodeHashes())) for venv in (one, other)}

    def both(second: dict[str, object]) -> bool:
        """Say whether all shares find first `one` and then the second untouched, each share in a pass of its own."""
        passes = [(Pass(str(tmp_path / "none")), share) for share in shares]
        assert all(untouched(str(one), columns[one], looking, {}, share) for looking, share in passes)
        return all(untouched(str(other), second, looking, {}, share) for looking, share in passes)

    assert both(columns[other])
    for place in ("shared.py", "lib/shared.py"):
        content = bytes.fromhex(InodeHashes().sha256_of(other / place, (other / place).lstat()))
        sealed_with_another = columns[other]["contents"].replace(content, b"?" * 32)
        assert not both({**columns[other], "contents": sealed_with_another}), place
