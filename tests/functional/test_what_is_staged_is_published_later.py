"""`apply --stage` builds and publishes nothing; `publish`, or a later apply, publishes exactly what was built."""

import datetime as dt
import json

import reconciler.state.staged
from tests.functional.host_state import finished, generations, last_run, planned, published, steps
from tests.host import Host
from tests.state.edited import stored_in, write_stored

SAY = "import os, pathlib, sys; pathlib.Path(os.environ['LOG']).open('a').write(sys.prefix.split('/')[-2] + chr(10))"


def manifest(host: Host, version: str, *, more: str = "") -> None:
    log = json.dumps(str(host.directory / "log"))
    host.manifest(
        f'web:\n  python: "3.11"\n  packages: [alpha=={version}]\n  ignore_files: ["cache/**"]\n  env: {{LOG: {log}}}\n'
        f"  hooks: {{after_publish: [[python, -c, {json.dumps(SAY)}]]}}\n"
        f'job:\n  python: "3.11"\n  depends_on: [web]\n  packages: [gamma]\n{more}'
    )


def log(host: Host) -> list[str]:
    path = host.directory / "log"
    return path.read_text().split() if path.exists() else []


def test_a_generation_is_staged_kept_and_published_without_the_index(host: Host) -> None:
    manifest(host, "1.0", more='old:\n  python: "3.11"\n')
    host.apply("web", "old")
    manifest(host, "1.1")
    ran = host.envsync("lock")
    assert ran.code == 0
    ran = host.envsync("plan", "--stage", "--out", "plan.json")
    assert ran.code == 0
    ran = host.envsync("apply", "--plan", "plan.json", "--output", "json")
    assert ran.code == 0, ran.err
    ended = finished(ran)
    assert {name: each["status"] for name, each in ended.items()} == {"job": "staged", "old": "left", "web": "staged"}
    assert (ended["web"]["generation"], ended["web"]["staged"]) == (1, 2)
    assert (published(host, "web"), published(host, "job"), published(host, "old")) == (1, 0, 1)
    assert log(host) == ["1"], "hooks run when it is published"
    assert {each["status"] for each in last_run(host)["environments"]} == {"staged"}

    assert "staged" in host.envsync("status").err
    assert {each["name"]: each["staged"] for each in json.loads(host.envsync("status", "--output", "json").out)} == {
        "job": 1,
        "old": 0,
        "web": 2,
    }
    assert host.envsync("check").code == 2
    assert host.envsync("gc").code == 0
    assert generations(host, "web") == [1, 2]
    kept = json.loads(host.envsync("history", "--generations", "--output", "json").out)
    assert {each["number"] for each in kept} == {1}
    assert host.envsync("rollback", "web", "--to", "2").code == 3, "it was never published"
    again = host.envsync("apply", "--stage", "--yes", "--output", "json")
    assert {each["status"] for each in finished(again).values()} == {"unchanged", "left"}

    written = host.venv("web") / "cache" / "late.txt"
    written.parent.mkdir()
    written.write_text("written after it was staged")
    host.index.requests.clear()
    ran = host.envsync("publish", "job", "--yes", "--output", "json")
    assert ran.code == 0, ran.err + ran.out
    assert {name: each["status"] for name, each in finished(ran).items()} == {"job": "applied", "web": "applied"}
    assert host.index.requests == []
    order = [each["environment"] for each in ran.events() if each["type"] == "environment-finished"]
    assert order == ["web", "job"], "what it depends on is published first"
    assert (published(host, "web"), published(host, "job")) == (2, 1)
    assert (host.venv("web") / "cache" / "late.txt").read_text() == "written after it was staged"
    assert log(host) == ["1", "2"]
    assert [each["name"] for each in last_run(host)["environments"]] == ["job", "web"]
    assert host.envsync("check", "--no-prune").code == 0
    assert host.envsync("verify").code == 0
    assert not host.envsync("publish", "--all", "--yes").code


