"""Renamed environments: which are renames, and the record, the owner, the faults and the path under the new name."""

from dataclasses import replace

import pytest

from reconciler.diff.model import Fault, ReasonCode
from reconciler.diff.renames import NO_RENAMES, Renames, find_renames
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, ActualState, Depth, Occupant
from reconciler.state.owner import OtherOwner
from tests.plan.build import applied_environment, world

RENAMES = Renames(pairs={"web": "site", "api": "never-applied"})


def desired(**renamed_from: str) -> DesiredState:
    """Return the desired state with environments by name, each with its former name, or an empty text."""
    return world({"manifest": {name: {"renamed_from": former} for name, former in renamed_from.items()}}).desired


def observed(name: str, occupant: Occupant, generation: int = 0) -> ActualEnvironment:
    return ActualEnvironment(
        name=name, path=f"/srv/acme/.envs/{name}", occupant=occupant, depth=Depth.FILES, generation=generation
    )


def test_only_a_known_former_name_of_a_new_environment_is_a_rename() -> None:
    applied = {name: applied_environment(name, {}) for name in ("site", "old-api", "api")}
    wanted = desired(web="site", api="old-api", job="damaged", tool="unknown", plain="")
    assert find_renames(wanted, applied, ["damaged"]) == Renames(
        pairs={"web": "site", "job": "damaged"}, ineffective={"api": "old-api"}
    )
    assert find_renames(wanted, applied, ["damaged", "web"]) == Renames(
        pairs={"job": "damaged"}, ineffective={"api": "old-api", "web": "site"}
    )
    assert find_renames(desired(plain=""), applied, []) == NO_RENAMES


def test_the_record_has_the_new_name_and_the_former_one_is_gone() -> None:
    site = applied_environment("site", {"built_as": "first"})
    other = applied_environment("other", {})
    assert RENAMES.applied({"site": site, "other": other}) == {
        "web": replace(site, name="web", built_as=""),
        "other": other,
    }


def test_the_owner_of_the_former_name_also_owns_the_new_one() -> None:
    owner = OtherOwner(manifest="/srv/other/envs.yaml")
    assert RENAMES.owners({"site": owner}) == {"site": owner, "web": owner}


def test_a_fault_or_a_used_number_blocks_a_rename() -> None:
    fault = Fault(code=ReasonCode.STATE_UNREADABLE, message="damaged", hint="repair it")
    assert RENAMES.faults({"site": fault}, {"web": 4, "api": 2}) == {
        "site": fault,
        "web": replace(fault, message="`site` cannot be renamed: damaged"),
        "api": Fault(
            code=ReasonCode.NAME_IN_USE,
            message="`never-applied` cannot be renamed: an earlier `api` also has generation 2",
            hint="run `envsync gc --deleted` if it was deleted, or choose a different name",
        ),
    }
    assert RENAMES.faults({}, {}) == {}


def test_a_renamed_environment_is_observed_under_both_names() -> None:
    wanted = desired(web="site", plain="")
    former = replace(wanted.environments[0], name="site")
    assert RENAMES.as_former(wanted) == replace(wanted, environments=(*wanted.environments, former))
    assert NO_RENAMES.as_former(wanted) == wanted


@pytest.mark.parametrize("occupant", Occupant)
@pytest.mark.parametrize("at_new", [Occupant.ABSENT, Occupant.VENV])
def test_what_is_ours_at_the_former_path_counts_at_the_new_one(occupant: Occupant, at_new: Occupant) -> None:
    environments = {"site": observed("site", occupant, 3), "web": observed("web", at_new)}
    renames, actual = Renames(pairs={"web": "site"}).observed(ActualState(environments=environments, depth=Depth.FILES))
    ours = occupant in {Occupant.PUBLISHED, Occupant.DANGLING}
    assert dict(actual.environments) == {
        "site": environments["site"],
        "web": observed("web", occupant, 3) if ours else environments["web"],
    }
    assert actual.depth is Depth.FILES
    occupied = {"web": environments["web"]} if at_new is Occupant.VENV else {}
    assert renames == Renames(pairs={"web": "site"}, occupied=occupied)
