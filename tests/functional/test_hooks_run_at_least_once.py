"""Hooks run after publishing and before deleting: in order, at least once, and never if nothing was done."""

import json

from tests.functional.host_state import finished, last_run, published, steps
from tests.host import Host

SAY = (
    "import os, pathlib, sys; p = pathlib.Path(os.environ['LOG']); "
    "p.open('a').write(sys.argv[1] + ' ' + pathlib.Path(sys.prefix).parent.name + ' ' + os.environ['COLOR'] + chr(10))"
)


def manifest(host: Host, version: str, *hooks: str, before: str = "", color: str = "blue") -> None:
    """Declare `web` with hooks that each append their word, generation and color to a log; the hook `fail` fails."""
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


def test_hooks_run_in_order_after_each_publish_and_never_without_one(host: Host) -> None:
    manifest(host, "1.0", "one", "two")
    host.apply()
    assert log(host) == ["one 1 blue", "two 1 blue"]
    assert host.envsync("apply", "--yes").code == 0
    assert len(log(host)) == 2, "no hook runs if nothing was published"
    manifest(host, "1.0", "one", "two", color="green")
    host.apply()
    assert len(log(host)) == 2, "a change of settings publishes nothing"
    manifest(host, "1.1", "one", "two", color="red")
    host.apply()
    assert log(host)[2:] == ["one 2 red", "two 2 red"]


def test_a_failed_hook_gives_4_and_the_next_apply_runs_it_again(host: Host) -> None:
    manifest(host, "1.0", "one", "fail")
    ran = host.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    assert finished(ran)["web"]["status"] == "hook-failed"
    assert "hook `python" in finished(ran)["web"]["failure"]["message"]
    assert published(host, "web") == 1, "the new generation is published nevertheless"
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


def test_a_failed_hook_that_is_removed_from_the_manifest_is_not_run_again(host: Host) -> None:
    manifest(host, "1.0", "fail")
    assert host.envsync("apply", "--yes").code == 4
    manifest(host, "1.0")
    host.apply()
    manifest(host, "1.0", "one")
    assert steps(host, "web") == ["record"]
    host.apply()
    assert log(host) == []


def test_before_delete_runs_in_the_environment_and_its_failure_keeps_the_environment(host: Host) -> None:
    manifest(host, "1.0", before="fail")
    host.apply()
    keep = 'keep:\n  python: "3.11"\n'
    host.manifest(keep)
    ran = host.envsync("apply", "--yes")
    assert ran.code == 4
    assert "hook `python" in ran.err
    assert published(host, "web") == 1, "an environment is kept if its before_delete hook fails"

    manifest(host, "1.0", before="bye")
    host.apply()
    host.manifest(keep)
    host.apply()
    assert log(host) == ["bye 1 blue"]
    assert published(host, "web") == 0
