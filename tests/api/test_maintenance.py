"""What a project can do in its root without a plan: which environments are its own, holds, rollbacks, the history."""

import datetime as dt
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.changed_environment import ChangedEnvironment, ChangeKind
from reconciler.apply.verify_generations import GenerationState
from reconciler.errors import ApplyError, UsageError
from reconciler.generation_list import KeptGeneration
from reconciler.maintenance import Maintenance
from reconciler.observe.actual import Depth
from reconciler.observe.environment import observe_path
from reconciler.plan.model import StepKind
from reconciler.state.adopted import Adopted, write_adopted
from reconciler.state.deleted import Deleted
from reconciler.state.generation_identity import write_identity_mark
from reconciler.state.hold import Hold
from reconciler.state.store import State
from tests.apply.bench import PYTHON, Bench, performed
from tests.apply.bench import bench as bench
from tests.state.records import applied

ANNA = {"USER": "anna", "LOGNAME": "anna", "SUDO_USER": "anna"}
WEEK = dt.timedelta(days=7)


def maintenance(root: Path, project: str = "acme") -> Maintenance:
    return Maintenance(root=root, project=project, ambient=ANNA)


@pytest.fixture
def three(bench: Bench) -> Bench:
    """Return a root with three generations of `web`, of which the last is published."""
    for value in ("a", "b", "c"):
        bench.applied(env={"A": value})
    return bench


def changes_in(state: State) -> list[Any]:
    """Return what the history says about environments, oldest first."""
    return [each for run in maintenance(state.layout.root).runs() for each in run["environments"]]  # type: ignore[union-attr]


def refusal(caught: pytest.ExceptionInfo[UsageError]) -> tuple[str, str | None]:
    return caught.value.message, caught.value.hint


@pytest.fixture
def shared(tmp_path: Path) -> State:
    """Return a root of two projects, in which some environments were deleted, and a record cannot be read."""
    state = State.at(tmp_path)
    for each in (applied(), applied("theirs", project="other"), applied("bad"), applied("api")):
        state.record(each)
    state.layout.record("bad").write_text("{")
    for name, project, time in (("old", "acme", WEEK), ("past", "acme", -WEEK), ("other-old", "other", WEEK)):
        state.keep_deleted(name, Deleted.now(applied(name, project=project), time))
    state.keep_deleted("torn", Deleted.now(applied("torn"), WEEK))
    state.layout.deleted("torn").write_text("{")
    return state


def test_a_project_owns_what_it_applied_what_cannot_be_read_and_what_it_deleted_on_request(shared: State) -> None:
    root = shared.layout.root
    assert maintenance(root).names() == ("api", "bad", "torn", "web")
    assert maintenance(root).names(deleted=True) == ("api", "bad", "old", "torn", "web")
    assert maintenance(root).names(("web", "api", "web")) == ("api", "web")
    assert maintenance(root).names(("old",), deleted=True) == ("old",)
    assert list(maintenance(root).deleted()) == ["old"]
    assert maintenance(root, "other").names(deleted=True) == ("bad", "other-old", "theirs", "torn")


