"""What a workspace does with its options: real locks, plans and an apply of environments without packages, offline."""

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import reconciler
from reconciler import ApplyOptions, PlanOptions, Selection, Workspace
from reconciler.apply.perform import perform
from reconciler.engines.deadlines import Deadlines
from reconciler.engines.factory import make_engine
from reconciler.errors import LockError, PlanFileError, PlatformError, UsageError
from reconciler.events import Event
from reconciler.fastpath.record import record_apply_outcome
from reconciler.lock.model import LockState
from reconciler.observe.actual import Depth, Occupant
from reconciler.plan.model import Action, Policy
from reconciler.plan.plan_file import read_plan, save_plan
from reconciler.processes.available_cores import available_cores
from tests.host import base_environment
from tests.observed_calls import observed_calls

SERIES = f"{sys.version_info.major}.{sys.version_info.minor}"
HEAD = "version: 1\nproject: acme\nroot: envs\nindexes: [{name: local, url: http://127.0.0.1:9/}]\n"
WEB = f'web: {{python: "{SERIES}", labels: {{team: a}}}}\n'
API = f'api: {{python: "{SERIES}", labels: {{team: b}}}}\n'
TWO = f"environments:\n  {WEB}  {API}"
Loader = Callable[..., Workspace]


@pytest.fixture
def load(tmp_path: Path) -> Loader:
    """Return a function that writes a manifest, and loads it with few environment variables."""

    def loaded(text: str = TWO, *, deadlines: Deadlines | None = None) -> Workspace:
        file = tmp_path / "envs.yaml"
        file.write_text(HEAD + text, encoding="utf-8")
        return reconciler.load(file, ambient=base_environment(), deadlines=deadlines)

    return loaded


def test_locks_are_made_once_checked_and_made_again_on_request(load: Loader) -> None:
    workspace = load()
    locks = workspace.desired().locks
    assert [each.before for each in workspace.lock(check=True, offline=True)] == [LockState.MISSING] * 2
    assert not locks.exists(), "a check writes nothing"
    with pytest.raises(LockError) as caught:
        workspace.plan(options=PlanOptions(locked=True))
    assert caught.value.hint == "run `envsync lock api web` and commit the result"
    [web] = workspace.lock(Selection(names=("web",)), offline=True)
    assert (web.environment, web.before, web.changed) == ("web", LockState.MISSING, True)
    assert [each.name for each in locks.iterdir()] == ["pylock.web.toml"]
    assert [(each.environment, each.changed) for each in workspace.lock(offline=True)] == [
        ("api", True),
        ("web", False),
    ]
    text = (locks / "pylock.web.toml").read_text(encoding="utf-8")
    (locks / "pylock.web.toml").write_text(f"# a comment\n{text}", encoding="utf-8")
    assert [each.changed for each in workspace.lock(offline=True)] == [False, False]
    assert [each.changed for each in workspace.lock(offline=True, upgrade=True)] == [False, True]
    with pytest.raises(UsageError, match="`six`"):
        workspace.lock(offline=True, upgrade=("six",))
    assert workspace.plan(options=PlanOptions(locked=True)).plan.complete


def test_a_plan_has_what_was_asked_and_only_what_was_selected(load: Loader) -> None:
    workspace = load()
    workspace.lock(offline=True)
    chosen = Selection(labels={"team": "b"})
    made = workspace.plan(chosen, PlanOptions(resolve=False, depth=Depth.HASHES, policy=Policy(skip_hooks=True)))
    assert [(each.name, each.action) for each in made.plan.environments] == [("api", Action.CREATE)]
    assert (made.plan.asked.labels, made.plan.asked.policy) == ((("team", "b"),), Policy(skip_hooks=True))
    assert (made.plan.depth, made.installed) == (Depth.HASHES, {})
    assert [each.name for each in workspace.plan().plan.environments] == ["api", "web"]
    with pytest.raises(UsageError, match="`--except nope:six` names an unknown environment"):
        workspace.plan(options=PlanOptions(exceptions=(("nope", "six"),)))
    assert workspace.desired(Selection(names=("web",))).environments[0].name == "web"


def test_a_lock_that_is_missing_is_resolved_only_if_that_is_allowed(load: Loader) -> None:
    workspace = load()
    offline = PlanOptions(offline=True)
    assert workspace.plan(options=offline).plan.complete
    unresolved = workspace.plan(options=replace(offline, resolve=False)).plan
    assert not unresolved.complete
    assert [each.hints for each in unresolved.environments] == [
        ("run `envsync lock api`",),
        ("run `envsync lock web`",),
    ]


def test_the_engine_gets_the_cache_of_the_root_the_indexes_and_the_time_limits(load: Loader) -> None:
    limits = Deadlines.within(7)
    workspace = load(deadlines=limits)
    layout = workspace.state.layout
    with observed_calls(make_engine) as engines:
        workspace.lock(offline=True)
        assert layout.engine_cache.is_dir(), "what writes makes the cache"
        workspace.plan()
        with workspace.hold():
            workspace.plan()
        workspace.collect_caches()
        load(f"cache: user\n{TWO}").plan()
    made = {"ambient": workspace.ambient, "cache": layout.engine_cache, "index_names": ("local",), "deadlines": limits}
    *of_the_root, of_the_user = [arguments for _, arguments in engines]
    assert [{name: each[name] for name in made} for each in of_the_root] == [made] * 4
    descriptors = [each.get("inherited_descriptor") for each in of_the_root]
    assert descriptors[:2] == [None, None]
    assert all(isinstance(each, int) for each in descriptors[2:])
    assert of_the_user.get("cache") is None


