"""Only the environments of the own project are rolled back, to generations that were made for it."""

from pathlib import Path

import pytest

from reconciler.apply.last_applied import last_applied_to
from reconciler.apply.rollback import _is_own
from reconciler.errors import UsageError
from reconciler.state.store import State
from tests.state.records import applied, sealed


def test_an_environment_of_another_project_is_refused(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    record = applied(seal=sealed(state.layout, applied()))
    state.record(record)
    assert last_applied_to(state, "acme", "web") == record
    with pytest.raises(UsageError) as caught:
        last_applied_to(state, "other", "web")
    assert caught.value.message == "project `acme` owns `web` in the same root"
    assert caught.value.hint == "run the command with the manifest of that project"


@pytest.mark.parametrize(
    ("names", "name", "hint"), [((), "web", "run `envsync apply`"), (("web",), "wbe", "did you mean `web`?")]
)
def test_one_that_was_never_applied_is_an_error(tmp_path: Path, names: tuple[str, ...], name: str, hint: str) -> None:
    state = State.at(tmp_path)
    for each in names:
        state.record(applied(each, seal=sealed(state.layout, applied(each))))
    with pytest.raises(UsageError, match=f"environment `{name}` was never applied") as caught:
        last_applied_to(state, "acme", name)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("project", "manifest", "own"),
    [
        ("acme", "", True),
        ("acme", "a.yaml", True),
        ("other", "b.yaml", True),
        ("other", "a.yaml", False),
        ("other", "", False),
    ],
)
def test_a_generation_is_own_by_its_project_or_its_manifest(project: str, manifest: str, own: bool) -> None:
    assert _is_own(applied(project=project, manifest=manifest), applied(manifest="b.yaml")) is own


def test_without_a_manifest_only_the_project_counts() -> None:
    assert not _is_own(applied(project="other", manifest=""), applied(manifest=""))
