"""Which generation a rollback publishes, what it records, and why it refuses."""

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.apply.changed_environment import ChangedEnvironment, ChangeKind
from reconciler.apply.rebuild_generation import NotRebuildableError
from reconciler.apply.rollback import Rebuilder, roll_back
from reconciler.errors import ApplyError, InventoryError, StateError, UsageError
from reconciler.plan.model import StepKind
from reconciler.state.applied import Applied
from reconciler.state.hold import Hold
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import load_inventory, save_inventory
from reconciler.state.seal import Seal
from reconciler.state.trial import Trial, write_trial
from tests.apply.bench import Bench, performed
from tests.apply.bench import bench as bench

HOLD = Hold(reason="INC-42", by="alice", since="2026-11-30T09:12:00+00:00")
ADDED = "`added`: not part of the generation"
OTHERWISE = "choose another generation (`envsync history web`), or run `envsync apply web`"


def rolled_back(
    bench: Bench, to: int | None = None, *, hold: Hold | None = None, rebuild: Rebuilder | None = None
) -> tuple[ChangedEnvironment, list[str]]:
    said: list[str] = []
    changed = roll_back(
        bench.state, "acme", "web", InodeHashes(), to=to, hold=hold, on_skip=said.append, rebuild=rebuild
    )
    return changed, said


def spoil(bench: Bench, number: int) -> None:
    (bench.state.layout.generation("web", number).venv / "added").touch()


@pytest.fixture
def three(bench: Bench) -> Bench:
    """Return a root with three generations, of which the last is published."""
    for value in ("a", "b"):
        bench.applied(env={"A": value})
    bench.applied(env={"A": "c"}, prevent_destroy=True)
    return bench


def test_the_generation_before_is_published_and_recorded(three: Bench) -> None:
    changed, said = rolled_back(three)
    assert changed == ChangedEnvironment(name="web", action=ChangeKind.ROLLBACK, generation=2, replaced=3)
    assert said == []
    applied = three.state.applied("web")
    assert applied is not None
    assert (applied.generation, applied.rolled_back_from, applied.hold) == (2, 3, None)
    assert (applied.settings["env"], applied.prevent_destroy) == ({"A": "b"}, True)
    assert rolled_back(three)[0].generation == 1
    with pytest.raises(UsageError):
        rolled_back(three)


def test_after_a_change_of_project_the_environment_stays_with_the_new_one(three: Bench) -> None:
    applied = three.state.applied("web")
    assert applied is not None
    assert applied.manifest, "the same manifest applied the older generations"
    three.state.record(replace(applied, project="renamed"))
    roll_back(three.state, "renamed", "web", InodeHashes(), on_skip=print, to=None, hold=None, rebuild=None)
    after = three.state.applied("web")
    assert after is not None
    assert (after.generation, after.project, after.manifest) == (2, "renamed", applied.manifest)


def test_a_chosen_generation_is_published_although_it_failed(three: Bench) -> None:
    generation = three.state.layout.generation("web", 1)
    generation.failed.write_text("a hook failed")
    write_trial(generation.trial, Trial(since=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), runs=1, previous=None))
    assert rolled_back(three, 1)[0] == ChangedEnvironment(
        name="web", action=ChangeKind.ROLLBACK, generation=1, replaced=3
    )
    assert not generation.failed.exists()
    assert not generation.trial.exists()


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ("drifted", "was replaced because it had drifted"),
        ("failed", "was rolled back because it failed"),
        ("damaged", f"differs from its seal: {ADDED}"),
    ],
)
def test_a_newer_generation_that_is_not_sound_is_skipped(three: Bench, mark: str, why: str) -> None:
    if mark == "damaged":
        spoil(three, 2)
    else:
        getattr(three.state.layout.generation("web", 2), mark).write_text("")
    changed, said = rolled_back(three)
    assert changed.generation == 1
    assert said == [f"`web`: generation 2 {why}, and was skipped"]


def test_a_damaged_generation_is_not_published_without_a_rebuild(three: Bench) -> None:
    spoil(three, 1)
    with pytest.raises(ApplyError) as caught:
        rolled_back(three, 1)
    assert caught.value.message == f"generation 1 of `web` differs from its seal: {ADDED}"
    assert caught.value.hint == f"run without `--no-rebuild` to rebuild it from its lock, or {OTHERWISE}"
    assert three.state.layout.published_number("web") == 3


