"""Hints of holds: what is held and released, and what a hold blocks."""

from tests.hints.trials import Attempts, trial
from tests.host import Host

WEB = 'web:\n  python: "3.11"\n'
JOBS = 'jobs:\n  python: "3.11"\n'
CLEAN_AFTER = ("plan", "--detailed-exitcode")


@trial(
    "state/hold.py: give a reason that others understand, such as `INC-42`",
    "state/hold.py: give an incident number or a link, such as `INC-42`",
    "state/hold.py: write it in one line of text",
    "cli/hold.py: run `envsync release {name}` to let `apply` change it again",
    "apply/hold.py: nothing to do: no environment is held",
    "apply/hold.py: release one that is held: {names}",
    "apply/hold.py: run `envsync rollback {name} --hold REASON` to restore and hold it",
    "plan/blockers.py: run `envsync release {name}`, then delete it",
)
def test_holds(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB + JOBS)
    host.apply()
    attempts.provoke("release", "web")
    attempts.not_here("nothing to do")
    for reason in (" ", "x" * 201, "two\nlines"):
        attempts.provoke("hold", "web", reason)
        attempts.gone("hold", "web", "INC-42")

    host.manifest(WEB + "  env: {A: b}\n" + JOBS)
    assert host.envsync(*CLEAN_AFTER).code == 2
    assert host.envsync("apply", "--yes").code == 0
    assert host.envsync(*CLEAN_AFTER).code == 2, "the hold keeps the change back"
    attempts.printed_by(host.envsync("hold", "web", "INC-43"))
    attempts.follow()
    host.apply()
    attempts.gone(*CLEAN_AFTER)

    assert host.envsync("hold", "web", "INC-42").code == 0
    hint = attempts.provoke("release", "jobs")
    attempts.gone("release", hint.split("`")[1])

    assert host.envsync("hold", "web", "INC-42").code == 0
    host.manifest(JOBS)
    attempts.provoke("plan")
    attempts.follow()
    host.apply()
    attempts.gone(*CLEAN_AFTER)
    assert not host.venv("web").exists()

    attempts.provoke("hold", "web", "INC-42")
    attempts.follow(REASON="INC-42")
    assert host.venv("web").exists()
    attempts.gone("hold", "web", "INC-42")
