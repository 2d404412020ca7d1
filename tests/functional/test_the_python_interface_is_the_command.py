"""`reconciler.load(path).plan().apply()`, as in the README; a plan that is out of date is refused."""

import dataclasses

import pytest

import reconciler
from reconciler.apply.context import ApplyOptions
from reconciler.errors import ManifestError, PlanFileError
from reconciler.events import Event, RunFinished, RunStarted, Status
from reconciler.options import PlanOptions, Selection
from reconciler.plan.model import Action
from reconciler.reconcile import Proposal
from tests.functional.host_state import published
from tests.functional.test_check_finds_and_apply_puts_right import uv
from tests.host import Host, base_environment

WEB = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'


def proposed(host: Host, *names: str) -> Proposal:
    workspace = reconciler.load(host.directory / "envs.yaml", ambient=base_environment())
    return workspace.plan(Selection(names=names), PlanOptions(build=True))


def test_load_plan_and_apply(host: Host, capfd: pytest.CaptureFixture[str]) -> None:
    host.manifest(WEB)
    proposal = proposed(host)
    assert [(each.name, each.action) for each in proposal.plan.changes] == [("web", Action.CREATE)]
    assert not host.root.exists() or published(host, "web") == 0
    events: list[Event] = []
    result = proposal.apply(ApplyOptions(parallelism=1), on_event=events.append)
    assert (result.exit_code, result.environments[0].status) == (0, Status.APPLIED)
    assert isinstance(events[0], RunStarted)
    assert events[-1] == result
    assert isinstance(events[-1], RunFinished)
    assert not proposed(host).plan.has_difference
    assert proposed(host).apply().environments[0].status is Status.UNCHANGED
    assert capfd.readouterr() == ("", ""), "the core prints nothing"
    with pytest.raises(dataclasses.FrozenInstanceError):
        proposal.plan.root = "/"  # type: ignore[misc]


def test_a_plan_is_refused_if_its_environment_changed_since_and_the_change_is_named(host: Host) -> None:
    host.manifest(WEB)
    host.apply()
    host.manifest(WEB.replace("1.0", "1.1"))
    proposal = proposed(host)
    uv(host, "uninstall", "beta")
    with pytest.raises(PlanFileError, match="`web` changed on disk since it was made"):
        proposal.apply()
    assert published(host, "web") == 1
    assert proposed(host).apply().exit_code == 0

    host.manifest(WEB)
    first, second = proposed(host), proposed(host)
    assert first.apply().exit_code == 0
    with pytest.raises(PlanFileError):
        second.apply()

    host.manifest(WEB.replace("1.0", "1.1"))
    proposal = proposed(host)
    host.venv("web").unlink()
    host.venv("web").mkdir()
    with pytest.raises(PlanFileError):
        proposal.apply()
    assert list(host.venv("web").iterdir()) == []


def test_a_change_of_a_different_environment_does_not_refuse_the_plan(host: Host) -> None:
    host.manifest(WEB + 'other:\n  python: "3.11"\n')
    host.apply()
    host.manifest(WEB.replace("1.0", "1.1") + 'other:\n  python: "3.11"\n')
    proposal = proposed(host)
    (host.site_packages("other") / "stray.pth").write_text("")
    assert proposal.apply().exit_code == 0


def test_an_invalid_manifest_is_one_error_with_every_problem(host: Host) -> None:
    host.manifest("web:\n  pyhton: '3.11'\n  packages: [1, 'not a req!']\n")
    with pytest.raises(ManifestError) as caught:
        reconciler.load(host.directory / "envs.yaml")
    assert len(caught.value.problems) >= 3
    assert caught.value.problems[0].place is not None
