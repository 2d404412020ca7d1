"""An environment that cannot be locked is blocked with the reason, and all others continue."""

import json
import re

import pytest

from tests.functional.host_state import finished, planned, published
from tests.host import Host

MANIFEST = """\
bad:
  python: "3.11"
  packages: [alpha==7.0]
below:
  python: "3.11"
  depends_on: [bad]
good:
  python: "3.11"
  packages: [alpha==1.0]
same:
  python: "3.11"
  packages: [alpha==7.0]
"""


@pytest.fixture
def declared(host: Host) -> Host:
    host.manifest(MANIFEST)
    return host


def test_the_plan_shows_it_and_the_others_and_exits_with_1(declared: Host) -> None:
    ran = declared.envsync("plan", "--detailed-exitcode")
    assert ran.code == 1
    assert re.search(r"^ +x +bad +blocked: could not be locked: no set of packages satisfies", ran.out, re.MULTILINE)
    assert re.search(r"^ +x +below +blocked: depends on `bad`, which could not be locked", ran.out, re.MULTILINE)
    assert re.search(r"^ +\+ +good +create: python 3\.11\S*, 2 packages", ran.out, re.MULTILINE)
    assert ran.out.endswith("Plan: 1 to create, 3 blocked.\n")
    assert ran.err.startswith("error: bad, same: no set of packages satisfies the requirements\n")
    assert "alpha==7.0" in ran.err
    assert len(re.findall(r"^error: ", ran.err, re.MULTILINE)) == 1, "one resolution, one error"

    ran = declared.envsync("plan", "--output", "json")
    assert ran.code == 1
    found = {each["name"]: each for each in ran.json()["environments"]}
    assert found["bad"]["failure"]["code"] == "resolve"
    assert any("alpha==7.0" in line for line in found["bad"]["failure"]["details"])
    assert [each["code"] for each in found["bad"]["blocked"]] == ["lock-failed"]
    assert [each["code"] for each in found["below"]["blocked"]] == ["dependency-failed"]
    assert found["good"]["failure"] is None
    assert not (declared.directory / "locks").exists()


def test_apply_applies_the_others_and_exits_with_4(declared: Host) -> None:
    ran = declared.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    assert "error: bad, same: no set of packages satisfies" in ran.err
    ended = finished(ran)
    assert {name: (each["status"], each["reason"]) for name, each in ended.items()} == {
        "bad": ("blocked", "lock-failed"),
        "below": ("blocked", "dependency-failed"),
        "good": ("applied", ""),
        "same": ("blocked", "lock-failed"),
    }
    assert ended["bad"]["failure"]["code"] == "resolve"
    assert ended["below"]["failure"]["code"] == "dependency-failed"
    assert (published(declared, "good"), published(declared, "bad")) == (1, 0)

    ran = declared.envsync("apply", "--yes")
    assert ran.code == 1, "nothing is left that can be done"
    assert "error: bad, same: " in ran.err
    assert ran.out.endswith("Plan: 3 blocked, 1 unchanged.\n")
    assert ran.err.endswith("\nNot applied: 3 blocked; 1 unchanged.\n")

    declared.manifest(MANIFEST.replace("7.0", "1.1"))
    declared.apply()


def test_its_published_generation_is_kept_and_drift_is_reported(declared: Host) -> None:
    declared.manifest(MANIFEST.replace("7.0", "1.0"))
    declared.apply()
    edited = declared.site_packages("bad") / "beta.py"
    edited.unlink()  # the file is shared with `good`
    edited.write_text("changed")
    declared.manifest(MANIFEST)
    assert declared.envsync("apply", "--yes").code == 1
    assert declared.freeze("bad") == ["alpha==1.0", "beta==2.0"]
    assert published(declared, "bad") == 1
    ran = declared.envsync("plan", "--output", "json")
    reasons = {each["name"]: [reason["code"] for reason in each["reasons"]] for each in ran.json()["environments"]}
    assert reasons["bad"] == ["lock-stale", "files-drifted"]
    assert declared.envsync("apply", "--yes", "good").code == 0, "environments that are not selected do not count"


def test_lock_writes_the_other_locks_and_names_those_that_failed(declared: Host) -> None:
    ran = declared.envsync("lock")
    assert ran.code == 1
    assert "good: wrote pylock.good.toml" in ran.err
    assert "error: bad, same: no set of packages satisfies" in ran.err
    assert sorted(each.name for each in (declared.directory / "locks").iterdir()) == [
        "pylock.below.toml",
        "pylock.good.toml",
    ]
    assert declared.envsync("lock", "--check").code == 2


def test_an_index_that_fails_for_one_package_does_not_stop_the_others(declared: Host) -> None:
    declared.manifest(MANIFEST.replace("alpha==7.0", "gamma"))
    declared.index.broken["/simple/gamma/"] = 403
    ran = declared.envsync("apply", "--yes", "--output", "json")
    assert ran.code == 4
    assert finished(ran)["bad"]["failure"]["code"] == "index-forbidden"
    assert "index-forbidden" in json.dumps(ran.events()[-1])
    declared.index.broken.clear()
    assert planned(declared)["bad"]["blocked"] == []
    declared.apply()
