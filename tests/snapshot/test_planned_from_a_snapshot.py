"""What a plan from a snapshot knows of the host: its renamed environments, and the interpreters that it has."""

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.interpreters import search_path
from reconciler.interpreters.choose import Interpreters
from reconciler.interpreters.permitted import ForbiddenPlaces
from reconciler.snapshot.file import read_snapshot, snapshot_json
from reconciler.snapshot.interpreters import known_interpreters
from tests.interpreters.fakes import fake_interpreter, times_started
from tests.snapshot.test_snapshot import on, written
from tests.snapshot.worlds import snapshot, worlds


def test_an_environment_that_was_renamed_is_planned_as_on_the_host(tmp_path: Path) -> None:
    workspace = on(tmp_path, "  renamed_from: old\n")
    first = snapshot(worlds()["unchanged"])
    last = next(iter(first.applied.values()))
    seen = next(iter(first.environments.values()))
    no_effect = "`renamed_from: old` has no effect, because both environments exist"
    for names, former in ((("old",), "old"), (("old", "web"), "")):
        taken = replace(
            first,
            environments={name: replace(seen, name=name, path=f"{first.root}/{name}") for name in names},
            applied={name: replace(last, name=name) for name in names},
        )
        plan = workspace.plan_snapshot(read_snapshot(written(snapshot_json(taken), tmp_path)))
        web = next(each for each in plan.environments if each.name == "web")
        assert web.renamed_from == former
        assert (no_effect in web.notes) is not bool(former)


def test_an_optional_python_that_the_host_does_not_have_is_skipped_with_a_note(tmp_path: Path) -> None:
    workspace = on(tmp_path, " test:\n  matrix: {python: ['3.14'], if_available: true}\n")
    plan = workspace.plan_snapshot(read_snapshot(written(snapshot_json(snapshot(worlds()["unchanged"])), tmp_path)))
    assert "test-py314" not in {each.name for each in plan.environments}
    assert plan.notes == ("`test-py314` was skipped: no python 3.14 on this machine (`if_available`)",)


def test_the_interpreters_that_generations_of_this_project_use_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_path, "FIXED", ())
    newest = fake_interpreter(tmp_path / "bin", "python3.12", "3.12.9")
    paths = {
        name: str(fake_interpreter(tmp_path / name, f"python{series}", f"{series}.1"))
        for name, series in (("gone", "3.10"), ("theirs", "3.11"), ("web", "3.12"), ("elsewhere", "3.13"))
    }
    searched = ":".join(str(tmp_path / name) for name in ("bin", "gone", "theirs", "web"))
    base = next(iter(snapshot(worlds()["unchanged"]).applied.values()))
    applied = {
        name: replace(
            base,
            name=name,
            project="other" if name == "theirs" else "acme",
            interpreter=replace(base.interpreter, path=path),
        )
        for name, path in paths.items()
    }
    workspace = on(tmp_path, " api:\n  python: '>=3.12'\n none:\n  python: '3.14'\n")
    found = known_interpreters(
        workspace.desired(), applied, Interpreters({"PATH": searched}, places=ForbiddenPlaces(), cache=None)
    )
    assert [each.path for each in found.found] == [str(newest)]
    assert [each.path for each in found.others] == [paths["gone"], paths["web"]], "kept, and not the newest"
    assert times_started(Path(paths["elsewhere"])) == 0, "only a record names it"
