"""Properties of every plan: order of inputs does not matter; equal states and a finished apply give an empty plan."""

import random
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.canonical_json import canonical_text
from reconciler.diff.masking import NO_KEY
from reconciler.diff.model import Origin, PackageAction, ReasonCode
from reconciler.diff.settings import setting_changes, settings_of
from reconciler.lock.model import LockState
from reconciler.observe.actual import ActualEnvironment, Occupant
from reconciler.plan.model import Action, EnvironmentPlan, StepKind
from reconciler.state.applied import Applied, AppliedInterpreter
from tests.plan.build import World, installed, seal, world

ENVIRONMENTS = ("a", "b", "c", "d")
PACKAGES = ("django", "orjson", "pip", "six")
VERSIONS = ("1.0", "1.1", "2.0", "not a version")

packages = st.dictionaries(st.sampled_from(PACKAGES), st.sampled_from(VERSIONS), max_size=4)
findings = st.lists(
    st.fixed_dictionaries(
        {
            "code": st.sampled_from(["file-changed", "file-added", "missing-record", "wrong-home", "unreadable"]),
            "path": st.sampled_from(["x.py", "y.py"]),
            "package": st.sampled_from(["", *PACKAGES]),
        }
    ),
    max_size=3,
    unique_by=lambda each: canonical_text(each),
)
entry = st.fixed_dictionaries(
    {"packages": packages},
    optional={
        "python": st.sampled_from(["3.12.1", "3.13.0"]),
        "request": st.sampled_from([">=3.11", ">=3.12"]),
        "lock": st.sampled_from(["fresh", "stale", "missing"]),
        "env": st.dictionaries(st.sampled_from(["A", "__B"]), st.sampled_from(["0", "1"])),
        "ignore": st.lists(st.sampled_from(["pip", "s*"]), max_size=2),
        "prevent_destroy": st.booleans(),
        "system_site_packages": st.booleans(),
        "depends_on": st.lists(st.sampled_from(ENVIRONMENTS), max_size=2, unique=True),
        "probes": st.just(["dependencies"]),
        "hooks": st.just({"after_publish": [["reload"]], "before_delete": [["stop"]]}),
    },
)
last = entry.flatmap(
    lambda each: st.fixed_dictionaries(
        {
            **{key: st.just(value) for key, value in each.items() if key != "lock"},
            "project": st.sampled_from(["acme", "acme", "acme", "globex"]),
            "generation": st.sampled_from([0, 1, 2, 3]),
            "hooks_pending": st.booleans(),
            "hook_paths": st.lists(st.sampled_from(["x.py", "y.py"]), max_size=1),
            "hook_packages": st.lists(st.sampled_from(PACKAGES), max_size=1),
        }
    )
)
present: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"packages": packages, "findings": findings}),
    st.fixed_dictionaries({"occupant": st.sampled_from(list(Occupant)), "packages": packages}),
)
policies = st.fixed_dictionaries(
    {},
    optional={
        "prune": st.booleans(),
        "adopt": st.booleans(),
        "allow_empty": st.booleans(),
        "skip_hooks": st.booleans(),
        "drop_ignored": st.booleans(),
        "destroy": st.lists(st.sampled_from(ENVIRONMENTS[:1]), max_size=1),
    },
)


def coherent(case: dict[str, Any]) -> dict[str, Any]:
    """Remove what cannot be observed: packages without a venv, and `destroy` of a name that was not observed."""
    for each in case["actual"].values():
        if each.get("occupant") not in {None, Occupant.PUBLISHED, Occupant.VENV}:
            each["packages"] = {}
    known = {*case["manifest"], *case["applied"], *case["actual"]}
    case["policy"]["destroy"] = [name for name in case["policy"].get("destroy", []) if name in known]
    return case


cases = st.fixed_dictionaries(
    {
        "manifest": st.dictionaries(st.sampled_from(ENVIRONMENTS), entry, max_size=4),
        "applied": st.dictionaries(st.sampled_from(ENVIRONMENTS), last, max_size=4),
        "actual": st.dictionaries(st.sampled_from(ENVIRONMENTS), present, max_size=4),
        "policy": policies,
        "selected": st.booleans(),
    }
).map(coherent)


