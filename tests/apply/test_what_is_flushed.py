"""Every change of a root that a power cut must not undo is flushed to disk: which directories, and in which order."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from reconciler.apply.publish import adopt, leave_former_path, mark_drifted, publish, unpublish
from reconciler.apply.restore_adopted import restore_adopted
from reconciler.apply.trial import end_trial
from reconciler.fs.sync import begin_sync, sync_directory, sync_filesystem
from reconciler.plan.model import StepKind
from reconciler.state.adopted import Adopted
from reconciler.state.trial import Trial, write_trial
from tests.apply.bench import Bench, performed, step
from tests.apply.bench import bench as bench
from tests.apply.fake_uv import SITE
from tests.observed_calls import observed_calls
from tests.state.records import applied

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ONE, TWO = ".envsync/generations/web/1", ".envsync/generations/web/2"


def flushed(bench: Bench, change: Callable[[], object]) -> list[str]:
    """Return the directories that a change flushes, relative to the root; `+` for everything on their file system."""
    with observed_calls(sync_directory, begin_sync, sync_filesystem) as calls:
        change()
    marks = {"sync_directory": "", "begin_sync": "begin +", "sync_filesystem": "+"}
    root = bench.state.layout.root
    return [f"{marks[name]}{arguments['path'].relative_to(root)}" for name, arguments in calls]


@pytest.fixture
def two(bench: Bench) -> Bench:
    """Return a root with two generations of `web`, of which the second is published."""
    for value in ("a", "b"):
        bench.applied(env={"A": value})
    return bench


def test_a_build_is_flushed_before_it_is_published(bench: Bench) -> None:
    run = bench.run()
    run.begin()
    assert [flushed(bench, partial(run.perform, each)) for each in run.plan.steps] == [
        [f"begin +{ONE}"],
        [],
        [],
        [f"+{ONE}"],
        ["."],
        [],
    ]


def test_a_publish_and_its_end_are_flushed(two: Bench) -> None:
    layout = two.state.layout
    assert flushed(two, lambda: publish(layout, "web", 1)) == ["."]
    assert flushed(two, lambda: unpublish(layout, "web")) == ["."]
    assert flushed(two, lambda: unpublish(layout, "web")) == []
    assert flushed(two, lambda: publish(layout, "web", 1)) == ["."]


def test_marks_of_a_generation_are_flushed(two: Bench) -> None:
    generation = two.state.layout.generation("web", 1)
    assert flushed(two, lambda: mark_drifted(generation)) == [ONE]
    write_trial(generation.trial, Trial(since=NOW, runs=1, previous=None))
    assert flushed(two, lambda: end_trial(generation)) == [ONE]
    assert flushed(two, lambda: end_trial(generation)) == []


def test_a_rename_is_flushed_before_and_after_its_journal_and_before_that_is_deleted(two: Bench) -> None:
    run = two.run(StepKind.RENAME, plan={"name": "site", "renamed_from": "web"})
    assert flushed(two, lambda: performed(run, StepKind.RENAME)) == [
        ".envsync/generations/site",
        ".envsync/generations",
        ".envsync",
        ".",
        ".",
        ".envsync/environments",
        "+.",
        ".envsync",
    ]
    assert flushed(two, lambda: leave_former_path(two.state.layout, "site", "other")) == ["."]


def test_an_adoption_and_its_end_are_flushed(bench: Bench) -> None:
    state, root = bench.state, bench.state.layout.root
    (root / "web").mkdir()
    number = state.new_generation("web", above=0, adopting=True).number
    assert flushed(bench, lambda: adopt(state.layout, "web", number, Adopted.now(dt.timedelta(days=7)))) == [
        ".",
        ".envsync/adopted/web/1",
    ]
    last = applied(generation=number)
    state.record(last)
    assert flushed(bench, lambda: restore_adopted(state, last, 1, None)) == ["."]


def test_a_delete_is_flushed_before_the_path_is_removed_and_after_the_record_is(two: Bench) -> None:
    run = two.run(StepKind.UNPUBLISH, StepKind.FORGET)
    assert flushed(two, lambda: performed(run, StepKind.UNPUBLISH)) == [".envsync", "."]
    assert flushed(two, lambda: performed(run, StepKind.FORGET)) == [".envsync/environments"]
    assert flushed(two, lambda: two.state.discard_deleted("web")) == [".envsync/deleted"]


def test_modes_that_a_staged_generation_gets_are_flushed(bench: Bench) -> None:
    root = bench.state.layout.root
    root.chmod(0o700)
    bench.uv.after = lambda venv, _: (venv / SITE / "tool.py").chmod(0o600)
    bench.applied()
    staged = bench.run(StepKind.STAGE)
    performed(staged, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.SYNC, StepKind.STAGE)
    run = bench.run(StepKind.VERIFY_STAGED, plan={"staged": 2})
    assert flushed(bench, lambda: performed(run, StepKind.VERIFY_STAGED)) == []
    root.chmod(0o755)  # who may enter the root may now read the generation
    assert flushed(bench, lambda: performed(run, StepKind.VERIFY_STAGED)) == [f"+{TWO}"]


def test_files_that_are_carried_over_are_flushed(bench: Bench) -> None:
    settings: dict[str, Any] = {"ignore_files": ("*.log",)}
    bench.applied(**settings)
    run = bench.run(StepKind.CARRY_OVER, **settings)
    performed(run, StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL)
    assert flushed(bench, lambda: run.perform(step(StepKind.CARRY_OVER))) == []
    (bench.state.layout.generation("web", 1).venv / "a.log").touch()
    assert flushed(bench, lambda: run.perform(step(StepKind.CARRY_OVER))) == [f"+{TWO}"]