def test_an_apply_publishes_what_is_staged_or_discards_it(host: Host) -> None:
    manifest(host, "1.0")
    host.apply("web")
    manifest(host, "1.1")
    assert host.envsync("apply", "web", "--stage", "--yes").code == 0
    assert steps(host, "web", "web") == ["verify-staged", "carry-over", "publish", "record", "after-publish"]
    host.apply("web")
    assert (published(host, "web"), log(host)) == (2, ["1", "2"])

    manifest(host, "1.0")
    assert host.envsync("apply", "web", "--stage", "--yes").code == 0
    manifest(host, "1.1")  # what is published is desired again
    assert host.envsync("plan", "web").out.count("not needed") == 1
    host.apply("web")
    assert generations(host, "web") == [1, 2]

    manifest(host, "1.0")
    assert host.envsync("apply", "web", "--stage", "--yes").code == 0
    manifest(host, "1.0", more='new:\n  python: "3.11"\n')
    assert host.envsync("apply", "new", "--stage", "--yes").code == 0
    manifest(host, "1.0")  # `new` is not declared any more
    host.apply()
    assert (published(host, "web"), generations(host, "new")) == (4, []), "number 3 is not used again"


def test_publish_refuses_what_changed_since_and_what_is_damaged(host: Host) -> None:
    manifest(host, "1.0")
    host.apply("web")
    manifest(host, "1.1")
    assert host.envsync("apply", "web", "--stage", "--yes").code == 0
    (host.site_packages("web") / "stray.py").write_text("changed = True\n")
    ran = host.envsync("publish", "web", "--yes", "--output", "json")
    assert ran.code == 4
    assert finished(ran)["web"]["reason"] == "stage-outdated"
    assert published(host, "web") == 1

    assert host.envsync("apply", "--stage", "web", "--yes").code == 0  # as the hint says
    assert generations(host, "web") == [1, 3], "the newer one replaces the older one"
    assert host.envsync("publish", "web", "--yes").code == 0
    assert published(host, "web") == 3
    assert (host.root / ".envsync/generations/web/1/drifted").exists()

    manifest(host, "1.0")
    assert host.envsync("apply", "--stage", "web", "--yes").code == 0
    file = next((host.root / ".envsync/generations/web/4").rglob("alpha/__init__.py"))
    text = file.read_text()
    file.unlink()  # not in place: the file is the same inode elsewhere
    file.write_text(text + "# edited\n")
    ran = host.envsync("publish", "web", "--yes")
    assert ran.code == 1
    assert "differs from its seal" in ran.err
    assert published(host, "web") == 3
    host.apply("web")  # as the hint says
    assert host.freeze("web")[0] == "alpha==1.0"


def test_what_cannot_be_staged_or_published_is_an_error_with_a_hint(host: Host) -> None:
    manifest(host, "1.0")
    for arguments in (
        ("publish", "--yes"),
        ("publish", "web", "--all", "--yes"),
        ("publish", "web", "--yes"),
        ("apply", "--stage", "--adopt", "--yes"),
        ("apply", "--stage", "--skip-hooks", "--yes"),
        ("plan", "--stage", "--depth", "hashes"),
    ):
        ran = host.envsync(*arguments)
        assert (ran.code, "hint:" in ran.err) == (3, True), arguments
    assert host.envsync("publish", "--all", "--yes").code == 0, "nothing is staged"


def test_a_staged_generation_is_kept_for_thirty_days_and_an_unreadable_one_is_named(host: Host) -> None:
    manifest(host, "1.0", more='other:\n  python: "3.11"\n')
    assert host.envsync("apply", "web", "--stage", "--yes").code == 0
    assert host.envsync("apply", "other", "--stage", "--yes").code == 0
    mark = host.root / ".envsync/generations/web/1/staged.json"
    stored = stored_in(mark)
    mark.write_text("{}")
    assert host.envsync("gc").code == 0
    assert "cannot be published" in host.envsync("plan", "web").err
    assert generations(host, "web") == [1], "unreadable is not absent"
    assert host.envsync("publish", "web", "--yes").code == 1
    ran = host.envsync("publish", "--all", "--yes")
    assert (ran.code, published(host, "other")) == (4, 1), "one that cannot be read keeps no other back"
    assert "cannot be published" in ran.err
    assert host.envsync("publish", "--all", "--yes").code == 1
    for age, kept in ((dt.timedelta(days=29), [1]), (reconciler.state.staged.KEEP, [])):
        write_stored(mark, {**stored, "staged": (dt.datetime.now(dt.UTC) - age).isoformat()})
        assert host.envsync("gc").code == 0
        assert generations(host, "web") == kept
    assert planned(host, "web")["web"]["action"] == "create"
