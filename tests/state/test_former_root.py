"""Former roots next to the manifest: a directory that cannot be searched is passed over."""

from pathlib import Path
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


def test_each_former_root_of_this_manifest_is_named(tmp_path: Path) -> None:
    project = tmp_path / "project"
    desired: Any = SimpleNamespace(file=project / "envs.yaml", root=project / "now", project="acme")
    assert former_root_notes(desired) == ()
    project.mkdir()
    for root, records in {
        "zoo": [applied("api"), applied("web", manifest="../envs.yaml"), applied("x", project="other")],
        "former": [applied(manifest="../other.yaml")],
        ".envs": [applied()],
        "now": [applied()],
        "empty": [],
        "-first": [applied("api")],
    }.items():
        state = State.at(project / root)
        (project / root).mkdir()
        for each in records:
            sealed(state.layout, each)
            state.record(each)
    (project / "linked").symlink_to("zoo")
    (project / "file").touch()
    one, first, two = former_root_notes(desired)
    assert "write `root: -first`" in first
    assert one == (
        f"`web` was applied in `{project / '.envs'}` and stay there; to delete them, write `root: .envs` and run "
        "`envsync destroy web`"
    )
    assert two == (
        f"`api`, `web` were applied in `{project / 'zoo'}` and stay there; to delete them, write `root: zoo` and run "
        "`envsync destroy api web`"
    )