@pytest.mark.parametrize(
    ("number", "problem"),
    [(3, "generation 3 of `web` is already published"), (9, "environment `web` has no generation 9")],
)
def test_the_published_or_an_unknown_generation_is_an_error(three: Bench, number: int, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        rolled_back(three, number)
    assert (caught.value.message, caught.value.hint) == (problem, "choose another generation with `--to`: 1, 2")


def test_the_only_generation_has_none_before_it(bench: Bench) -> None:
    bench.applied()
    with pytest.raises(UsageError) as caught:
        rolled_back(bench)
    assert caught.value.message == "environment `web` has no generation older than the published one (1)"
    assert caught.value.hint == "change the manifest and run `envsync apply web`"


def test_a_generation_whose_seal_cannot_be_read_is_skipped_and_named(three: Bench) -> None:
    three.state.layout.generation("web", 2).seal.write_text("{")
    changed, said = rolled_back(three)
    assert changed.generation == 1
    assert [each for each in said if "seal.json` is damaged" in each]
    with pytest.raises((UsageError, StateError)) as caught:
        rolled_back(three, to=2)
    assert "seal.json` is damaged" in caught.value.message + (caught.value.hint or "")


def test_an_older_seal_that_cannot_be_read_does_not_matter(three: Bench) -> None:
    three.state.layout.generation("web", 1).seal.write_text("{")
    changed, said = rolled_back(three)
    assert (changed.generation, said) == (2, [])


def test_the_error_names_the_generation_that_the_only_one_was_rebuilt_from(bench: Bench) -> None:
    applied = bench.applied()
    for origin, words in ((0, "(1)"), (1, "(1, rebuilt from 1)")):
        bench.state.record(replace(applied, rebuilt_from=origin))
        with pytest.raises(UsageError) as caught:
            rolled_back(bench)
        assert caught.value.message == f"environment `web` has no generation older than the published one {words}"


def test_no_sound_generation_is_an_error_that_says_why(three: Bench) -> None:
    spoil(three, 2)
    three.state.layout.generation("web", 1).drifted.touch()
    with pytest.raises(ApplyError) as caught:
        rolled_back(three)
    none = "environment `web` has no sound generation older than the published one"
    instead = "or change the manifest and run `envsync apply web`"
    drifted = "was replaced because it had drifted"
    assert caught.value.message == f"{none}: generation 2 differs from its seal: {ADDED}; generation 1 {drifted}"
    again = "run `envsync rollback web` without `--no-rebuild` to rebuild one from its lock"
    assert caught.value.hint == f"{again}, {instead}"
    three.state.layout.generation("web", 2).drifted.touch()
    with pytest.raises(ApplyError) as caught:
        rolled_back(three)
    assert caught.value.message == f"{none}: generation 2 {drifted}; generation 1 {drifted}"
    assert caught.value.hint == f"run `envsync rollback web --to 2` to rebuild it from its lock, {instead}"
    for number in (1, 2):
        three.state.layout.generation("web", number).seal.write_text("{")
    with pytest.raises(ApplyError) as caught:
        rolled_back(three)
    assert caught.value.message.startswith(f"{none}: `.envsync/generations/web/1/seal.json` is damaged: ")
    assert "; `.envsync/generations/web/2/seal.json` is damaged: " in caught.value.message
    assert caught.value.hint == instead.removeprefix("or ")


def test_a_generation_that_was_never_published_is_not_one_to_return_to(three: Bench) -> None:
    three.state.layout.generation("web", 2).unpublished.touch()
    assert rolled_back(three)[0].generation == 1


def test_a_damaged_generation_is_rebuilt(three: Bench) -> None:
    spoil(three, 1)
    spoil(three, 2)
    asked: list[int] = []

    def rebuild(seal: Seal, base: Applied) -> Callable[[], int]:
        asked.append(seal.applied.generation)
        assert base == seal.applied
        if seal.applied.generation == 2:
            raise NotRebuildableError("its interpreter is gone")
        return build

    def build() -> int:
        run = three.run()
        performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL)
        return run.new.number

    changed, said = rolled_back(three, rebuild=rebuild)
    assert asked == [2, 1]
    assert (changed.generation, changed.replaced) == (4, 3)
    assert three.state.layout.published_number("web") == 4
    assert said == [
        f"generation 2 of `web` differs from its seal: {ADDED}; it cannot be rebuilt: its interpreter is gone",
        f"generation 1 of `web` differs from its seal: {ADDED}; it is rebuilt from its lock",
    ]
    assert not three.state.layout.generation("web", 2).drifted.exists()
    assert three.state.layout.generation("web", 1).drifted.exists()


