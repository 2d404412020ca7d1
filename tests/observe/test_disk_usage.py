"""What an environment occupies: for itself, shared, and what deleting its older generations would free."""

import os
from pathlib import Path

from reconciler.observe.disk_usage import DiskUsage, disk_usage
from reconciler.state.store import State
from tests.state.records import publish


def size(*paths: Path) -> int:
    return sum(each.lstat().st_blocks * 512 for each in paths)


def tree(*tops: Path) -> list[Path]:
    return [each for top in tops for each in (top, *top.rglob("*")) if not each.is_file()]


def test_an_inode_is_own_shared_or_reclaimable(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    layout = state.layout
    one, two = (layout.generation("web", number) for number in (1, 2))
    old, new, adopted = one.venv, two.venv, layout.adopted_generation("web", 3)
    for number, venv in enumerate((old, new, adopted.venv), 1):
        venv.mkdir(parents=True)
        (venv / "own").write_bytes(b"x" * 10_000 * number)
    adopted.identity.symlink_to("mark")
    (new / "shared").write_bytes(b"x" * 50_000)
    os.link(new / "shared", old / "shared")
    (tmp_path / "cache").write_bytes(b"x" * 90_000)
    os.link(tmp_path / "cache", old / "cached")
    publish(layout, "web", 2)
    assert layout.adopted_numbers("web") == [3]
    others = [*tree(one.directory, adopted.directory), old / "own", adopted.venv / "own"]
    assert disk_usage(state, "web") == DiskUsage(
        own=size(*tree(two.directory), new / "own"), shared=size(new / "shared"), reclaimable=size(*others)
    )
    layout.environment("web").unlink()  # it was deleted
    both = disk_usage(state, "web")
    assert (both.own, both.shared) == (0, 0)
    assert both.reclaimable == size(*others, *tree(two.directory), new / "own", new / "shared")
    assert disk_usage(state, "none") == DiskUsage(own=0, shared=0, reclaimable=0)