def shuffled(value: Any, dice: random.Random) -> Any:
    """Return the same mappings, and lists whose order does not matter, in a different order."""
    if isinstance(value, dict):
        items = [(key, shuffled(item, dice)) for key, item in value.items()]
        dice.shuffle(items)
        return dict(items)
    return sorted(value, key=lambda _: dice.random()) if isinstance(value, list) and value != [["stop"]] else value


@given(case=cases, seed=st.integers())
def test_plan_does_not_depend_on_the_order_of_its_inputs(case: dict[str, Any], seed: int) -> None:
    first = world(case)
    dice = random.Random(seed)  # noqa: S311
    moved = {**case, "actual": shuffled(case["actual"], dice)}
    moved = {key: shuffled(each, dice) if key in {"manifest", "applied"} else each for key, each in moved.items()}
    ordered = ("depends_on", "ignore", "probes")  # lists whose order is part of the setting
    for side in ("manifest", "applied"):
        for name, each in moved[side].items():
            each.update({key: case[side][name][key] for key in ordered if key in each})
    second = world(moved)
    one, two = first.plan(), replace(second, desired=replace(second.desired, digest=first.desired.digest)).plan()
    assert canonical_text(one.environments) == canonical_text(two.environments)
    assert one.id == two.id


@given(manifest=st.dictionaries(st.sampled_from(ENVIRONMENTS), entry, max_size=4))
def test_the_plan_is_empty_if_all_three_states_agree(manifest: dict[str, Any]) -> None:
    sides = {name: {key: item for key, item in each.items() if key != "lock"} for name, each in manifest.items()}
    plan = world({"manifest": sides, "applied": sides}).plan()
    assert not plan.has_difference
    assert not plan.applyable
    assert all(each.action is Action.NO_OP and not each.steps and not each.findings for each in plan.environments)


@given(case=cases)
def test_planning_again_after_the_apply_finds_only_what_was_blocked(case: dict[str, Any]) -> None:
    before = world(case)
    plan = before.plan()
    after = applied(before)
    again = after.plan()
    assert {each.name for each in again.changes} == {each.name for each in plan.environments if each.blocked}


@given(case=cases)
def test_every_change_has_a_reason_and_its_steps_in_an_order_that_ends(case: dict[str, Any]) -> None:
    plan = world(case).plan()
    steps = {step.id: step for each in plan.environments for step in each.steps}
    done: set[str] = set()
    while len(done) < len(steps):
        ready = {name for name, step in steps.items() if name not in done and done.issuperset(step.after)}
        assert ready, "steps wait for each other"
        done |= ready
    for each in plan.environments:
        assert bool(each.reasons) == (each.action is not Action.NO_OP)
        assert bool(each.steps) == (each.action is not Action.NO_OP and not each.blocked)
        kinds = [step.kind for step in each.steps]
        if StepKind.BUILD in kinds:
            assert kinds.index(StepKind.SYNC) < kinds.index(StepKind.RECORD)
        if each.action is Action.DELETE:
            assert StepKind.BUILD not in kinds
        for change in each.packages:
            assert (change.drift_reason is None) is (change.origin is Origin.PENDING)
            assert (change.drift_reason is change.reason) is (change.origin is Origin.DRIFT)


Versions = st.sampled_from([None, "1.0", "2.0", "3.0"])


@given(sides=st.dictionaries(st.sampled_from(PACKAGES), st.tuples(Versions, Versions, Versions), max_size=4))
def test_each_package_follows_the_table_of_the_three_way_comparison(
    sides: dict[str, tuple[str | None, str | None, str | None]],
) -> None:
    wanted, had, found = ({name: str(each[side]) for name, each in sides.items() if each[side]} for side in (0, 1, 2))
    case = {
        "manifest": {"web": {"packages": wanted}},
        "applied": {"web": {"packages": had}},
        "actual": {"web": {"packages": found}},
    }
    plan = world(case).plan().environments[0]
    expected = {name: answer for name, each in sides.items() if (answer := table(*each))}
    assert {each.name: (each.origin, each.action) for each in plan.packages} == expected
    already = {each.name for each in plan.packages if each.reason is ReasonCode.ALREADY_AS_DESIRED}
    assert already == {name for name, (want, have, actual) in sides.items() if want == actual != have}


