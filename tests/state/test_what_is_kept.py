"""A generation that cannot be read is kept, and an environment that is not published is reported."""

import os
from pathlib import Path

from reconciler.apply.collect import removable_generations
from reconciler.apply.verify_seal import verify_published
from reconciler.observe.actual import Depth
from reconciler.state.generation_identity import _is_empty
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State
from tests.state.records import applied, publish, sealed
from tests.unprivileged import reachable_directory, unprivileged


def test_a_generation_whose_seal_cannot_be_read_is_kept() -> None:
    with reachable_directory() as root:
        state = State.at(root)
        for number in (1, 2, 3):
            sealed(state.layout, applied(generation=number))
        publish(state.layout, "web", 3)
        last = state.seal("web", 3)
        assert last is not None
        state.record(applied(generation=3, seal=last.digest, settings={"keep_generations": 1}))
        assert [each.generation.number for each in removable_generations(state, discard=frozenset())] == [1, 2]
        state.layout.generation("web", 1).seal.chmod(0)
        with unprivileged():
            assert [each.generation.number for each in removable_generations(state, discard=frozenset())] == [2]


def test_an_environment_that_is_not_published_is_reported_as_missing(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    assert verify_published(state, "web", InodeHashes(), depth=Depth.HASHES) is None
    state.record(applied(seal=sealed(state.layout, applied())))
    found = verify_published(state, "web", InodeHashes(), depth=Depth.HASHES)
    assert found is not None
    assert (found.exists, found.generation, found.intact) == (False, 1, False)


def test_only_a_directory_with_at_most_an_empty_venv_is_empty(tmp_path: Path) -> None:
    generation = State.at(tmp_path).layout.generation("web", 1)
    generation.directory.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()

    def is_empty() -> bool:
        opened = os.open(generation.directory, os.O_RDONLY)
        try:
            return _is_empty(generation, opened)
        finally:
            os.close(opened)

    assert is_empty()
    generation.venv.symlink_to(tmp_path / "elsewhere")
    assert not is_empty()
    generation.venv.unlink()
    generation.venv.write_text("a file")
    assert not is_empty()
    generation.venv.unlink()
    generation.venv.mkdir()
    assert is_empty()
    (generation.directory / "other").write_text("")
    assert not is_empty()
    (generation.directory / "other").unlink()
    (generation.venv / "pyvenv.cfg").write_text("")
    assert not is_empty()
