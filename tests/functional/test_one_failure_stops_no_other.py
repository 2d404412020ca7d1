"""Many environments and many applies at the same time: one failure does not stop the others."""

import json
import subprocess
import sys
import time

from tests.functional.host_state import finished, generations, last_run, published
from tests.host import Host, base_environment
from tests.wheels import make_wheel

EIGHT = [f"env{number}" for number in range(8)]


def declared(special: dict[str, str]) -> str:
    return "".join(f'{name}:\n  python: "3.11"\n  packages: [{special.get(name, "beta")}]\n' for name in EIGHT)


def test_a_deleted_wheel_and_a_replaced_wheel_fail_only_their_environments(host: Host) -> None:
    gone = make_wheel(host.index.directory, "gone", "1.0")
    swapped = make_wheel(host.index.directory, "swapped", "1.0")
    host.manifest(declared({"env3": "gone", "env5": "swapped"}))
    assert host.envsync("lock").code == 0
    gone.unlink()
    make_wheel(host.index.directory, "swapped", "1.0", modules={"swapped.py": "evil = True\n"})
    ran = host.envsync("apply", "--yes", "--parallelism", "4", "--output", "json")
    assert ran.code == 4
    ended = finished(ran)
    assert {name for name, each in ended.items() if each["status"] == "failed"} == {"env3", "env5"}
    assert {name for name, each in ended.items() if each["status"] == "applied"} == {*EIGHT} - {"env3", "env5"}
    assert ended["env5"]["failure"]["code"] == "hash-mismatch"
    assert published(host, "env3") == published(host, "env5") == 0
    assert generations(host, "env3") == [], "an unfinished generation is deleted"
    assert last_run(host)["exit_code"] == 4

    assert host.envsync("apply", "--yes").code == 1, "everything that was left to do failed"
    make_wheel(host.index.directory, "gone", "1.0")
    make_wheel(host.index.directory, "swapped", "1.0")
    assert swapped.exists()
    host.apply()


def test_the_history_says_why_an_environment_was_blocked(host: Host) -> None:
    host.manifest('web:\n  python: "3.11"\n  packages: [beta]\njobs:\n  python: "3.11"\n  packages: [beta]\n')
    host.root.mkdir()
    (host.root / "jobs").mkdir()
    assert host.envsync("apply", "--yes").code == 4
    reasons = {each["name"]: each["reasons"] for each in last_run(host)["environments"]}
    assert reasons == {"web": ["new", "lock-missing"], "jobs": ["not-ours"]}


def test_if_all_environments_fail_the_exit_code_is_1(host: Host) -> None:
    wheel = make_wheel(host.index.directory, "gone", "1.0")
    host.manifest('one:\n  python: "3.11"\n  packages: [gone]\ntwo:\n  python: "3.11"\n  packages: [gone]\n')
    assert host.envsync("lock").code == 0
    wheel.unlink()
    ran = host.envsync("apply", "--yes", "--parallelism", "2")
    assert ran.code == 1
    assert "Not applied: 2 failed." in ran.err


def test_eight_applies_at_the_same_time_all_succeed(host: Host) -> None:
    host.manifest('web:\n  python: "3.11"\n  packages: [alpha]\n')
    command = [sys.executable, "-m", "reconciler", "apply", "--yes", "--output", "json"]
    children = [
        subprocess.Popen(
            command,
            cwd=host.directory,
            env=base_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    ended = [(*child.communicate(timeout=120), child.returncode) for child in children]
    assert [code for _, _, code in ended] == [0] * 8, [err for _, err, _ in ended]
    statuses = [json.loads(out.splitlines()[-1])["environments"][0]["status"] for out, _, _ in ended]
    assert sorted(statuses) == ["applied"] + ["unchanged"] * 7
    assert host.envsync("check").code == 0
    assert generations(host, "web") == [1]


def test_with_a_lock_timeout_of_0_the_error_names_the_holder(host: Host) -> None:
    sleep = "import pathlib, time; pathlib.Path('%s').touch(); time.sleep(60)" % (host.directory / "on")
    host.manifest(f'web:\n  python: "3.11"\n  probes: [{{run: [python, -c, "{sleep}"]}}]\n')
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--yes"],
        cwd=host.directory,
        env=base_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as holder:
        for _ in range(400):
            if (host.directory / "on").exists():
                break
            time.sleep(0.05)
        ran = host.envsync("apply", "--yes", "--lock-timeout", "0")
        assert ran.code == 1
        assert f"pid {holder.pid}" in ran.err
        assert "--lock-timeout" in ran.err
        assert host.envsync("plan").code == 0, "`plan` does not lock the root"
        holder.terminate()
        assert holder.wait(timeout=20) == 130
    assert generations(host, "web") == []