@pytest.mark.parametrize(
    ("chosen", "message", "hint"),
    [
        (("web", "theirs"), "environment `theirs` was never applied in this root", None),
        (("old",), "environment `old` was never applied in this root", None),
        (("webb",), "environment `webb` was never applied in this root", "did you mean `web`?"),
        (("y", "x"), "environments `x`, `y` were never applied in this root", None),
    ],
)
def test_any_other_name_is_refused(shared: State, chosen: tuple[str, ...], message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        maintenance(shared.layout.root).names(chosen)
    assert refusal(caught) == (message, hint or "choose from the applied environments: `api`, `bad`, `torn`, `web`")


def test_a_root_that_is_missing_stays_missing_and_knows_no_environment(tmp_path: Path) -> None:
    empty = maintenance(tmp_path / "root")
    refused: tuple[Callable[[], object], ...] = (
        lambda: empty.hold("web", "INC-42"),
        lambda: empty.release("web"),
        lambda: empty.rollback("web"),
        lambda: empty.names(("web",)),
        lambda: empty.diff("web", 1),
    )
    for change in refused:
        with pytest.raises(UsageError) as caught:
            change()
        assert refusal(caught) == ("environment `web` was never applied in this root", "run `envsync apply`")
    assert empty.collect() == []
    assert (empty.names(), empty.runs(), empty.verify(), empty.generations("web")) == ((), [], [], [])
    with pytest.raises(UsageError) as caught:
        empty.examine_for_trust()
    assert refusal(caught) == (f"`{tmp_path}/root` is not a root of envsync", "run `envsync apply`, which makes it")
    assert not (tmp_path / "root").exists()


def test_a_hold_and_its_end_are_described_and_part_of_the_history(three: Bench) -> None:
    root = three.state.layout.root
    held = maintenance(root).hold("web", " INC-42 ")
    record = three.state.applied("web")
    assert record is not None
    assert record.hold is not None
    assert (record.hold.reason, record.hold.by) == ("INC-42", maintenance(root).runs()[0]["by"])
    assert held == ChangedEnvironment(name="web", action=ChangeKind.HOLD, generation=3, hold=record.hold)
    released = maintenance(root).release("web")
    assert released == ChangedEnvironment(name="web", action=ChangeKind.RELEASE, generation=3, released=record.hold)
    assert changes_in(three.state) == [
        {"name": "web", "action": each, "status": "applied", "generation": 3, "reasons": ["INC-42"]}
        for each in ("hold", "release")
    ]


def test_a_hold_needs_a_reason_before_anything_is_changed(three: Bench) -> None:
    mine = maintenance(three.state.layout.root)
    refused: tuple[Callable[[], object], ...] = (lambda: mine.hold("web", " "), lambda: mine.rollback("web", hold=""))
    for change in refused:
        with pytest.raises(UsageError, match="the reason of a hold is empty"):
            change()
    assert (three.state.layout.published_number("web"), changes_in(three.state)) == (3, [])


def rolled_back(bench: Bench, **more: Any) -> ChangedEnvironment:
    changed = maintenance(bench.state.layout.root).rollback("web", on_skip=pytest.fail, **more)
    return replace(changed, hold=None if changed.hold is None else Hold(reason=changed.hold.reason, by="", since=""))


def test_a_rollback_is_described_and_part_of_the_history(three: Bench) -> None:
    entry = {"name": "web", "action": "rollback", "status": "applied", "generation": 2}
    assert rolled_back(three) == ChangedEnvironment(name="web", action=ChangeKind.ROLLBACK, generation=2, replaced=3)
    assert changes_in(three.state) == [{**entry, "reasons": ["from generation 3"]}]
    hold = Hold(reason="INC-42", by="", since="")
    assert rolled_back(three, to=1, hold="INC-42") == ChangedEnvironment(
        name="web", action=ChangeKind.ROLLBACK, generation=1, replaced=2, hold=hold
    )
    held = {**entry, "generation": 1, "reasons": ["from generation 2", "held: INC-42"]}
    assert changes_in(three.state)[1:] == [held]
    assert rolled_back(three, to=1, hold="INC-43").action is ChangeKind.HOLD
    only_held = {**entry, "action": "hold", "generation": 1, "reasons": ["INC-43"]}
    assert changes_in(three.state)[2:] == [only_held]
    performed(three.run(StepKind.UNPUBLISH, StepKind.FORGET), StepKind.UNPUBLISH, StepKind.FORGET)
    assert rolled_back(three, to=3).action is ChangeKind.RESTORE
    assert changes_in(three.state)[3:] == [{**entry, "action": "restore", "generation": 3, "reasons": []}]
    assert maintenance(three.state.layout.root).runs("nope") == []
    assert len(maintenance(three.state.layout.root).runs("web")) == 4


def test_a_rollback_without_a_manifest_says_why_nothing_is_rebuilt(three: Bench) -> None:
    for number in (1, 2):
        (three.state.layout.generation("web", number).venv / "added").touch()
    mine = maintenance(three.state.layout.root)
    for rebuild in (True, False):
        with pytest.raises(ApplyError) as caught:
            mine.rollback("web", on_skip=pytest.fail, rebuild=rebuild)
        assert ("it cannot be rebuilt: the manifest is not known" in caught.value.message) is rebuild
    assert changes_in(three.state) == []


def test_what_is_collected_is_only_listed_in_a_dry_run(three: Bench) -> None:
    root = three.state.layout.root
    three.applied(env={"A": "d"}, keep_generations=1)
    listed = maintenance(root).collect(dry_run=True)
    assert [each.generation.number for each in listed] == [1, 2, 3]
    assert three.state.layout.generation_numbers("web") == [1, 2, 3, 4]
    assert [each.generation.number for each in maintenance(root).collect()] == [1, 2, 3]
    assert three.state.layout.generation_numbers("web") == [4]


def test_generations_of_deleted_environments_are_collected_on_request(three: Bench) -> None:
    performed(three.run(StepKind.UNPUBLISH, StepKind.FORGET), StepKind.UNPUBLISH, StepKind.FORGET)
    root = three.state.layout.root
    for own in (False, True):
        mine = maintenance(root, "acme" if own else "other")
        assert mine.collect(dry_run=True) == mine.collect() == []
        assert [each.generation.number for each in mine.collect(dry_run=True, deleted=True)] == [1, 2, 3] * own
        assert [each.generation.number for each in mine.collect(deleted=True)] == [1, 2, 3] * own
    assert three.state.layout.generation_numbers("web") == []


@pytest.mark.parametrize(
    ("numbers", "message", "hint"),
    [
        ((9,), "environment `web` has no generation 9", "choose from those that are kept: 1, 2, 3"),
        ((1, 8), "environment `web` has no generation 8", "choose from those that are kept: 1, 2, 3"),
    ],
)
def test_only_kept_generations_are_compared(three: Bench, numbers: tuple[int, ...], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        maintenance(three.state.layout.root).diff("web", *numbers)
    assert refusal(caught) == (message, hint)


def test_a_generation_is_compared_with_the_published_one_or_a_chosen_one(three: Bench) -> None:
    compare = maintenance(three.state.layout.root).diff
    assert [(each.before.generation, each.after.generation) for each in (compare("web", 1), compare("web", 2, 1))] == [
        (1, 3),
        (2, 1),
    ]
    three.state.layout.environment("web").unlink()
    assert compare("web", 1).after.generation == 3, "the one that was last applied"


def test_the_generations_that_are_kept_are_listed_with_what_was_done_with_them(three: Bench) -> None:
    layout, mine = three.state.layout, maintenance(three.state.layout.root)
    (first, second, third) = (layout.generation("web", number) for number in (1, 2, 3))
    first.drifted.touch()
    second.failed.write_text("a hook failed")
    seals = [three.state.seal("web", number) for number in (1, 2, 3)]
    created = [each.created for each in seals if each is not None]
    listed = [
        KeptGeneration(
            name="web",
            number=number,
            created=created[number - 1],
            python=PYTHON.version,
            packages=1,
            plan="sha256:plan",
            published=number == 3,
            **more,
        )
        for number, more in (
            (1, {"drifted": True, "state": GenerationState.DRIFTED}),
            (2, {"failed": "a hook failed", "state": GenerationState.FAILED}),
            (3, {"state": GenerationState.PUBLISHED}),
        )
    ]
    assert mine.generations("web") == listed
    compared = [replace(each, problem="failed: a hook failed" if each.failed else "") for each in listed]
    assert mine.generation_history(("web",)) == compared
    (third.venv / "added").touch()
    damaged = mine.generation_history(("web",))[2]
    assert (damaged.state, damaged.published) == (GenerationState.DAMAGED, True)
    assert damaged.problem.startswith("differs from its seal: `added`")
    second.unpublished.touch()
    third.unpublished.touch()  # the published one is listed whatever else says
    assert [each.number for each in mine.generations("web")] == [1, 3]


def test_a_seal_that_cannot_be_read_is_listed_with_the_reason(three: Bench) -> None:
    mine = maintenance(three.state.layout.root)
    for number, text in ((1, "{"), (3, '{"format": 99}')):
        three.state.layout.generation("web", number).seal.write_text(text)
    first, _, third = mine.generations("web")
    assert (first.state, first.published, first.created) == (GenerationState.UNREADABLE, False, "")
    assert (third.state, third.published) == (GenerationState.NEWER, True)
    for each in (first, third):
        assert f"generations/web/{each.number}/seal.json" in each.problem
        assert str(three.state.layout.root) not in each.problem


def test_what_adopt_replaced_is_one_of_the_generations(three: Bench) -> None:
    layout, mine = three.state.layout, maintenance(three.state.layout.root)
    adopted = layout.adopted_generation("web", 2)
    shutil.rmtree(layout.generation("web", 2).directory)
    adopted.venv.mkdir(parents=True)
    (adopted.venv / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.10.1\n")
    since = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    write_adopted(adopted, Adopted(adopted=since, keep_until=since))
    write_identity_mark(adopted)
    expected = KeptGeneration(
        name="web",
        number=2,
        created="2026-01-01T00:00:00+00:00",
        python=observe_path(adopted.venv).python,
        published=False,
        adopted=True,
        state=GenerationState.ADOPTED,
    )
    assert [each.number for each in mine.generations("web")] == [1, 2, 3]
    assert mine.generations("web")[1] == mine.generation_history(("web",))[1] == expected
    adopted.adoption.write_text("{")
    torn = mine.generations("web")[1]
    assert (torn.created, torn.state, torn.adopted) == ("", GenerationState.ADOPTED, True)
    assert torn.problem
    assert str(layout.root) not in torn.problem


def test_a_verification_has_the_names_and_the_depth_that_were_asked_for(three: Bench) -> None:
    mine = maintenance(three.state.layout.root)
    (module,) = three.state.layout.generation("web", 3).venv.glob("lib/python*/site-packages/tool.py")
    before = module.stat()
    module.write_bytes(module.read_bytes().replace(b"1", b"2"))
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    for depth, intact in ((Depth.METADATA, True), (Depth.HASHES, False)):
        assert [(each.name, each.generation, each.intact) for each in mine.verify(("web",), depth)] == [
            ("web", 3, intact)
        ]
        found = [each.integrity.intact for each in mine.verify_generations(("web",), depth)]
        assert found == [True, True, intact]
    assert [each.intact for each in (*mine.verify(), mine.verify_generations()[2].integrity)] == [False, False]
    for verify in (mine.verify, mine.verify_generations):
        with pytest.raises(UsageError):
            verify(("nope",))