def test_a_generation_that_drifted_is_not_rebuilt_unless_it_is_chosen(three: Bench) -> None:
    spoil(three, 1)
    spoil(three, 2)
    three.state.layout.generation("web", 2).drifted.touch()
    asked: list[int] = []

    def rebuild(seal: Seal, _base: Applied) -> Callable[[], int]:
        asked.append(seal.applied.generation)
        raise NotRebuildableError("its lock is gone")

    with pytest.raises(ApplyError) as caught:
        rolled_back(three, rebuild=rebuild)
    problem = f"generation 1 of `web` differs from its seal: {ADDED}; it cannot be rebuilt: its lock is gone"
    assert (caught.value.message, caught.value.hint, asked) == (problem, OTHERWISE, [1])
    with pytest.raises(ApplyError) as caught:
        rolled_back(three, 2, rebuild=rebuild)
    assert (caught.value.message, asked) == (problem.replace("generation 1", "generation 2"), [1, 2])


def test_a_rebuilt_generation_whose_inventory_does_not_belong_to_its_seal_is_not_published(three: Bench) -> None:
    spoil(three, 1)
    layout = three.state.layout

    def build() -> int:
        run = three.run()
        performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL)
        inventory = load_inventory(run.new.inventory)
        save_inventory(replace(inventory, digest="sha256:other"), run.new.inventory)
        return run.new.number

    with pytest.raises(InventoryError, match="its digest is not the one in the seal"):
        rolled_back(three, 1, rebuild=lambda _seal, _base: build)
    assert layout.published_number("web") == 3


def test_a_rollback_may_hold_the_environment(three: Bench) -> None:
    held = rolled_back(three, 3, hold=HOLD)[0]
    assert held == ChangedEnvironment(name="web", action=ChangeKind.HOLD, generation=3, hold=HOLD)
    assert rolled_back(three, 1)[0].hold == HOLD  # it stays
    other = replace(HOLD, reason="INC-43")
    assert rolled_back(three, 2, hold=other)[0].hold == other
    applied = three.state.applied("web")
    assert applied is not None
    assert (applied.generation, applied.hold) == (2, other)


def test_a_failed_rollback_leaves_no_hold(three: Bench) -> None:
    link = three.state.layout.envsync_directory / "publish.web"
    link.mkdir()  # a directory in the place of the link that is made before it is renamed
    with pytest.raises(StateError, match="`web` was not changed: ") as caught:
        rolled_back(three, 1, hold=HOLD)
    assert str(link) in caught.value.message
    applied = three.state.applied("web")
    assert applied is not None
    assert (applied.generation, applied.hold) == (3, None)
    link.rmdir()
    assert rolled_back(three, 1, hold=HOLD)[0].hold == HOLD


def test_a_deleted_environment_is_restored(three: Bench) -> None:
    run = three.run(StepKind.UNPUBLISH, StepKind.FORGET)
    performed(run, StepKind.UNPUBLISH, StepKind.FORGET)
    path = three.state.layout.environment("web")
    path.mkdir()
    with pytest.raises(ApplyError):
        rolled_back(three)
    path.rmdir()
    changed, _ = rolled_back(three)
    assert changed == ChangedEnvironment(name="web", action=ChangeKind.RESTORE, generation=3)
    applied = three.state.applied("web")
    assert applied is not None
    assert (applied.settings["env"], applied.rolled_back_from) == ({"A": "c"}, 0)
    assert three.state.deleted("web") is None


def test_a_path_that_was_removed_is_restored_with_the_newest_settings(three: Bench) -> None:
    performed(three.run(StepKind.RECORD, env={"A": "new"}), StepKind.RECORD)
    three.state.layout.environment("web").unlink()
    changed, _ = rolled_back(three)
    assert (changed.action, changed.generation) == (ChangeKind.RESTORE, 3)
    applied = three.state.applied("web")
    assert applied is not None
    assert applied.settings["env"] == {"A": "new"}


def test_a_generation_that_was_deleted_is_an_error(three: Bench) -> None:
    for number in (1, 2):
        shutil.rmtree(three.state.layout.generation("web", number).directory)
    with pytest.raises(UsageError):
        rolled_back(three)
