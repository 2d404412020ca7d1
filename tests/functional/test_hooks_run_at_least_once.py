"""Hooks run after a publish and before a delete: at least once, in order, and never where nothing was done."""

import json

from tests.functional.looking import finished, last_run, published, steps
from tests.host import Host

SAY = (
    "import os, pathlib, sys; p = pathlib.Path(os.environ['LOG']); "
    "p.open('a').write(sys.argv[1] + ' ' + pathlib.Path(sys.prefix).parent.name + ' ' + os.environ['COLOR'] + chr(10))"
)


def manifest(host: Host, version: str, *hooks: str, before: str = "", color: str = "blue") -> None:
    """Declare web with hooks that write into a log, each its word, generation and colour; `fail` fails."""
    log = json.dumps(str(host.directory / "log"))
    commands = {word: f"[python, -c, {json.dumps(SAY)}, {word}]" for word in (*hooks, before) if word}
    commands |= {word: "[python, -c, 'raise SystemExit(9)']" for word in hooks if word == "fail"}
    if before == "fail":
        commands["fail"] = "[python, -c, 'raise SystemExit(9)']"
    after = ", ".join(commands[word] for word in hooks)
    host.manifest(
        f'web:\n  python: "3.11"\n  packages: [alpha=={version}]\n  env: {{LOG: {log}, COLOR: {color}}}\n'
        f"  hooks:\n    after_publish: [{after}]\n    before_delete: [{commands.get(before, '')}]\n"
        'keep:\n  python: "3.11"\n'
    )


def log(host: Host) -> list[str]:
    path = host.directory / "log"
    return path.read_text().splitlines() if path.exists() else []


def test_they_run_in_order_once_a_publish_and_never_on_a_no_op(host: Host) -> None:
    manifest(host, "1.0", "one", "two")
    host.apply()
    assert log(host) == ["one 1 blue", "two 1 blue"]
    assert host.envsync("apply", "--yes").code == 0
    assert len(log(host)) == 2, "nothing was published: nothing runs"
    manifest(host, "1.0", "one", "two", color="green")
    host.apply()
    assert len(log(host)) == 2, "settings alone publish nothing"
    manifest(host, "1.1", "one", "two", color="red")
    host.apply()
    assert log(host)[2:] == ["one 2 red", "two 2 red"]


def test_one_that_fails_gives_4_and_is_run_again_by_the_next_apply(host: Host) -> None:
    manifest(host, "1.0", "one", "fail")
    ran = host.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    assert finished(ran)["web"]["status"] == "hook-failed"
    assert "hook python" in finished(ran)["web"]["failure"]["message"]
    assert published(host, "web") == 1, "the new generation is live all the same"
    assert last_run(host)["exit_code"] == 4
    assert {each["code"] for each in host.environment("web")["reasons"]} == {"hooks-pending"}
    assert steps(host, "web") == ["after-publish"]

    assert host.envsync("apply", "--yes").code == 4
    assert log(host) == ["one 1 blue"] * 2

    manifest(host, "1.0", "one", "two")
    host.apply()
    assert log(host)[2:] == ["one 1 blue", "two 1 blue"]
    host.apply()
    assert len(log(host)) == 4
    assert published(host, "web") == 1


def test_taking_a_failed_hook_out_of_the_manifest_ends_it_for_good(host: Host) -> None:
    manifest(host, "1.0", "fail")
    assert host.envsync("apply", "--yes").code == 4
    manifest(host, "1.0")
    host.apply()
    manifest(host, "1.0", "one")
    assert steps(host, "web") == ["record"]
    host.apply()
    assert log(host) == []


def test_before_delete_runs_in_the_old_environment_and_its_failure_keeps_it(host: Host) -> None:
    manifest(host, "1.0", before="fail")
    host.apply()
    keep = 'keep:\n  python: "3.11"\n'
    host.manifest(keep)
    ran = host.envsync("apply", "--yes")
    assert ran.code == 4
    assert "hook python" in ran.err
    assert published(host, "web") == 1, "what could not be said goodbye to stays"

    manifest(host, "1.0", before="bye")
    host.apply()
    host.manifest(keep)
    host.apply()
    assert log(host) == ["bye 1 blue"]
    assert published(host, "web") == 0
