"""What `--adopt` replaced is listed, restored by `rollback --to N`, adopted again, and collected."""

import json
import subprocess
import sys

from tests.functional.host_state import last_run, planned
from tests.host import Host
from tests.state.edited import edit_state_file

WEB = 'web:\n  python: "3.11"\n  packages: [gamma]\n'


def test_it_is_listed_restored_and_collected(host: Host) -> None:
    host.manifest(WEB)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(host.venv("web"))], check=True)
    (host.venv("web") / "marker").write_text("mine")
    before = host.venv("web").stat().st_ino
    ran = host.apply("--adopt")
    assert "`envsync rollback web --to 1` restores the previous environment, at least until 20" in ran.out + ran.err
    listed = json.loads(host.envsync("history", "web", "--generations", "--output", "json").out)
    assert [(each["number"], each["adopted"], each["published"]) for each in listed] == [
        (1, True, False),
        (2, False, True),
    ]
    assert host.envsync("history", "web", "--generations").out.splitlines()[1].split()[-1] == "adopted"
    ran = host.envsync("rollback", "web")
    assert (ran.code, ran.err.splitlines()[1]) == (3, "hint: choose another generation with `--to`: 1")
    ran = host.envsync("diff", "web", "1")
    assert (ran.code, "generation 1 of `web` is the environment that `--adopt` replaced" in ran.err) == (3, True)

    ran = host.envsync("rollback", "web", "--to", "1")
    assert (ran.code, ran.out) == (0, "web: restored the environment that `--adopt` replaced\n"), ran.err
    assert (host.venv("web").stat().st_ino, host.venv("web").is_symlink()) == (before, False)
    assert subprocess.run([host.venv("web") / "bin/python", "-c", ""], check=False).returncode == 0
    assert last_run(host)["environments"][0]["reasons"] == ["from generation 2"]
    plan = planned(host)["web"]
    assert [(each["code"], each["origin"]) for each in plan["reasons"]] == [("rolled-back", "pending")]
    assert [(each["code"], each["origin"]) for each in plan["blocked"]] == [("not-ours", "pending")]
    assert host.envsync("apply", "--yes").code == 4
    assert host.envsync("hold", "web", "INC-42").code == 0
    assert host.envsync("apply", "--yes", "--adopt").code == 0
    assert not host.venv("web").is_symlink()
    assert host.envsync("release", "web").code == 0

    host.manifest(WEB + "  keep_generations: 1\n")
    host.apply("--adopt")
    assert (host.root / ".envsync/adopted/web/3/venv/marker").read_text() == "mine"
    assert host.envsync("gc").out == "No generations to delete.\n"
    kept = host.root / ".envsync/adopted/web/3/adopted.json"
    edit_state_file(kept, {"keep_until": "2020-01-01T00:00:00+00:00"})
    assert host.envsync("gc", "--dry-run").out == "web: generation 3 would be deleted\n"
    assert host.envsync("gc").out == "web: generation 3 deleted\n"
    assert not (host.root / ".envsync/adopted/web").exists()
    assert host.envsync("check").code == 0
