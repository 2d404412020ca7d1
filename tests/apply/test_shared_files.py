"""Which published environments are observed before a build, so that files it shares are not read again."""

from dataclasses import replace
from typing import Any

from reconciler.apply.shared_files import _most_similar, _will_link
from reconciler.plan.model import EnvironmentPlan, StepKind
from tests.apply.bench import Bench
from tests.apply.bench import bench as bench
from tests.state.records import applied


def planned(bench: Bench, *steps: StepKind, **settings: Any) -> EnvironmentPlan:
    return bench.run(*steps, **settings).plan


def test_only_a_build_that_is_done_with_links_shares_files(bench: Bench) -> None:
    assert _will_link(planned(bench))
    for mode in ("hardlink", "clone"):
        assert _will_link(planned(bench, link_mode=mode))
    assert not _will_link(planned(bench, link_mode="copy"))
    assert not _will_link(planned(bench, StepKind.RECORD))
    assert not _will_link(replace(planned(bench), target=None))


def test_without_a_published_generation_the_most_similar_environment_is_observed(bench: Bench) -> None:
    plan = planned(bench)
    assert plan.target is not None
    [tool] = plan.target.packages or ()
    other = replace(tool, name="other")
    old = replace(tool, version="0.9")
    same, more, different = (applied(packages=each) for each in ((tool,), (other, tool), (old,)))
    assert _most_similar(plan, {"one": different, "two": same}) == "two"
    assert _most_similar(plan, {"one": different}) == ""
    assert _most_similar(plan, {}) == ""
    two = replace(plan, target=replace(plan.target, packages=(other, tool)))
    assert _most_similar(two, {"one": same, "two": more}) == "two"
    assert _most_similar(two, {"one": same}) == "one", "half of the packages are enough"
    three = replace(plan, target=replace(plan.target, packages=(replace(tool, name="third"), other, tool)))
    assert _most_similar(three, {"one": same}) == ""
