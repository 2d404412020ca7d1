"""`depends_on`: the order of applies and deletes, what a failure blocks, and selections."""

from tests.functional.host_state import finished, planned, published
from tests.host import Host, Ran

CHAIN = """
base:
  python: "3.11"
middle:
  python: "3.11"
  depends_on: [base]
  labels: {team: a, tier: back}
top:
  python: "3.11"
  depends_on: [middle]
  labels: {team: a, tier: front}
side:
  python: "3.11"
  labels: {team: b}
"""


def order(ran: Ran, step: str) -> list[str]:
    return [each["environment"] for each in ran.events() if each["type"] == "step-started" and each["step"] == step]


def applied(host: Host) -> Ran:
    ran = host.envsync("apply", "--yes", "--output", "json", "--parallelism", "4")
    assert ran.code == 0, ran.err
    assert host.envsync("check").code == 0
    return ran


def test_environments_are_applied_in_order_and_deleted_in_reverse_order(host: Host) -> None:
    host.manifest(CHAIN)
    ran = applied(host)
    published_in_order = [name for name in order(ran, "publish") if name != "side"]
    assert published_in_order == ["base", "middle", "top"]
    started = [name for name in order(ran, "build") if name != "side"]
    assert started == ["base", "middle", "top"], "an environment waits until its dependencies are finished"

    host.manifest('side:\n  python: "3.11"\nnew:\n  python: "3.11"\n')
    ran = applied(host)
    kinds = [(each["step"], each["environment"]) for each in ran.events() if each["type"] == "step-started"]
    assert [name for step, name in kinds if step == "unpublish"] == ["top", "middle", "base"]
    assert kinds.index(("record", "new")) < kinds.index(("unpublish", "top")), "deletes come last"


def test_dependents_of_a_failed_environment_are_blocked_and_others_continue(host: Host) -> None:
    host.manifest(CHAIN.replace('base:\n  python: "3.11"', 'base:\n  python: "3.11"\n  probes: [{import: nothing}]'))
    ran = host.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    ended = finished(ran)
    assert {name: each["status"] for name, each in ended.items()} == {
        "base": "failed",
        "middle": "blocked",
        "top": "blocked",
        "side": "applied",
    }
    assert ended["middle"]["failure"]["code"] == ended["top"]["failure"]["code"] == "dependency-failed"
    assert [published(host, name) for name in ("base", "middle", "top", "side")] == [0, 0, 0, 1]
    assert host.envsync("apply", "--yes", "top").code == 1, "nothing succeeded"


def test_an_unchanged_dependency_delays_nothing(host: Host) -> None:
    host.manifest(CHAIN)
    assert host.envsync("apply", "--yes").code == 0
    host.manifest(CHAIN.replace("depends_on: [middle]", "depends_on: [middle]\n  packages: [beta]"))
    assert {name for name, each in planned(host).items() if each["action"] != "no-op"} == {"top"}
    host.apply()


def test_a_selection_includes_dependencies_and_labels_select(host: Host) -> None:
    host.manifest(CHAIN)
    assert set(planned(host, "middle")) == {"base", "middle"}
    assert set(planned(host, "-l", "team=b")) == {"side"}
    assert set(planned(host, "-l", "team=a", "-l", "tier=front")) == {"base", "middle", "top"}
    for arguments in (["-l", "team"], ["side", "-l", "team=a"]):
        ran = host.envsync("plan", *arguments)
        assert ran.code == 3, arguments
        assert ran.out == ""
        assert "hint:" in ran.err
    host.apply("middle")
    assert sorted(path.name for path in host.root.iterdir() if path.is_symlink()) == ["base", "middle"]


def test_a_selection_never_prunes(host: Host) -> None:
    host.manifest(CHAIN)
    assert host.envsync("apply", "--yes").code == 0
    host.manifest('side:\n  python: "3.11"\n')
    host.apply("side")
    assert published(host, "top") == 1
    host.apply("--no-prune")
    assert published(host, "top") == 1
    assert host.envsync("check", "--no-prune").code == 0
    assert host.envsync("check").code == 2
