"""Why a rollback does not pick a generation silently."""

from pathlib import Path

from reconciler.state.set_aside import failure_of, set_aside_because
from reconciler.state.store import State


def test_the_reason_is_the_mark_of_the_generation(tmp_path: Path) -> None:
    generation = State.at(tmp_path).layout.generation("web", 1)
    generation.directory.mkdir(parents=True)
    assert (set_aside_because(generation), failure_of(generation)) == ("", "")
    generation.failed.write_bytes(b" \n")
    assert (set_aside_because(generation), failure_of(generation)) == ("was rolled back because it failed", "")
    generation.failed.write_bytes(b" a hook failed: \xff\n")
    assert failure_of(generation) == "a hook failed: \ufffd"
    assert set_aside_because(generation) == "was rolled back: a hook failed: \ufffd"
    generation.drifted.touch()
    assert set_aside_because(generation) == "was replaced because it had drifted"
