"""Generations share files: an edit in place spoils all of them, is named everywhere, and a rollback rebuilds them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.functional.host_state import generations, planned, published
from tests.functional.projects import write_project
from tests.host import Host
from tests.state.edited import edit_state_file

ENVIRONMENT = '%s:\n  python: "3.11"\n  packages: [alpha==%s, gamma]\n  link_mode: hardlink\n'
SHARED = "one edit is shared by "
BETA = "`lib/python3.11/site-packages/beta.py`"
GOOD = "NAME = 'beta'\n"


def apply_two(host: Host) -> None:
    """Apply `web` and `job` twice; all four generations share the files of beta and gamma."""
    for names, version in ((["web"], "1.0"), (["web", "job"], "1.0"), (["web", "job"], "1.1")):
        host.manifest("".join(ENVIRONMENT % (name, version) for name in names))
        assert host.envsync("apply", "--yes").code == 0


def edit_in_place(path: Path) -> None:
    with path.open("r+") as file:
        file.write("NAME = 'something else'\n")


def beta(host: Host, name: str) -> str:
    return (host.site_packages(name) / "beta.py").read_text()


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_a_shared_edit_is_named_and_a_rollback_rebuilds_what_it_spoilt(host: Host) -> None:
    apply_two(host)
    edit_in_place(host.site_packages("web") / "beta.py")

    # `check` and `plan` name both, in text and in JSON.
    sentence = f"{SHARED}`job` and `web` (hard links to one file): {BETA}"
    assert one_line(host.envsync("check").out).count(f"note: {sentence}") == 2
    assert [planned(host)[name]["notes"] for name in ("job", "web")] == [[sentence], [sentence]]

    # Every generation is unusable, and why.
    ran = host.envsync("verify", "--generations", "--output", "json")
    found = json.loads(ran.out)
    assert ran.code == 2
    assert [(each["name"], each["generation"], each["state"]) for each in found] == [
        (name, number, "damaged") for name in ("job", "web") for number in (1, 2)
    ]
    everywhere = f"{SHARED}generations 1 and 2 of `job` and generations 1 and 2 of `web` (hard links to one file): "
    assert {each["shared_edits"][0] for each in found} == {f"{everywhere}{BETA}"}
    assert f"note: {everywhere}" in one_line(host.envsync("history", "--generations").out)

    # Without the network it cannot be repaired: the cache has the edited file too.
    host.index.broken["*"] = 500
    ran = host.envsync("rollback", "web", "--offline")
    assert ran.code == 1
    assert f"1 installed file differs from `RECORD`: {BETA}" in ran.err
    assert (published(host, "web"), generations(host, "web")) == (2, [1, 2])
    host.index.broken.clear()
    ran = host.envsync("rollback", "web")
    assert (ran.code, ran.out) == (
        0,
        "web: generation 3, rebuilt from generation 1, is published again, generation 2 is kept\n",
    ), ran.err
    assert "generation 1 of `web` differs from its seal: `beta`: 1 file edited; it is rebuilt from its lock" in ran.err
    assert beta(host, "web") == GOOD
    assert "alpha==1.0" in host.freeze("web")
    assert host.envsync("verify", "web").code == 0
    reason = planned(host)["web"]["reasons"][0]["message"]
    assert reason == "rolled back from generation 2 to 3, which was rebuilt from generation 1"
    kept = json.loads(host.envsync("history", "web", "--output", "json").out)
    assert [(each["number"], each["state"], each["rebuilt_from"]) for each in kept] == [
        (1, "drifted", 0),
        (2, "damaged", 0),
        (3, "published", 1),
    ]
    assert {each["by"] for each in kept} != {""}

    # It counts as the one that it was rebuilt from: one more rollback does not go forward to generation 2.
    ran = host.envsync("rollback", "web")
    assert ran.code == 3
    assert "no generation older than the published one (3, rebuilt from 1)" in ran.err

    # The repair takes nothing from the edited cache. `verify` mentions what it left.
    host.apply()
    assert [beta(host, name) for name in ("web", "job")] == [GOOD, GOOD]
    ran = host.envsync("verify")
    assert ran.code == 0
    assert "No problems found" not in ran.out
    assert "note: older generations that differ from their seals: `job` 1; `web` 2;" in one_line(ran.out)

    # What is gone from the directory comes back without the network, because the cache is sound again.
    host.index.broken["*"] = 500
    shutil.rmtree(host.root / ".envsync/generations/job/1/venv")
    ran = host.envsync("rollback", "job", "--to", "1")
    assert ran.code == 0, ran.err
    assert "generation 1 of `job` differs from its seal: its virtual environment does not exist" in ran.err
    assert (beta(host, "job"), "alpha==1.0" in host.freeze("job")) == (GOOD, True)
    assert host.envsync("verify", "job").code == 0


def test_a_generation_whose_interpreter_or_lock_changed_is_not_rebuilt(host: Host) -> None:
    apply_two(host)
    edit_in_place(host.site_packages("web") / "beta.py")
    directory = host.root / ".envsync/generations/web/1"
    lock, seal = directory / "pylock.toml", directory / "seal.json"
    readable = lock.read_text(), seal.read_text()

    def refused(problem: str) -> None:
        ran = host.envsync("rollback", "web", "--to", "1")
        assert ran.code == 1
        assert "generation 1 of `web` differs from its seal: " in ran.err
        assert f"it cannot be rebuilt: {problem}" in ran.err
        assert (published(host, "web"), generations(host, "web")) == (2, [1, 2])

    recorded = {each["name"]: each["source"]["sha256"] for each in json.loads(readable[1])["applied"]["packages"]}
    lock.write_text(readable[0].replace(recorded["beta"], "0" * 64))
    refused("its `pylock.toml` differs from its seal: `beta`")
    lock.write_text("[")
    refused("its `pylock.toml` is damaged")
    lock.unlink()
    lock.symlink_to("/etc/passwd")
    refused("its `pylock.toml` cannot be read")
    lock.unlink()
    lock.write_text(readable[0])
    edit_state_file(seal, lambda stored: stored["applied"]["interpreter"].update(version="3.11.99"))
    refused("its interpreter `")
    edit_state_file(seal, lambda stored: stored["applied"]["interpreter"].update(path="/no/such/python3.11"))
    refused("its interpreter `/no/such/python3.11` is gone")


def test_a_local_project_is_rebuilt_only_while_its_directory_is_as_it_was(host: Host) -> None:
    module = write_project(host.directory / "own", "own")
    for word in ("first", "second"):
        module.write_text(f"WORD = '{word}'\n")
        host.manifest('web:\n  python: "3.11"\n  project: {path: own, editable: false}\n')
        host.apply()
    shutil.rmtree(host.root / ".envsync/generations/web/1/venv")
    ran = host.envsync("rollback", "web")
    assert ran.code == 1
    assert "it cannot be rebuilt: the directory of `own` changed since it was built" in ran.err
    module.write_text("WORD = 'first'\n")
    ran = host.envsync("rollback", "web")
    assert ran.code == 0, ran.err
    assert "first" in (host.site_packages("web") / "own.py").read_text()


@pytest.mark.parametrize("place", ["index", "path"])
def test_a_repair_does_not_take_an_edited_mode_or_file_from_the_cache(host: Host, place: str) -> None:
    package = "gamma"
    if place == "path":
        wheel = next(host.index.directory.glob("gamma-*.whl"))
        package = f'"gamma @ file://{shutil.copy(wheel, host.directory)}"'
    host.manifest(f'web:\n  python: "3.11"\n  packages: [{package}]\n  link_mode: hardlink\n')
    host.apply()
    module = host.site_packages("web") / "gamma/__init__.py"
    module.chmod(0o755)
    host.apply()
    repaired = host.site_packages("web") / "gamma/__init__.py"
    assert repaired.stat().st_mode & 0o111 == 0
    edit_in_place(repaired)
    host.apply()
    assert (host.site_packages("web") / "gamma/__init__.py").read_text() == ""
