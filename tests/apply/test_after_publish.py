"""After the publication: hooks and the health check end the trial, or the previous generation is published again."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.environment import EnvironmentRun
from reconciler.errors import (
    ApplyError,
    HealthError,
    HookChangedError,
    HookError,
    InterruptedByUserError,
    RolledBackError,
)
from reconciler.manifest.desired import Health, Hooks
from reconciler.plan.model import StepKind
from reconciler.state.trial import MOST_RUNS, Trial, read_trial, write_trial
from tests.apply.bench import Bench, performed, step
from tests.apply.bench import bench as bench

TO_PUBLISH = (StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.PUBLISH, StepKind.RECORD)
ALL = (*TO_PUBLISH, StepKind.AFTER_PUBLISH, StepKind.TRIAL)
FAILS = ("false",)


def health(*argv: str, otherwise: Any = "rollback") -> Health:
    return Health(argv=argv, seconds=0.0, timeout=30.0, otherwise=otherwise)


def published(bench: Bench) -> int:
    return bench.state.layout.published_number("web")


def run_of(bench: Bench, *steps: StepKind, **settings: Any) -> EnvironmentRun:
    """Return a run that has published a second generation."""
    bench.applied()
    run = bench.run(*(steps or ALL), **settings)
    performed(run, *TO_PUBLISH)
    return run


def test_a_trial_that_succeeds_ends(bench: Bench, tmp_path: Path) -> None:
    run = run_of(bench, health=health("true"), hooks=Hooks(after_publish=(("touch", str(tmp_path / "hook")),)))
    assert run.perform(step(StepKind.AFTER_PUBLISH)) == ""
    assert (tmp_path / "hook").exists()
    assert read_trial(run.new.trial) is not None
    assert run.perform(step(StepKind.TRIAL)).startswith("health check passed")
    assert read_trial(run.new.trial) is None
    assert (published(bench), run.rolled_back_to) == (2, 0)


def test_without_a_health_check_the_trial_ends_with_the_hooks(bench: Bench) -> None:
    run = run_of(bench)
    run.perform(step(StepKind.AFTER_PUBLISH))
    assert run.perform(step(StepKind.TRIAL)) == ""
    assert read_trial(run.new.trial) is None


def test_a_failed_health_check_publishes_the_previous_generation_again(bench: Bench) -> None:
    run = run_of(bench, health=health(*FAILS))
    run.perform(step(StepKind.AFTER_PUBLISH))
    with pytest.raises(RolledBackError) as caught:
        run.perform(step(StepKind.TRIAL))
    assert caught.value.message.endswith("; generation 1 is published again, generation 2 is kept")
    assert caught.value.hint == "fix the cause, then run `envsync apply web` to try again"
    assert (published(bench), run.rolled_back_to, run.published) == (1, 1, True)
    assert run.new.failed.exists()
    applied = bench.state.applied("web")
    assert applied is not None
    assert (applied.generation, applied.rolled_back_from, applied.hooks_pending) == (1, 2, False)


def test_a_failed_health_check_may_leave_the_generation(bench: Bench) -> None:
    run = run_of(bench, health=health(*FAILS, otherwise="keep"))
    run.perform(step(StepKind.AFTER_PUBLISH))
    with pytest.raises(HealthError):
        run.perform(step(StepKind.TRIAL))
    assert (published(bench), run.rolled_back_to) == (2, 0)


@pytest.mark.parametrize(("on_failure", "number"), [("rollback", 1), ("keep", 2)])
def test_a_failed_hook_publishes_the_previous_generation_again_on_request(
    bench: Bench, on_failure: Any, number: int
) -> None:
    run = run_of(bench, hooks=Hooks(after_publish=(FAILS,)), on_failure=on_failure)
    with pytest.raises(RolledBackError if number == 1 else HookError) as caught:
        run.perform(step(StepKind.AFTER_PUBLISH))
    assert published(bench) == number
    assert "not rolled back" not in getattr(caught.value, "message", "")


def test_the_first_generation_has_none_to_return_to(bench: Bench) -> None:
    run = bench.run(*ALL, hooks=Hooks(after_publish=(FAILS,)), on_failure="rollback")
    performed(run, *TO_PUBLISH)
    with pytest.raises(HookError) as caught:
        run.perform(step(StepKind.AFTER_PUBLISH))
    assert "(not rolled back: " in caught.value.message
    assert published(bench) == 1


def test_a_generation_that_is_not_on_trial_is_not_rolled_back(bench: Bench) -> None:
    run = run_of(bench, *TO_PUBLISH, hooks=Hooks(after_publish=(FAILS,)), on_failure="rollback")
    with pytest.raises(HookError):
        run.perform(step(StepKind.AFTER_PUBLISH))
    assert published(bench) == 2


def test_a_signal_is_not_a_failure(bench: Bench) -> None:
    run = run_of(bench, health=health(*FAILS))
    run.perform(step(StepKind.AFTER_PUBLISH))
    run.context.stop.set()
    with pytest.raises((InterruptedByUserError, HealthError)) as caught:
        run.perform(step(StepKind.TRIAL))
    assert published(bench) == 2
    assert read_trial(run.new.trial) is not None
    if isinstance(caught.value, InterruptedByUserError):
        assert caught.value.hint == "run `envsync apply web` to finish the trial of the published generation"


def test_a_hook_that_changes_the_environment_is_an_error_after_the_trial(bench: Bench) -> None:
    path = bench.state.layout.environment("web") / "added"
    hooks = Hooks(after_publish=(("touch", str(path)),))
    run = run_of(bench, hooks=hooks, health=health("true"))
    run.perform(step(StepKind.AFTER_PUBLISH))
    with pytest.raises(HookChangedError, match="a hook changed the environment"):
        run.perform(step(StepKind.TRIAL))
    assert read_trial(run.new.trial) is None
    applied = bench.state.applied("web")
    assert applied is not None
    assert applied.hook_paths == {"added"}
    plain = bench.run(*TO_PUBLISH, StepKind.AFTER_PUBLISH, hooks=hooks)
    performed(plain, *TO_PUBLISH)
    with pytest.raises(HookChangedError) as caught:
        plain.perform(step(StepKind.AFTER_PUBLISH))
    assert "`ignore_files`" in (caught.value.hint or "")


def test_a_trial_that_no_run_finished_is_over(bench: Bench) -> None:
    run = run_of(bench, health=health("true"))
    trial = read_trial(run.new.trial)
    assert trial is not None
    later = bench.run(StepKind.AFTER_PUBLISH, StepKind.TRIAL, health=health("true"))
    later.begin()
    later.perform(step(StepKind.AFTER_PUBLISH))
    counted = read_trial(run.new.trial)
    assert counted is not None
    assert (trial.runs, counted.runs) == (1, 2)
    write_trial(run.new.trial, Trial(since=trial.since, runs=MOST_RUNS, previous=trial.previous))
    last = bench.run(StepKind.AFTER_PUBLISH, StepKind.TRIAL, health=health("true"))
    last.begin()
    with pytest.raises(RolledBackError):
        last.perform(step(StepKind.AFTER_PUBLISH))
    assert (published(bench), last.rolled_back_to) == (1, 1)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (
            lambda bench: (bench.state.layout.generation("web", 1).venv / "added").touch(),
            "differs from its seal: `added`",
        ),
        (lambda bench: bench.state.layout.generation("web", 1).drifted.touch(), "was replaced because it had drifted"),
        (lambda bench: shutil.rmtree(bench.state.layout.generation("web", 1).directory), "no longer exists"),
        (lambda bench: bench.state.layout.generation("web", 1).seal.write_text("x"), "cannot be read: "),
    ],
)
def test_a_previous_generation_that_is_not_sound_is_not_published(bench: Bench, spoil: Any, why: str) -> None:
    run = run_of(bench, health=health(*FAILS))
    spoil(bench)
    run.perform(step(StepKind.AFTER_PUBLISH))
    with pytest.raises(HealthError) as caught:
        run.perform(step(StepKind.TRIAL))
    assert f"(not rolled back: the previous generation 1 {why}" in caught.value.message
    assert published(bench) == 2
    assert not run.new.failed.exists()


def test_a_trial_on_top_of_a_trial_returns_to_what_preceded_both(bench: Bench) -> None:
    run_of(bench)
    run = bench.run(*ALL, health=health(*FAILS))
    performed(run, *TO_PUBLISH)
    trial = read_trial(run.new.trial)
    assert trial is not None
    assert trial.previous is not None
    assert (trial.previous.generation, trial.previous.trial_since, trial.since.microsecond) == (1, "", 0)


def test_a_generation_that_failed_before_is_not_checked_again(bench: Bench) -> None:
    run = run_of(bench, health=health("true"))
    run.new.failed.write_text("the check failed")
    later = bench.run(StepKind.AFTER_PUBLISH, StepKind.TRIAL, health=health("true"))
    later.begin()
    with pytest.raises(RolledBackError) as caught:
        later.perform(step(StepKind.AFTER_PUBLISH))
    assert caught.value.message.startswith("the check failed; generation 1 is published again")


def test_a_rollback_that_fails_says_which_generation_is_published(bench: Bench) -> None:
    run = run_of(bench, health=health("sh", "-c", "echo refused >&2; exit 7"))
    run.perform(step(StepKind.AFTER_PUBLISH))
    link = bench.state.layout.envsync_directory / "publish.web"
    link.mkdir()  # a directory in the place of the link that is made before it is renamed
    with pytest.raises(ApplyError) as caught:
        run.perform(step(StepKind.TRIAL))
    failed = "health check `sh ****` failed with exit code 7 (1 attempt in 0 seconds)"
    what = f"{failed}; the rollback failed, and generation 2 is published"
    assert caught.value.message.startswith(f"{what}: {link}: ")
    assert (caught.value.hint, caught.value.details) == ("fix the cause, then run `envsync apply web`", ("refused",))
    assert (published(bench), run.rolled_back_to) == (2, 0)


def test_a_hook_of_the_previous_generation_that_fails_is_added_and_due_again(bench: Bench, tmp_path: Path) -> None:
    hooks = Hooks(after_publish=(("test", "!", "-e", str(tmp_path / "fails")),))
    first = bench.run(*TO_PUBLISH, StepKind.AFTER_PUBLISH, hooks=hooks)
    performed(first, *TO_PUBLISH, StepKind.AFTER_PUBLISH)
    run = bench.run(*ALL, health=health(*FAILS), hooks=hooks)
    performed(run, *TO_PUBLISH, StepKind.AFTER_PUBLISH)
    (tmp_path / "fails").touch()
    with pytest.raises(RolledBackError) as caught:
        run.perform(step(StepKind.TRIAL))
    kept = "generation 1 is published again, generation 2 is kept"
    assert caught.value.message.endswith(f"; {kept}; then its own hook `test ****` failed with exit code 1")
    applied = bench.state.applied("web")
    assert applied is not None
    assert (applied.generation, applied.hooks_pending, applied.rolled_back_because) == (
        1,
        True,
        "health check `false` failed with exit code 1 (1 attempt in 0 seconds)",
    )
    assert run.new.failed.read_text() == f"{applied.rolled_back_because}\n"
    assert read_trial(run.new.trial) is None
