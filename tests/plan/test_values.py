"""The values of a plan that the cases do not show: paths, digests, numbers, settings."""

from dataclasses import fields, replace
from typing import Any

import pytest

from reconciler.diff.compare import compare
from reconciler.diff.masking import NO_KEY
from reconciler.diff.settings import desired_digest, setting_changes, settings_of
from reconciler.events import Failure
from reconciler.manifest.desired import (
    BuildEnv,
    CommandProbe,
    DependenciesProbe,
    DesiredEnvironment,
    Hooks,
    ImportProbe,
)
from reconciler.observe.actual import ActualEnvironment, Depth, Distribution, Finding, FindingCode, Occupant
from reconciler.plan.make import make_plan
from reconciler.plan.model import Plan, PlanRequest, Policy
from reconciler.plan.prior import prior
from reconciler.plan.topology import topological_order
from tests.plan.build import interpreter, world

CASE: dict[str, Any] = {
    "manifest": {
        "web": {"packages": {"django": "5.2.4", "six": "1.16.0"}, "hint": "look here"},
        "tools": {"packages": {"six": "1.16.0"}},
    },
    "applied": {"web": {"packages": {"django": "5.2.1"}, "generation": 3}, "old": {"packages": {"six": "1.16.0"}}},
}


def test_plan_has_its_paths_digests_and_targets() -> None:
    before = world(CASE)
    plan = before.plan()
    old, tools, web = plan.environments
    assert (plan.project, plan.root, plan.manifest, plan.depth) == ("acme", ".envs", before.desired.digest, Depth.FILES)
    assert [each.path for each in plan.environments] == [".envs/old", ".envs/tools", ".envs/web"]
    assert [each.generation for each in plan.environments] == [1, 0, 3]
    assert [each.package_count for each in plan.environments] == [1, 1, 2]
    assert [each.desired for each in (tools, web)] == [
        desired_digest(before.targets[each.name]) for each in (tools, web)
    ]
    assert old.desired == ""
    assert [each.target for each in plan.environments] == [None, before.targets["tools"], before.targets["web"]]
    observed = before.actual.environments
    assert old.prior == prior(observed["old"], None)
    assert web.prior == prior(observed["web"], before.targets["web"].interpreter)
    assert web.hints == ("look here",)
    locks = {name: each.lock for name, each in before.targets.items()}
    assert plan.locks == {name: lock.digest for name, lock in locks.items() if lock}
    assert [each.name for each in plan.changes] == ["old", "tools", "web"]


def test_plan_id_depends_on_everything_but_the_targets() -> None:
    plan = world(CASE).plan()
    first = plan.environments[0]
    assert plan.id.startswith("sha256:")
    bare = replace(plan, environments=tuple(replace(each, target=None) for each in plan.environments))
    assert bare.id == plan.id
    moved: list[Plan] = [
        replace(plan, **dict[str, Any]({name: "moved"}))
        for name in ("project", "root", "manifest", "platform", "format_version")
    ]
    moved += [
        replace(plan, asked=each) for each in (PlanRequest(names=("web",)), PlanRequest(policy=Policy(adopt=True)))
    ]
    moved += [replace(plan, locks={}), replace(plan, depth=Depth.HASHES), replace(plan, environments=(first,))]
    for name in ("name", "path", "action", "prior", "desired", "python_before", "hints", "generation", "blocked"):
        assert name in {each.name for each in fields(first)}
        moved.append(
            replace(plan, environments=(replace(first, **dict[str, Any]({name: "moved"})), *plan.environments[1:]))
        )
    assert len({plan.id, *(each.id for each in moved)}) == len(moved) + 1


def test_a_plan_for_display_cannot_be_applied() -> None:
    plan = world(CASE).plan()
    assert plan.applyable
    assert not replace(plan, against="main").applyable
    assert not replace(plan, only="drift").applyable


def test_failures_are_those_of_the_environments() -> None:
    plan = world(CASE).plan()
    assert plan.failures == {}
    failure = Failure(code="lock-failed", message="no versions satisfy all requirements", hint="")
    failed = replace(plan.environments[1], failure=failure)
    plan = replace(plan, environments=(plan.environments[0], failed, *plan.environments[2:]))
    assert plan.failures == {failed.name: failure}


def test_an_environment_that_was_not_observed_is_an_error_and_not_a_no_op() -> None:
    before = world(CASE)
    unseen = replace(before.actual, environments={"web": before.actual.environments["web"]})
    with pytest.raises(KeyError):
        compare(before.desired, {}, before.actual, before.applied)
    with pytest.raises(KeyError):
        compare(before.desired, before.targets, unseen, before.applied)
    with pytest.raises(KeyError):
        make_plan(
            before.desired,
            before.diff(),
            before.targets,
            unseen,
            before.applied,
            before.policy,
            owners=before.owners,
            faults=before.faults,
            staged=before.staged,
            renames=before.renames,
        )


