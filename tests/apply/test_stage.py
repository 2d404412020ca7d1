"""What is staged, what is published of it later, and which staged generations lose their mark after an apply."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply.stage import discard_unneeded, stage, verify_staged
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.errors import ApplyError
from reconciler.events import EnvironmentFinished, Status
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.observe.actual import Depth
from reconciler.plan.model import Plan, PlanRequest, Policy, StepKind
from reconciler.plan.staging import staged_identity
from reconciler.state.inventory_file import load_inventory
from reconciler.state.owner import ManifestIdentity
from reconciler.state.staged import Staged, StagedNote, staged_generation, write_staged
from reconciler.state.store import State
from tests.apply.bench import PYTHON, Bench, performed
from tests.apply.bench import bench as bench
from tests.state.records import applied, publish, sealed

NOTE = StagedNote(desired="", prior="", action="", reasons=(), drifted=False, staged=dt.datetime.now(dt.UTC))
OWNER = "../envs.yaml"
BUILT = (StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL)
STAGED = ("done", "same", "failed", "gone", "theirs", "moved", "live")


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Return a root with staged generations: of this manifest, another project, another manifest, a published one."""
    state = State.at(tmp_path)
    for name in STAGED:
        project = "other" if name == "theirs" else "acme"
        manifest = "../elsewhere.yaml" if name == "moved" else OWNER
        for number in (1, 2):
            sealed(state.layout, applied(name, number, project=project, manifest=manifest))
        write_staged(state.layout, name, 2, NOTE)
    publish(state.layout, "live", 1)
    return state


def left(state: State, policy: Policy, *, selected: bool = False) -> set[str]:
    """Return the names whose generation is still staged after an apply."""
    desired = DesiredState(
        project="acme",
        file=Path("envs.yaml"),
        root=state.layout.root,
        locks=Path("locks"),
        digest="",
        environments=tuple(DesiredEnvironment(name=name, python="3.11") for name in ("done", "same", "failed")),
        declared=frozenset({"done", "same", "failed"}),
        selected=selected,
    )
    plan = Plan(
        project="acme",
        root="",
        manifest="",
        locks={},
        depth=Depth.FILES,
        environments=(),
        asked=PlanRequest(policy=policy),
    )
    statuses = {"done": Status.APPLIED, "same": Status.UNCHANGED, "failed": Status.FAILED}
    finished = tuple(
        EnvironmentFinished(environment=name, status=status, action="update") for name, status in statuses.items()
    )
    discard_unneeded(plan, desired, finished, state, OWNER)
    return {name for name in STAGED if state.layout.generation(name, 2).staged.exists()}


def test_what_was_applied_or_is_no_longer_declared_is_not_staged_any_more(state: State) -> None:
    assert left(state, Policy()) == {"failed", "theirs", "moved", "live"}


def test_with_selected_environments_others_stay_staged(state: State) -> None:
    assert left(state, Policy(), selected=True) == {"failed", "gone", "theirs", "moved", "live"}


@pytest.mark.parametrize(
    "policy", [Policy(stage=True), Policy(publish=frozenset({"web"})), Policy(destroy=frozenset({"web"}))]
)
def test_an_apply_that_stages_publishes_or_destroys_discards_nothing(state: State, policy: Policy) -> None:
    assert left(state, policy) == set(STAGED)
    assert left(state, replace(policy, stage=False, publish=frozenset(), destroy=frozenset())) != set(STAGED)


def test_a_staged_generation_says_what_it_was_staged_for(bench: Bench) -> None:
    reasons = (
        Reason(code=ReasonCode.LOCK_CHANGED, origin=Origin.PENDING, message="the lock changed"),
        Reason(code=ReasonCode.FILES_DRIFTED, origin=Origin.DRIFT, message="a file was edited"),
    )
    bench.applied()
    run = bench.run(*BUILT, StepKind.STAGE, plan={"reasons": reasons, "prior": "sha256:prior"})
    performed(run, *BUILT, StepKind.STAGE)
    found = staged_generation(bench.state, "web")
    assert found is not None
    assert found == Staged(
        generation=2,
        note=StagedNote(
            desired=staged_identity(run._target, "acme"),
            prior="sha256:prior",
            action="update",
            reasons=(
                ("lock-changed", "pending", "the lock changed"),
                ("files-drifted", "drift", "a file was edited"),
            ),
            drifted=True,
            staged=found.note.staged,
        ),
        applied=found.applied,
    )
    assert (found.note.staged.microsecond, found.note.staged.tzinfo) == (0, dt.UTC)
    assert found.applied.generation == 2
    with pytest.raises(ApplyError, match="web: the plan has no target to stage"):
        stage(replace(run.plan, target=None), run.new, run.context, drifted=False)


@pytest.mark.parametrize("hooks", [False, True])
def test_a_staged_generation_that_equals_its_seal_takes_the_place_of_a_build(hooks: bool, bench: Bench) -> None:
    bench.applied()
    run = bench.run(*BUILT, StepKind.STAGE, ignore_files=("*.log",), env={"A": "b"})
    performed(run, *BUILT, StepKind.STAGE)
    plan = replace(run.plan, staged=2)
    context = replace(run.context, owner=ManifestIdentity(path="../other.yaml", repository="https://git.example/other"))
    found = verify_staged(plan, context, hooks=hooks)
    staged = staged_generation(bench.state, "web")
    assert staged is not None
    assert found.generation == run.new
    assert found.applied == replace(
        staged.applied, manifest="../other.yaml", repository="https://git.example/other", hooks_pending=hooks
    )
    assert found.inventory.digest == load_inventory(run.new.inventory).digest
    environment = DesiredEnvironment(name="web", python=PYTHON.version, ignore_files=("*.log",))
    assert found.target.environment == environment
    assert found.target.packages == staged.applied.packages
    assert found.drifted is False


def test_a_staged_generation_that_was_changed_is_refused_and_not_staged_any_more(bench: Bench) -> None:
    bench.applied()
    run = bench.run(*BUILT, StepKind.STAGE)
    performed(run, *BUILT, StepKind.STAGE)
    with pytest.raises(ApplyError) as caught:
        verify_staged(replace(run.plan, staged=1), run.context, hooks=False)
    again = "run `envsync apply web`"
    assert (caught.value.message, caught.value.hint) == ("generation 1 of `web` is no longer staged", again)
    run.new.directory.chmod(0o700)  # a publish opens it
    assert verify_staged(replace(run.plan, staged=2), run.context, hooks=False)
    (run.new.venv / "added").touch()
    with pytest.raises(ApplyError) as caught:
        verify_staged(replace(run.plan, staged=2), run.context, hooks=False)
    message = "the staged generation 2 of `web` differs from its seal: `added`: "
    assert caught.value.message.startswith(message)
    assert caught.value.hint == f"{again} to build a new one"
    assert not run.new.staged.exists()
