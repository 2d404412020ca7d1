"""A generation whose hooks or health check fail after the publish is replaced by the previous one, on request."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from reconciler.state.trial import MOST_RUNS
from tests.functional.host_state import finished, generations, last_run, planned, published, steps
from tests.host import Host, base_environment
from tests.state.edited import edit_state_file

# Logs the version that it runs with, and fails if that is the bad one.
HOOK = (
    "import alpha, os; open(os.environ['LOG'], 'a').write(alpha.NAME + chr(10)); "
    "raise SystemExit(alpha.NAME.endswith('1.1'))"
)
# Hangs until there is an answer, which is its exit code.
CHECK = (
    "import os, pathlib, time; p = pathlib.Path(os.environ['LOG']); p.with_name('asked').touch()\n"
    "a = p.with_name('answer'); time.sleep(0 if a.exists() else 60); raise SystemExit(int(a.read_text()))"
)


def manifest(host: Host, packages: str, *, hook: str = "", health: str = "", keep: int = 3) -> None:
    log = json.dumps(str(host.directory / "log"))
    hooks = f"  hooks: {{after_publish: [[python, -c, {json.dumps(HOOK)}]], on_failure: {hook}}}\n" if hook else ""
    checks = f"  health: {{run: [python, -c, {json.dumps(CHECK)}], {health}}}\n" if health else ""
    host.manifest(
        f'web:\n  python: "3.11"\n  packages: [{packages}]\n  keep_generations: {keep}\n'
        f"  env: {{LOG: {log}}}\n{hooks}{checks}"
    )


def log(host: Host) -> list[str]:
    path = host.directory / "log"
    return path.read_text().splitlines() if path.exists() else []


def reasons(host: Host) -> set[str]:
    return {each["code"] for each in host.environment("web")["reasons"]}


def test_a_failed_hook_publishes_the_previous_generation_and_runs_its_hooks(host: Host) -> None:
    manifest(host, "alpha==1.1", hook="rollback")
    ran = host.envsync("apply", "--yes")
    assert ran.code == 4
    assert "not rolled back: no earlier generation has passed" in ran.err
    assert published(host, "web") == 1
    manifest(host, "alpha==1.0", hook="rollback")
    host.apply()
    record = json.loads((host.root / ".envsync/environments/web.json").read_text())

    manifest(host, "alpha==1.1", hook="rollback")
    ran = host.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    ended = finished(ran)["web"]
    assert (ended["status"], ended["generation"]) == ("rolled-back", 2)
    assert "failed with exit code 1" in ended["failure"]["message"]
    assert "generation 2 is published again" in ended["failure"]["message"]
    assert published(host, "web") == 2
    assert log(host)[1:] == ["alpha 1.0", "alpha 1.1", "alpha 1.0"], "the service must run the old code again"
    assert last_run(host)["environments"][0]["status"] == "rolled-back"
    now = json.loads((host.root / ".envsync/environments/web.json").read_text())
    changed = {key for key, value in now["applied"].items() if value != record["applied"][key]}
    assert changed == {"rolled_back_from", "rolled_back_because"}
    assert {"trial-failed", "lock-changed"} <= reasons(host)
    assert host.envsync("apply", "--yes").code == 4, "apply tries again"
    assert published(host, "web") == 2

    manifest(host, "alpha==1.0", hook="rollback")
    host.apply()  # what is published is what is declared
    kept = json.loads(host.envsync("history", "--generations", "--output", "json").out)
    assert [bool(each["failed"]) for each in kept] == [False, False, True]
    manifest(host, "alpha==1.0, gamma", hook="rollback")
    host.apply()
    ran = host.envsync("rollback", "web")
    assert ran.code == 0
    assert "was rolled back: hook" in ran.err, "one that failed is not picked silently"
    assert published(host, "web") == 2


def test_what_had_drifted_is_not_published_again(host: Host) -> None:
    manifest(host, "alpha==1.0", hook="rollback")
    host.apply()
    (host.site_packages("web") / "stray.py").write_text("x = 1\n")
    manifest(host, "alpha==1.1", hook="rollback")
    ran = host.envsync("apply", "--yes")
    assert ran.code == 4
    assert "not rolled back: the previous generation 1 was replaced because it had drifted" in ran.err
    assert published(host, "web") == 2
    assert {"hooks-pending", "on-trial"} <= reasons(host)
    manifest(host, "alpha==1.1", hook="keep")
    assert host.envsync("apply", "--yes", "--skip-hooks").code == 0
    assert host.envsync("check").code == 0


def begin(host: Host) -> subprocess.Popen[bytes]:
    """Start an apply, and return it when its health check runs."""
    asked = host.directory / "asked"
    asked.unlink(missing_ok=True)
    command = [sys.executable, "-m", "reconciler", "apply", "--yes"]
    started = subprocess.Popen(command, cwd=host.directory, env=base_environment(), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not asked.exists():
        assert started.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return started


def test_an_interrupted_or_killed_trial_is_finished_by_the_next_apply(host: Host) -> None:
    answer: Path = host.directory / "answer"
    answer.write_text("0")
    manifest(host, "alpha==1.0", health="for: 1s", keep=1)
    host.apply()
    answer.unlink()
    manifest(host, "alpha==1.1", health="for: 1s", keep=1)

    interrupted = begin(host)
    interrupted.send_signal(signal.SIGTERM)
    _, said = interrupted.communicate(timeout=30)
    assert interrupted.returncode == 130
    assert b"envsync apply web" in said
    assert published(host, "web") == 2
    assert reasons(host) == {"on-trial"}
    assert steps(host, "web") == ["trial"]
    assert "on trial since" in host.envsync("status").err
    assert host.envsync("gc").code == 0
    assert generations(host, "web") == [1, 2], "it may be returned to"

    killed = begin(host)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    assert published(host, "web") == 2
    answer.write_text("3")
    ran = host.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    assert finished(ran)["web"]["status"] == "rolled-back"
    assert published(host, "web") == 1
    assert host.freeze("web")[0] == "alpha==1.0"
    assert "trial-failed" in reasons(host)

    answer.unlink()
    killed = begin(host)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    number = published(host, "web")
    assert number > 2
    file = host.root / f".envsync/generations/web/{number}/trial.json"
    edit_state_file(file, {"runs": MOST_RUNS})
    answer.write_text("0")  # the check would pass, but too many runs did not live until it did
    ran = host.envsync("apply", "--yes")
    assert ran.code == 4
    assert f"{MOST_RUNS} runs began its trial" in ran.err
    assert published(host, "web") == 1

    text = file.read_text() if file.exists() else ""
    assert not text, "a trial that is over leaves no file"
    host.apply()
    (host.root / f".envsync/generations/web/{published(host, 'web')}/trial.json").write_text("{")
    blocked = planned(host)["web"]["blocked"]
    assert [each["code"] for each in blocked] == ["state-unreadable"], "unreadable is not absent"


def test_a_health_check_may_keep_the_generation_and_runs_after_a_publish_of_what_was_staged(host: Host) -> None:
    answer: Path = host.directory / "answer"
    answer.write_text("0")
    manifest(host, "alpha==1.0", health="for: 1s, otherwise: keep")
    assert host.envsync("apply", "--stage", "--yes").code == 0
    assert not (host.directory / "asked").exists()
    assert host.envsync("publish", "web", "--yes").code == 0
    assert (host.directory / "asked").exists()
    assert host.envsync("check").code == 0

    answer.write_text("1")
    manifest(host, "alpha==1.1", health="for: 1s, otherwise: keep")
    ran = host.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    assert (finished(ran)["web"]["status"], published(host, "web")) == ("unhealthy", 2)
    assert reasons(host) == {"on-trial"}
    assert host.envsync("apply", "--yes").code == 4
    answer.write_text("0")
    host.apply()

    answer.write_text("1")
    manifest(host, "alpha==1.0", health="for: 1s")
    assert host.envsync("apply", "--stage", "--yes").code == 0
    assert host.envsync("publish", "web", "--yes").code == 4
    assert (published(host, "web"), host.freeze("web")[0]) == (2, "alpha==1.1")


def test_a_trial_keeps_no_other_environment_waiting(host: Host) -> None:
    done = json.dumps(str(host.directory / "done"))
    test, touch = ("[python, -c, 'import os; ", "']")
    host.manifest(
        'a-web:\n  python: "3.11"\n'
        f'  health: {{run: {test}raise SystemExit(not os.path.exists(os.environ["DONE"])){touch}, for: 60s}}\n'
        f"  env: {{DONE: {done}}}\n"
        'job:\n  python: "3.11"\n'
        f'  hooks: {{after_publish: [{test}open(os.environ["DONE"], "w"){touch}]}}\n  env: {{DONE: {done}}}\n'
    )
    ran = host.envsync("apply", "--yes", "--parallelism", "1", "--output", "json")
    assert ran.code == 0, ran.out + ran.err
    order = [each["environment"] for each in ran.events() if each["type"] == "environment-finished"]
    assert order == ["job", "a-web"]