def test_without_a_root_a_plan_uses_a_cache_that_does_not_stay(load: Loader) -> None:
    workspace = load()
    with observed_calls(make_engine) as engines:
        workspace.plan(options=PlanOptions(resolve=False))
    ((_, engine),) = engines
    assert not workspace.declared.root.exists()
    assert not engine["cache"].exists()
    assert not engine["cache"].is_relative_to(workspace.declared.root)


def test_an_optional_environment_without_an_interpreter_is_skipped_and_named(load: Loader) -> None:
    workspace = load(
        f'environments:\n  test: {{matrix: {{python: ["{SERIES}", "3.99"], if_available: true}}}}\n  {WEB}'
    )
    outcomes = workspace.lock(offline=True)
    name = f"test-py{SERIES.replace('.', '')}"
    note = "`test-py399` was skipped: no python 3.99 on this machine (`if_available`)"
    assert [(each.environment, each.note) for each in outcomes] == [(name, ""), ("test-py399", note), ("web", "")]
    plan = workspace.plan().plan
    assert [each.name for each in plan.environments] == [name, "web"]
    assert plan.notes == (note,)


def test_an_apply_reports_every_event_and_stops_on_request(load: Loader) -> None:
    workspace = load(f"environments:\n  {WEB}")
    stop = threading.Event()
    stop.set()
    proposal = workspace.plan(options=PlanOptions(build=True, offline=True))
    events: list[Event] = []
    with observed_calls(perform) as performed:
        stopped = proposal.apply(ApplyOptions(offline=True), stop=stop)
        done = proposal.apply(on_event=events.append)
        again = workspace.plan()
        again.apply_held(recheck=False)
    requests = [arguments["request"] for _, arguments in performed]
    assert (stopped.interrupted, requests[0].stop, requests[0].recheck) == (True, stop, True)
    assert (done.exit_code, events[-1]) == (0, done)
    assert [(each.generation, each.staged) for each in done.environments] == [(1, 0)]
    assert requests[1].options == ApplyOptions(parallelism=available_cores())
    assert not requests[1].stop.is_set()
    assert (again.plan.has_difference, again.installed) == (False, {"web": 0})
    assert (requests[2].recheck, requests[2].inodes) == (False, again.inodes)
    assert workspace.observe_environment("web").occupant is Occupant.PUBLISHED
    assert workspace.observe_environment("nope").occupant is Occupant.ABSENT
    planned = workspace.plan_snapshot(workspace.observe(), Selection(names=("web",)))
    assert (planned.has_difference, planned.asked.names) == (False, ("web",))
    assert [each.environment for each in workspace.lock(check=True)] == ["web"]


def test_a_saved_plan_of_chosen_environments_is_made_again_for_the_same_ones(load: Loader, tmp_path: Path) -> None:
    workspace = load()
    workspace.lock(offline=True)
    for number, chosen in enumerate((Selection(labels={"team": "b"}), Selection(names=("api",)))):
        file = tmp_path / f"plan-{number}.json"
        save_plan(workspace.plan(chosen).plan, file)
        with workspace.approved(read_plan(file), offline=True) as proposal:
            assert [each.name for each in proposal.plan.environments] == ["api"]


def test_a_saved_plan_whose_lock_is_gone_is_refused_with_the_hint_about_the_lock(load: Loader, tmp_path: Path) -> None:
    workspace = load(f"environments:\n  {WEB}")
    workspace.lock(offline=True)
    save_plan(workspace.plan().plan, tmp_path / "plan.json")
    saved = read_plan(tmp_path / "plan.json")
    with workspace.approved(saved, offline=True) as proposal:
        assert (proposal.plan.id, proposal.options.locked, proposal.options.offline) == (saved.plan.id, True, True)
    (workspace.desired().locks / "pylock.web.toml").unlink()
    with pytest.raises(PlanFileError, match="the plan cannot be applied: ") as caught, workspace.approved(saved):
        pass
    assert caught.value.hint == "run `envsync lock web` and commit the result"


def test_a_staged_generation_is_named_where_it_was_staged(load: Loader) -> None:
    workspace = load(f"environments:\n  {WEB}")
    done = workspace.plan(options=PlanOptions(build=True, offline=True, policy=Policy(stage=True))).apply()
    assert [(each.generation, each.staged) for each in done.environments] == [(0, 1)]
    assert workspace.staged().keys() == {"web"}


def test_nothing_is_staged_at_first(load: Loader) -> None:
    workspace = load()
    assert (workspace.staged(), workspace.unreadable_staged()) == ({}, ())
    with pytest.raises(UsageError, match="nothing is staged for `web`"):
        workspace.staged(Selection(names=("web",)))


def test_the_variables_are_those_of_the_process_unless_others_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "envs.yaml"
    file.write_text(HEAD + "environments: {}\n", encoding="utf-8")
    assert reconciler.load(file).ambient == dict(os.environ)
    assert reconciler.load(file, ambient={"A": "1"}).ambient == {"A": "1"}
    assert reconciler.load(file).deadlines == Deadlines()
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(PlatformError, match="not on win32"):
        reconciler.load(file)


def test_only_a_plan_of_the_whole_manifest_as_it_is_lets_the_next_check_be_quick(load: Loader) -> None:
    workspace = load(f"environments:\n  {WEB}")
    plain = PlanOptions(build=True, offline=True)
    for options, recorded in (
        (replace(plain, policy=Policy(stage=True)), 0),
        (replace(plain, policy=Policy(publish=frozenset({"web"}))), 0),
        (replace(plain, exceptions=(("web", "six"),)), 0),
        (plain, 1),
    ):
        proposal = workspace.plan(options=options)
        with observed_calls(record_apply_outcome) as calls:
            assert proposal.apply().exit_code == 0
        assert len(calls) == recorded, options
