"""Reading commands do not lock the root. During an apply they see the old state or the new one, never a mixture."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import reconciler
from reconciler.diff.integrity import check_integrity
from reconciler.diff.model import ReasonCode
from reconciler.maintenance import Maintenance
from reconciler.observe.actual import Depth, Occupant
from reconciler.observe.consistent_read import observe_consistently
from reconciler.observe.freeze import freeze_lines
from reconciler.options import PlanOptions
from reconciler.plan.model import Action
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.published_generation import PublishedGeneration
from reconciler.state.store import State
from tests.functional.host_state import generations
from tests.host import Host, base_environment
from tests.resolving import soon

WEB = 'web:\n  python: "3.11"\n  packages: [{}]\n  keep_generations: 1\n'
TOOLS = 'tools:\n  python: "3.11"\n  packages: [gamma]\n'
OLD, NEW = WEB.format("alpha==1.0"), WEB.format("alpha==1.1")


# A slow delete: it waits between removing the link and removing the record.
DELETER = """\
import sys, time
from pathlib import Path
from reconciler.apply.publish import unpublish
from reconciler.state.store import State
state = State.at(Path(sys.argv[1]))
with state.acquire_mutex(timeout=60):
    unpublish(state.layout, "tools")
    time.sleep(0.4)
    state.forget("tools")
"""


@dataclass(frozen=True, slots=True)
class OvertakenState(State):
    """A state that changes while it is read: `meanwhile` is called once, directly after `published`."""

    meanwhile: list[Callable[[], object]]

    def published(self, name: str) -> PublishedGeneration | None:
        found = State.published(self, name)
        if self.meanwhile:
            self.meanwhile.pop()()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertakenMaintenance(Maintenance):
    """The same for `verify`: the state changes when it reads the records."""

    meanwhile: list[Callable[[], object]]

    @property
    def state(self) -> State:
        return OvertakenRecord(Maintenance.state.fget(self).layout, self.meanwhile)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class OvertakenRecord(State):
    """A state that changes when a record is read; `meanwhile` has one call for each read, the last for the first."""

    meanwhile: list[Callable[[], object]]

    def applied(self, name: str) -> Applied | None:
        found = State.applied(self, name)
        if self.meanwhile:
            self.meanwhile.pop()()
        return found


def apply(host: Host, manifest: str) -> None:
    """Apply in this process; the plan must then be empty."""
    host.manifest(manifest)
    workspace = reconciler.load(host.directory / "envs.yaml", ambient=base_environment())
    assert workspace.plan(None, PlanOptions(build=True)).apply().exit_code == 0
    assert not workspace.plan().plan.has_difference


def observed(host: Host, state: State, applied: Mapping[str, Applied], *names: str) -> dict[str, list[str]]:
    """Observe consistently and assert that all is as applied; return the packages by environment."""
    desired = reconciler.load(host.directory / "envs.yaml").desired()
    found, actual = observe_consistently(names, desired, state, applied, Depth.FILES, InodeHashes())
    for name, last in found.items():
        assert check_integrity(actual.environments[name], last, "2026-01-01").intact
        assert actual.environments[name].generation == last.generation
    return {
        name: freeze_lines(each, all=False, exclude=(), exclude_editable=False)
        for name, each in actual.environments.items()
        if each.occupant is not Occupant.ABSENT
    }


def test_a_generation_published_after_the_records_were_read_is_not_drift(host: Host) -> None:
    apply(host, OLD)
    state = State.at(host.root)
    before = state.last_applied()
    apply(host, NEW)
    assert observed(host, state, before, "web") == {"web": ["alpha==1.1", "beta==2.0"]}


def test_a_generation_that_is_collected_while_it_is_read_is_read_again(host: Host) -> None:
    apply(host, OLD)
    state = OvertakenState(State.at(host.root).layout, [lambda: apply(host, NEW)])
    assert observed(host, state, state.last_applied(), "web") == {"web": ["alpha==1.1", "beta==2.0"]}
    assert generations(host, "web") == [2]


def test_environments_deleted_or_created_meanwhile_are_not_drift(host: Host) -> None:
    apply(host, TOOLS)
    state = State.at(host.root)
    before = state.last_applied()
    apply(host, NEW)
    assert observed(host, state, before, "tools", "web") == {"web": ["alpha==1.1", "beta==2.0"]}


def test_an_unfinished_delete_is_not_drift(host: Host) -> None:
    apply(host, TOOLS)
    state = State.at(host.root)
    with subprocess.Popen([sys.executable, "-c", DELETER, str(host.root)], env=base_environment()) as deleting:
        assert soon(lambda: not host.venv("tools").is_symlink(), seconds=30)
        assert observed(host, state, state.last_applied(), "tools") == {}
    assert deleting.returncode == 0


def test_an_environment_that_was_removed_manually_is_still_reported(host: Host) -> None:
    apply(host, OLD)
    host.venv("web").unlink()
    (found,) = reconciler.load(host.directory / "envs.yaml", ambient=base_environment()).plan().plan.environments
    assert (found.action, [each.code for each in found.reasons]) == (Action.CREATE, [ReasonCode.GONE])


def test_verify_compares_the_generation_that_is_published_by_then_with_its_seal(host: Host) -> None:
    apply(host, OLD)
    meanwhile: list[Callable[[], object]] = [lambda: apply(host, NEW), lambda: None]
    maintenance = OvertakenMaintenance(root=host.root, project="acme", ambient={}, meanwhile=meanwhile)
    (found,) = maintenance.verify()
    assert (found.generation, found.intact) == (2, True)
    assert generations(host, "web") == [2]