PLACED = ActualEnvironment(
    name="web",
    path="/one/web",
    occupant=Occupant.PUBLISHED,
    depth=Depth.FILES,
    generation=1,
    seal="s",
    python="3.12.1",
    home="/opt",
    distributions=(
        Distribution(key="six", name="Six", version="1"),
        Distribution(key="toml", name="toml", version="1"),
    ),
    findings=(Finding(code=FindingCode.FILE_CHANGED, path="a", content="x"), Finding(code=FindingCode.MOVED)),
)


@pytest.mark.parametrize(
    "change",
    [
        {"occupant": Occupant.DANGLING},
        {"depth": Depth.HASHES},
        {"seal": "other"},
        {"python": "3.12.2"},
        {"home": "/elsewhere"},
        {"system_site_packages": True},
        {"distributions": PLACED.distributions[:1]},
        {"distributions": (replace(PLACED.distributions[0], version="2"), PLACED.distributions[1])},
        {"findings": ()},
        {"findings": (replace(PLACED.findings[0], content="y"), PLACED.findings[1])},
        {"findings": (replace(PLACED.findings[0], package="six"), PLACED.findings[1])},
    ],
    ids=str,
)
def test_prior_depends_on_the_observed_state(change: dict[str, Any]) -> None:
    assert prior(replace(PLACED, **change), None) != prior(PLACED, None)


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/two/web"},
        {"generation": 2},
        {"distributions": PLACED.distributions[::-1]},
        {"distributions": tuple(replace(each, place="moved") for each in PLACED.distributions)},
        {"findings": PLACED.findings[::-1]},
        {"findings": tuple(replace(each, detail="other words") for each in PLACED.findings)},
    ],
    ids=str,
)
def test_prior_does_not_depend_on_path_number_order_and_words(change: dict[str, Any]) -> None:
    assert prior(replace(PLACED, **change), None) == prior(PLACED, None)


def test_prior_depends_on_the_base_interpreter() -> None:
    kinds = [
        interpreter("3.12.1"),
        interpreter("3.12.2"),
        interpreter("3.12.1", "/b"),
        interpreter("3.12.1", "", "pypy"),
    ]
    assert len({prior(PLACED, None), *(prior(PLACED, each) for each in kinds)}) == 5


def test_topological_order_puts_predecessors_first_and_ends_on_a_cycle() -> None:
    assert topological_order({}) == ()
    assert topological_order({"b": ("a",), "a": (), "c": ("b", "elsewhere"), "d": ("d",)}) == ("a", "d", "b", "c")
    assert topological_order({"b": ("c",), "c": ("b",), "d": ("c",), "a": ()}) == ("a", "b", "c", "d")


def test_settings_are_plain_json_with_the_keys_of_the_manifest() -> None:
    environment = DesiredEnvironment(
        name="web",
        python=">=3.12",
        probes=(ImportProbe(module="django"), CommandProbe(argv=("a", "b"), timeout=10), DependenciesProbe()),
        hooks=Hooks(after_publish=(("reload",),)),
        depends_on=("tools",),
    )
    assert settings_of(environment) == {
        "python": ">=3.12",
        "description": "",
        "labels": {},
        "system_site_packages": False,
        "ignore": [],
        "ignore_files": [],
        "keep_generations": 3,
        "env": {},
        "probes": [
            {"import": "django", "timeout": 60.0},
            {"run": ["a", "b"], "timeout": 10.0},
            {"check": "dependencies", "timeout": 60.0},
        ],
        "hooks": {"after_publish": [["reload"]], "before_delete": []},
        "depends_on": ["tools"],
        "prevent_destroy": False,
    }, 'every seal contains these: add a new one here. CONTRIBUTING.md, "Add a manifest key", lists all steps'


def test_settings_that_have_nothing_in_common_are_shown_one_by_one() -> None:
    changes = setting_changes({"env": {"A": "1", "B": "2", "__C": "3"}}, {"env": {"D": "1", "E": "2"}}, mask=NO_KEY)
    assert [each.path for each in changes] == [("env", name) for name in ("A", "B", "D", "E", "__C")]
    assert [(each.before, each.after) for each in changes] == [
        ("****", None), ("****", None), (None, "****"), (None, "****"), ("****", None),
    ]  # fmt: skip


def test_the_digest_of_a_target_is_that_of_what_it_builds() -> None:
    target = world(CASE).targets["web"]
    assert desired_digest(target).startswith("sha256:")
    environment = target.environment
    others = [
        replace(target, packages=()),
        replace(target, interpreter=interpreter("3.11.4")),
        replace(target, environment=replace(environment, env={"A": "b"})),
        replace(target, environment=replace(environment, build_env=BuildEnv(variables={"A": "b"}))),
        replace(target, environment=replace(environment, system_site_packages=True)),
        replace(target, environment=replace(environment, probes=(DependenciesProbe(),))),
        replace(target, environment=replace(environment, hooks=Hooks(after_publish=(("true",),)))),
    ]
    assert len({desired_digest(target), *map(desired_digest, others)}) == len(others) + 1
    assert desired_digest(replace(target, hint="another", lock_state=target.lock_state)) == desired_digest(target)
