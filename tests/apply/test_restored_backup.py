"""A generation counts as restored from a backup only if it has every file that was sealed, and nothing else."""

import os
from collections.abc import Callable

import pytest

from reconciler.apply.restored_backup import is_restored
from reconciler.state.layout import Generation
from tests.apply.bench import Bench
from tests.apply.bench import bench as bench
from tests.apply.fake_uv import SITE


def restored(bench: Bench) -> bool:
    return is_restored(bench.state, "web", bench.state.layout.generation("web", 1))


def test_every_file_that_envsync_makes_may_be_in_its_directory(bench: Bench) -> None:
    bench.applied()
    generation = bench.state.layout.generation("web", 1)
    assert restored(bench)
    for path in (
        generation.new_identity,
        generation.unpublished,
        generation.drifted,
        generation.staged,
        generation.failed,
        generation.trial,
    ):
        path.touch()
    assert generation.in_use.exists()
    assert restored(bench)


def linked(generation: Generation) -> None:
    generation.venv.rename(generation.directory.parent / "elsewhere")
    generation.venv.symlink_to(generation.directory.parent / "elsewhere")


CHANGES: dict[str, Callable[[Generation], object]] = {
    "a file in the directory": lambda found: (found.directory / "other").touch(),
    "a file in the environment": lambda found: (found.venv / "other").touch(),
    "an edited file": lambda found: (found.venv / SITE / "tool.py").write_text("ONE = 2\n"),
    "a missing file": lambda found: (found.venv / SITE / "tool.py").unlink(),
    "a link in the place of the environment": linked,
    "a damaged seal": lambda found: found.seal.write_text("{"),
    "a missing seal": lambda found: found.seal.unlink(),
    "a damaged inventory": lambda found: found.inventory.write_text("x"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_with_any_difference_it_is_not_restored(change: str, bench: Bench) -> None:
    bench.applied()
    CHANGES[change](bench.state.layout.generation("web", 1))
    assert not restored(bench)


def test_the_files_are_read_although_their_times_are_the_same(bench: Bench) -> None:
    bench.applied()
    module = bench.state.layout.generation("web", 1).venv / SITE / "tool.py"
    before = module.stat()
    module.write_text("TWO = 2\n")
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not restored(bench)
