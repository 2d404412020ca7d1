"""What Python runs at every start is a finding of its own at every depth; what a locked wheel brings is listed."""

import json
from pathlib import Path

import pytest

from tests.host import Host, Ran
from tests.wheels import make_wheel

WEB = 'web:\n  python: "3.11"\n  packages: [starter=={}]\n  keep_generations: 3\n'
BRINGS = "`starter` brings a file that Python runs at every start: `lib/python3.11/site-packages/starter.pth`"


def make_starter(host: Host) -> None:
    """Add to the index starter 1.0, which runs nothing at a start, and starter 2.0, which does."""
    directory = host.directory.parent / "wheels"
    make_wheel(directory, "starter", "1.0", modules={"starter.py": ""})
    make_wheel(directory, "starter", "2.0", modules={"starter.py": "", "starter.pth": "import starter\n"})


def startup(ran: Ran) -> dict[str, tuple[str, str]]:
    """Return state and package of each startup file in the environment, by its name."""
    (row,) = json.loads(ran.out)
    files = [each for each in row["startup"] if not each["path"].startswith("/")]
    return {Path(each["path"]).name: (each["state"], each["package"]) for each in files}


def test_a_startup_file_of_a_locked_wheel_is_reported_before_it_is_published_and_listed_afterwards(host: Host) -> None:
    make_starter(host)
    host.manifest(WEB.format("1.0"))
    assert "every start" not in host.apply().err
    host.manifest(WEB.format("2.0"))
    host.envsync("lock")

    ran = host.envsync("apply", "--stage", "--yes", "--output", "json")

    assert ran.code == 0, ran.err
    notices = [each["message"] for each in ran.events() if each["type"] == "notice"]
    assert notices[1:] == [BRINGS]
    found = host.envsync("diff", "web", "1", "2", "--output", "json").json()["startup"]
    assert [(each["path"].rpartition("/")[2], each["change"], each["package"]) for each in found] == [
        ("starter.pth", "added", "starter")
    ]
    text = host.envsync("diff", "web", "1", "2").out
    assert "  ! startup file added: lib/python3.11/site-packages/starter.pth (starter)" in text
    assert host.envsync("publish", "web", "--yes").code == 0
    assert host.envsync("check").code == 0
    assert host.envsync("check", "--depth", "metadata").code == 0
    assert startup(host.envsync("status", "--startup", "--output", "json")) == {
        "starter.pth": ("sealed", "starter"),
    }
    assert (
        "  sealed of starter: lib/python3.11/site-packages/starter.pth (Python runs its `import` lines)"
        in host.envsync("status", "--startup").out
    )
    assert "startup" not in json.loads(host.envsync("status", "--output", "json").out)[0]


@pytest.mark.parametrize("depth", ["metadata", "files", "hashes"])
def test_an_added_and_a_changed_startup_file_are_findings_of_their_own_at_every_depth(host: Host, depth: str) -> None:
    make_starter(host)
    host.manifest(WEB.format("2.0"))
    host.apply()
    assert host.envsync("check", "--depth", depth).code == 0  # from now on, the fast path answers
    site = host.site_packages("web")
    changed = site / "starter.pth"
    before = changed.stat()
    changed.write_text("import other12\n"[: before.st_size])
    ran = host.envsync("check", "--depth", depth)
    assert (ran.code, "startup file" in ran.out) == (2, True), "edited in place, so its directory is unchanged"
    (site / "usercustomize.py").write_text("")

    ran = host.envsync("check", "--depth", depth, "--output", "sarif")

    assert ran.code == 2
    results = {each["ruleId"]: each for each in ran.json()["runs"][0]["results"]}
    assert [results[each]["level"] for each in ("startup-added", "startup-changed")] == ["error", "error"]
    text = host.envsync("check", "--depth", depth).out
    assert "! 1 startup file added: usercustomize.py (Python imports it)" in text
    assert "! 1 startup file changed: starter.pth (Python runs its `import` lines)" in text
    assert "::error " in host.envsync("check", "--depth", depth, "--output", "github").out
    assert startup(host.envsync("status", "--startup", "--depth", depth, "--output", "json")) == {
        "starter.pth": ("changed", "starter"),
        "usercustomize.py": ("added", ""),
    }
    host.apply()
    assert not (host.site_packages("web") / "usercustomize.py").exists()
