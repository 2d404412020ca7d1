"""A plan names the environments that it deletes although a process uses them."""

import fcntl
from dataclasses import replace

from reconciler.apply.running import running_notes
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.plan.model import Action, EnvironmentPlan, Plan
from tests.apply.bench import Bench
from tests.apply.bench import bench as bench
from tests.plan.build import world

WAITS = Reason(code=ReasonCode.DELETES_WAIT, origin=Origin.PENDING, message="waits")


def deletes(bench: Bench, planned: EnvironmentPlan) -> tuple[str, ...]:
    plan: Plan = replace(world({"manifest": {}, "plan": {}}).plan(), environments=(planned,))
    return running_notes(plan, bench.state.layout)


def test_only_what_is_deleted_now_is_named(bench: Bench) -> None:
    bench.applied()
    planned = EnvironmentPlan(name="web", path="", action=Action.DELETE, generation=1)
    assert deletes(bench, planned) == ()
    used = bench.state.layout.generation("web", 1).in_use
    with used.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert [each.partition(":")[0] for each in deletes(bench, planned)] == ["`web`"]
        assert deletes(bench, replace(planned, blocked=(WAITS,))) == ()
        assert deletes(bench, replace(planned, action=Action.UPDATE)) == ()
