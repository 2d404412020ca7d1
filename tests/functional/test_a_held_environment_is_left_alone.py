"""`rollback --hold`, `hold` and `release`: applies leave a held environment alone, and everything says so."""

import json
from collections.abc import Iterator

import pytest

import reconciler
from reconciler.errors import ApplyError, PlanFileError
from reconciler.state.store import State
from tests.faults.killed import run_killed
from tests.functional.host_state import finished, generations, planned, published
from tests.host import Host, base_environment, new_host, put_back
from tests.state.edited import edit_state_file

WEB = 'web:\n  python: "3.11"\n  packages: [alpha=={version}]\n'
JOB = 'job:\n  python: "3.11"\n  depends_on: [web]\n  packages: [gamma]\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host on which `web` was applied with alpha 1.0, then with alpha 1.1."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        host.manifest(WEB.format(version="1.0") + JOB)
        host.apply()
        host.manifest(WEB.format(version="1.1") + JOB)
        host.apply()
        yield host


@pytest.fixture
def twice(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


def test_applies_leave_it_alone_until_it_is_released(twice: Host) -> None:
    ran = twice.envsync("rollback", "web", "--hold", "INC-42", env={"USER": "alice"})
    assert ran.code == 0, ran.err
    first, second = ran.out.splitlines()
    assert first == "web: generation 1 is published again, generation 2 is kept"
    assert second.startswith("web: generation 1 is held: INC-42 (alice, since 20")
    twice.manifest(WEB.format(version="1.1") + JOB.replace("gamma", "beta") + "  env: {A: '1'}\n")
    ran = twice.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 0, ran.err
    assert {name: each["status"] for name, each in finished(ran).items()} == {"web": "held", "job": "applied"}
    assert published(twice, "web") == 1
    held = planned(twice)["web"]
    assert (held["hold"]["reason"], held["hold"]["by"], held["action"]) == ("INC-42", "alice", "update")
    assert held["steps"] == []
    assert twice.envsync("check").code == 2
    assert twice.envsync("check", "--allow-held").code == 0
    ran = twice.envsync("status")
    assert ran.out.splitlines()[-1].split()[:2] == ["web", "held"]
    assert "note: `web` is held: INC-42 (alice, since 20" in ran.err

    assert twice.envsync("destroy", "web", "job", "--yes").code == 4
    assert published(twice, "web") == 1

    added = twice.site_packages("web") / "stray.pth"
    added.write_text("")
    assert twice.envsync("apply", "--yes").code == 0
    assert added.exists(), "drift is not repaired"
    ran = twice.envsync("check", "--allow-held")
    assert ran.code == 2, "a hold does not excuse manual changes"
    assert "1 file added" in ran.out
    added.unlink()

    ran = twice.envsync("release", "web")
    assert ran.code == 0
    assert ran.out.startswith("web: released; the hold was: INC-42 (alice, since 20")
    assert "~ web update: rolled back from generation 2 to 1; the lock changed" in ran.out
    ran = twice.envsync("release", "web", "--output", "json")
    assert (ran.code, ran.json()["error"]["message"]) == (3, "environment `web` is not held")
    assert (ran.code, ran.err.splitlines()[0]) == (3, "error: environment `web` is not held")
    twice.apply()
    assert published(twice, "web") == 3
    runs = json.loads(twice.envsync("history", "web", "--runs", "--output", "json").out)
    listed = [(each["environments"][0]["action"], each["environments"][0]["reasons"]) for each in runs]
    assert ("rollback", ["from generation 2", "held: INC-42"]) in listed
    assert ("release", ["INC-42"]) in listed


def test_what_is_published_can_be_held_without_a_rollback(twice: Host) -> None:
    assert twice.envsync("check").code == 0, "the fast path has recorded that nothing differs"
    ran = twice.envsync("hold", "web", "freeze", "--output", "json")
    held = ran.json()
    assert (ran.code, held["action"], held["generation"], held["hold"]["reason"]) == (0, "hold", 2, "freeze")
    assert ran.err == "hint: run `envsync release web` to let `apply` change it again\n"
    ran = twice.envsync("check")
    assert (ran.code, ran.out.splitlines()[-1]) == (2, "Check: 1 held, 1 unchanged.")
    assert "held: freeze" in twice.envsync("plan").out
    for _ in range(2):  # the second would be answered by the fast path, if it could
        ran = twice.envsync("check", "--allow-held")
        assert (ran.code, ran.out.splitlines()[-1]) == (0, "No drift. 1 environment matches `envs.yaml`, 1 is held.")
        assert twice.envsync("check").code == 2
    ran = twice.envsync("rollback", "web", "--to", "2", "--hold", "INC-43")
    assert (ran.code, published(twice, "web")) == (0, 2), "the published generation may be named to hold it"
    assert "generation 2 is held: INC-43" in ran.out, "a second hold replaces the reason"
    assert twice.envsync("observe", "--out", "actual.json").code == 0
    ran = twice.envsync("check", "--actual", "actual.json")
    assert (ran.code, "held: INC-43" in ran.out) == (2, True)
    assert twice.envsync("check", "--actual", "actual.json", "--allow-held").code == 0
    ran = twice.envsync("release", "web", "--output", "json")
    released = ran.json()
    assert (ran.code, released["hold"], released["released"]["reason"]) == (0, None, "INC-43")
    assert released["next"] == {"action": "no-op", "reasons": [], "blocked": []}
    assert twice.envsync("hold", "web", "INC-43").code == 0
    twice.manifest(JOB.replace("  depends_on: [web]\n", ""))
    ran = twice.envsync("apply", "--yes")
    assert (ran.code, published(twice, "web")) == (4, 2)
    assert "would be deleted, but it is held" in ran.out


def test_a_plan_that_was_made_before_a_hold_is_not_applied(twice: Host) -> None:
    twice.manifest(WEB.format(version="1.0") + JOB)
    assert twice.envsync("lock").code == 0
    assert twice.envsync("plan", "--out", "plan.json").code == 0
    proposal = reconciler.load(twice.directory / "envs.yaml", ambient=base_environment()).plan()
    assert twice.envsync("hold", "web", "INC-42").code == 0
    ran = twice.envsync("apply", "--plan", "plan.json")
    assert (ran.code, "the hold of `web` changed since it was made" in ran.err) == (3, True)
    with pytest.raises(PlanFileError, match="`web` was held after it was made"):
        proposal.apply()
    assert published(twice, "web") == 2


def test_gc_keeps_the_held_generation_and_the_one_to_come_back_to(host: Host) -> None:
    for version in ("1.0", "1.1"):
        host.manifest(WEB.format(version=version) + "  keep_generations: 2\n")
        host.apply()
    host.manifest(WEB.format(version="1.1") + "  keep_generations: 1\n")
    assert host.envsync("apply", "--yes", "--no-gc").code == 0
    state = State.at(host.root)
    assert host.envsync("rollback", "web", "--hold", "INC-42").code == 0
    edit_state_file(state.layout.record("web"), lambda record: record["applied"]["settings"].update(keep_generations=1))
    assert host.envsync("gc").code == 0
    assert generations(host, "web") == [1, 2]
    assert host.envsync("release", "web").code == 0
    assert host.envsync("gc").code == 0
    assert generations(host, "web") == [1]


def test_a_rollback_that_is_killed_publishes_nothing_that_is_not_held(twice: Host) -> None:
    maintenance = reconciler.load(twice.directory / "envs.yaml", ambient=base_environment()).maintenance
    seen = set()
    at = 1
    while run_killed(lambda: maintenance.rollback("web", to=1, hold="INC-42"), at=at):
        last = maintenance.state.applied("web")
        assert last is not None
        seen.add((published(twice, "web"), last.hold is not None))
        if published(twice, "web") == 1:
            maintenance.rollback("web", to=1, hold="INC-42")  # a retry does not go back further
            maintenance.rollback("web", to=2)
        if last.hold is not None:
            maintenance.release("web")
        at += 1
    assert seen == {(2, False), (2, True), (1, True)}
    assert planned(twice)["web"]["hold"]["reason"] == "INC-42"


def test_a_rollback_that_fails_holds_nothing(twice: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ApplyError("the link could not be replaced", hint=None)

    monkeypatch.setattr("reconciler.apply.republish.publish", fail)
    maintenance = reconciler.load(twice.directory / "envs.yaml", ambient=base_environment()).maintenance
    with pytest.raises(ApplyError):
        maintenance.rollback("web", hold="INC-42")
    assert "hold" not in json.loads(State.at(twice.root).layout.record("web").read_text())["applied"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hold", "web", ""], "the reason of a hold is empty"),
        (["hold", "web", "a\x1b[31m"], "contains the character `\\x1b`"),
        (["hold", "web", "a\nb"], "contains the character `\\x0a`"),
        (["rollback", "web", "--hold", "x" * 201], "has 201 characters; 200 are allowed"),
        (["hold", "other", "x"], "environment `other` was never applied in this root"),
        (["hold", "web"], "`envsync hold` requires REASON"),
    ],
)
def test_an_invalid_hold_is_refused(host: Host, arguments: list[str], message: str) -> None:
    host.manifest(WEB.format(version="1.0"))
    ran = host.envsync(*arguments)
    assert (ran.code, message in ran.err) == (3, True), ran.err


def test_a_deleted_environment_is_restored_and_held(twice: Host) -> None:
    assert twice.envsync("destroy", "job", "--yes").code == 0
    ran = twice.envsync("hold", "job", "INC-42")
    assert (ran.code, "run `envsync rollback job --hold REASON` to restore and hold it" in ran.err) == (3, True)
    assert twice.envsync("rollback", "job", "--hold", "INC-42").code == 0
    assert planned(twice)["job"]["hold"]["reason"] == "INC-42"
