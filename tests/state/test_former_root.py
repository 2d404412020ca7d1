"""Former roots next to the manifest: a directory that cannot be searched is passed over."""

from types import SimpleNamespace
from typing import Any

from reconciler.state.former_root import former_root_notes
from reconciler.state.store import State
from tests.state.records import applied, sealed
from tests.unprivileged import reachable_directory, unprivileged


def test_a_directory_that_may_not_be_searched_stops_no_plan() -> None:
    with reachable_directory() as directory:
        former = State.at(directory / "former")
        sealed(former.layout, applied())
        former.record(applied())
        closed = directory / "closed"
        closed.mkdir()
        closed.chmod(0)
        desired: Any = SimpleNamespace(
            file=directory / "envs.yaml", root=directory / ".envs", project=applied().project
        )
        with unprivileged():
            (note,) = former_root_notes(desired)
        assert note.startswith(f"`web` was applied in `{directory / 'former'}`")
        closed.chmod(0o755)