def table(want: str | None, have: str | None, actual: str | None) -> tuple[Origin, PackageAction] | None:
    """Return what docs/design.md, "Plan" says about one package, row by row."""
    if want == have == actual:
        return None
    if actual == have:
        origin = Origin.PENDING
    elif want in (have, actual):
        origin = Origin.DRIFT
    else:
        origin = Origin.BOTH
    if want is None:
        return origin, PackageAction.REMOVE
    if actual is None:
        return origin, PackageAction.INSTALL
    if want == actual:
        return origin, PackageAction.REPAIR
    return origin, PackageAction.UPGRADE if want > actual else PackageAction.DOWNGRADE


plain = st.recursive(  # without 0 and 1, which equal False and True: no setting changes between the two types
    st.none() | st.booleans() | st.integers(2, 5) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "__b", "c.d['e']"]), inner),
)
settings_like = st.dictionaries(st.sampled_from(["env", "labels", "__x"]), plain)


@given(before=settings_like, after=settings_like)
def test_settings_differ_exactly_if_a_change_is_listed(before: dict[str, Any], after: dict[str, Any]) -> None:
    changes = setting_changes(before, after, mask=NO_KEY)
    assert bool(changes) == (before != after)
    assert {each.path[0] for each in changes} == {
        key for key in before.keys() | after.keys() if before.get(key, ...) != after.get(key, ...)
    } or before == after


def applied(before: World) -> World:
    """Return the world after an apply in which all unblocked changes succeeded."""
    records = dict(before.applied)
    present = dict(before.actual.environments)
    targets = dict(before.targets)
    specs = {each.name: each for each in before.plan().environments}
    for name, plan in specs.items():
        if plan.blocked or not plan.steps:
            continue
        if plan.action is Action.DELETE:
            records.pop(name)
            present[name] = replace(
                present[name], occupant=Occupant.ABSENT, generation=0, distributions=(), findings=()
            )
            continue
        records[name], present[name] = apply_steps(plan, records.get(name), present[name])
        targets[name] = replace(targets[name], lock_state=LockState.FRESH)
    actual = replace(before.actual, environments=present)
    return replace(before, applied=records, actual=actual, targets=targets)


def apply_steps(
    plan: EnvironmentPlan, record: Applied | None, before: ActualEnvironment
) -> tuple[Applied, ActualEnvironment]:
    """Return the record and the observed state of one environment after its steps."""
    target = plan.target
    assert target is not None
    assert target.packages is not None
    kinds = {step.kind for step in plan.steps}
    wanted = settings_of(target.environment)
    protected = target.environment.prevent_destroy
    if StepKind.BUILD not in kinds:
        assert record is not None
        if StepKind.RECORD in kinds:
            record = replace(record, settings=wanted, prevent_destroy=protected)
        pending = record.hooks_pending and kinds.isdisjoint({StepKind.RECORD, StepKind.AFTER_PUBLISH})
        return replace(record, hooks_pending=pending), before
    number = plan.generation + 1
    distributions = tuple(installed(each.name, str(each.version)) for each in target.packages)
    path, version, implementation = target.interpreter.identity
    fresh = Applied(
        name=plan.name,
        project="acme",
        generation=number,
        interpreter=AppliedInterpreter(path=path, version=version, implementation=implementation),
        packages=target.packages,
        installed={each.key: each.identity for each in distributions},
        accepted=frozenset(),
        settings=wanted,
        prevent_destroy=protected,
        seal=seal(plan.name, number),
    )
    built = replace(
        before,
        occupant=Occupant.PUBLISHED,
        generation=number,
        seal=fresh.seal,
        distributions=distributions,
        findings=(),
    )
    return fresh, built
