"""`observe` on a host, `check --actual` where there is nothing but manifest and locks: the same answer."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.processes.child import Completed
from reconciler.render.formats import Format
from reconciler.snapshot.file import read_snapshot
from tests.functional import test_check_finds_and_apply_puts_right as by_hand
from tests.functional.looking import last_run, tree
from tests.functional.projects import write_project
from tests.host import Host, Ran

SECRET = "hunter2"  # noqa: S105  # nobody's
WEB = f"""
web:
  python: "3.11"
  packages: [alpha==1.0, gamma]
  env: {{API_TOKEN: {SECRET}, DEBUG: "1"}}
old:
  python: ">=3.11"
  packages: [beta]
"""
PENDING = f"""
web:
  python: ">=3.11"
  packages: [alpha==1.1]
  env: {{API_TOKEN: {SECRET}, DEBUG: "2"}}
  probes: [dependencies]
new:
  python: ">=3.11"
  packages: [beta]
"""


def file_named_in_no_encoding_added(host: Host) -> None:
    strange = os.fsencode(host.site_packages("web").resolve()) + b"/\xff\\udcff.pth"
    Path(os.fsdecode(strange)).write_text("import os\n")


def metadata_removed(host: Host) -> None:
    shutil.rmtree(host.site_packages("web") / "gamma-0.1.dist-info")


def unpublished(host: Host) -> None:
    (host.root / "old").unlink()


def directory_in_its_place(host: Host) -> None:
    (host.root / "old").mkdir()


# One after the other; what is in one line is done at once.
DAMAGES = (
    (file_named_in_no_encoding_added,),
    (by_hand.module_edited, by_hand.module_deleted),
    (by_hand.record_removed, by_hand.metadata_emptied),
    (by_hand.pyvenv_cfg_removed, by_hand.interpreter_dangling),
    (metadata_removed,),
    (unpublished,),
    (directory_in_its_place,),
)


def ci_of(host: Host) -> Host:
    """Return a machine that has the repository and nothing else."""
    elsewhere = host.directory.parent / "ci"
    shutil.rmtree(elsewhere, ignore_errors=True)
    shutil.copytree(host.directory, elsewhere, ignore=shutil.ignore_patterns(".envs"))
    return replace(host, directory=elsewhere)


def judged(host: Host, *arguments: str, depth: str = "files") -> Ran:
    """Check a host on itself and, by its snapshot, elsewhere while it is not there: code and JSON must be equal."""
    there = host.envsync("check", "--output", "json", "--depth", depth, *arguments)
    ran = host.envsync("observe", "--out", "../snapshot.json", "--depth", depth)
    assert (ran.code, ran.out) == (0, ""), ran.err
    text = (host.directory.parent / "snapshot.json").read_text(encoding="ascii")
    assert SECRET not in text
    ci = ci_of(host)
    hidden = host.directory.rename(host.directory.with_name("hidden"))
    try:
        before = tree(ci.directory)
        here = ci.envsync("check", "--output", "json", "--actual", "../snapshot.json", *arguments)
        assert tree(ci.directory) == before, "judging writes nothing"
    finally:
        hidden.rename(host.directory)
    assert (here.code, here.err) == (there.code, there.err)
    assert json.loads(here.out) == json.loads(there.out)
    return here


def test_it_is_the_same_answer_for_no_change_pending_changes_and_every_damage(host: Host) -> None:
    host.manifest(WEB)
    host.apply()
    for depth in ("metadata", "files", "hashes"):
        assert judged(host, depth=depth).code == 0
    host.manifest(WEB.replace("alpha==1.0", "alpha==1.1"))  # and no lock for it
    assert judged(host).json()["complete"] is False
    host.manifest(WEB)
    for damages in DAMAGES:
        for damage in damages:
            damage(host)
        assert judged(host).code == 2
    assert judged(host, "--only", "drift").code == 2
    assert judged(host, "--only", "pending").code == 0
    host.manifest(PENDING)
    assert host.envsync("lock").code == 0
    found = judged(host).json()
    assert {each["name"]: each["action"] for each in found["environments"]} == {
        "new": "create",
        "old": "delete",
        "web": "update",
    }
    origins = {each["origin"] for each in found["environments"][2]["packages"]}
    assert origins == {"drift", "pending"}
    judged(host, "--no-prune")
    judged(host, "web")
    assert {each["name"] for each in changes(judged(host, "--only", "drift"))} == {"web"}
    assert {each["name"] for each in changes(judged(host, "--only", "pending"))} == {"web", "new", "old"}


def changes(ran: Ran) -> list[dict[str, Any]]:
    return [each for each in ran.json()["environments"] if each["action"] != "no-op" or each["blocked"]]


def test_a_local_project_is_judged_by_the_sources_that_are_here(host: Host) -> None:
    module = write_project(host.directory / "own", "own", dependencies='["beta"]')
    host.manifest(
        'web: {python: "3.11", project: {path: own}}\neasy: {python: "3.11", project: {path: own, editable: true}}\n'
    )
    assert host.envsync("lock").code == 0
    host.apply()
    assert judged(host).code == 0
    module.write_text("WORD = 'second'\n")
    assert [each["name"] for each in changes(judged(host))] == ["web"]


def test_judging_starts_no_program_and_what_the_host_has_no_interpreter_for_is_said(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.manifest('web: {python: "3.11", packages: [beta]}\n')
    host.apply()
    assert host.envsync("observe", "--out", "../snapshot.json").code == 0
    host.manifest('web: {python: "3.99", packages: [beta]}\nnext: {python: "/opt/nowhere/python3"}\n')
    ci = ci_of(host)

    def refuse(*arguments: object, **options: object) -> Completed:
        raise AssertionError(f"started {arguments} {options}")

    for module in ("reconciler.interpreters.query", "reconciler.engines.uv"):
        monkeypatch.setattr(f"{module}.run_child", refuse)
    workspace = reconciler.load(ci.directory / "envs.yaml")
    plan = workspace.plan_snapshot(read_snapshot(host.directory.parent / "snapshot.json"))
    assert [(each.name, each.action.value, each.complete) for each in plan.environments] == [
        ("next", "create", False),
        ("web", "replace", False),
    ]
    assert "the snapshot lists no interpreter that satisfies python '3.99'" in plan.environments[1].hints[0]
    for command in ("check", "plan"):
        ran = ci.envsync(command, "--actual", "../snapshot.json", *["--detailed-exitcode"] * (command == "plan"))
        assert ran.code == 2, ran.err
        assert "-> no interpreter that satisfies '3.99'" in ran.out
    ran = ci.envsync("plan", "--actual", "../snapshot.json", "--output", "json")
    assert (ran.code, ran.json()["difference"]) == (0, True)


def test_every_format_tells_of_the_host_and_of_nothing_that_is_here(host: Host) -> None:
    host.manifest('web: {python: "3.11"}\n')
    host.apply()
    assert host.envsync("observe", "--out", "../snapshot.json").code == 0
    run = str(last_run(host)["at"])
    assert run in host.envsync("check", "--output", "html").out, "a page of this machine has its history"
    by_hand.stray_pth_added(host)
    for form in Format:
        ran = host.envsync("check", "--actual", "../snapshot.json", "--output", form.value)
        assert (ran.code, ran.err) == (0, ""), form
        assert "evil.pth" not in ran.out
        assert run not in ran.out


def test_a_snapshot_of_something_else_and_options_that_do_not_fit_are_refused(host: Host) -> None:
    host.manifest('web: {python: "3.11"}\nold: {python: "3.11"}\n')
    assert host.envsync("lock").code == 0
    assert host.envsync("observe", "web", "--out", "../snapshot.json").code == 0
    ran = host.envsync("check", "--actual", "../snapshot.json")
    assert (ran.code, "contains only web" in ran.err) == (3, True)
    assert host.envsync("check", "web", "--actual", "../snapshot.json").code == 2
    assert host.envsync("check", "old", "--actual", "../snapshot.json").code == 3
    for option in (["--depth", "hashes"], ["--against", "HEAD"], ["--out", "x"], ["--timeout", "9"]):
        ran = host.envsync("plan", "web", "--actual", "../snapshot.json", *option)
        assert (ran.code, "cannot be combined" in ran.err) == (3, True), ran.err
    text = (host.directory / "envs.yaml").read_text()
    (host.directory / "envs.yaml").write_text(text.replace("project: acme", "project: other"))
    ran = host.envsync("check", "web", "--actual", "../snapshot.json")
    assert (ran.code, "project acme" in ran.err, ran.out) == (3, True, "")
    ran = host.envsync("check", "--actual", "../none.json", "--output", "json")
    assert (ran.code, ran.json()["error"]["code"]) == (3, "snapshot")


def test_observe_writes_to_standard_output_and_changes_nothing(host: Host) -> None:
    host.manifest('web: {python: "3.11"}\n')
    host.apply()
    before = tree(host.directory)
    ran = host.envsync("observe")
    assert (ran.code, ran.err, ran.json()["selected"]) == (0, "", False)
    assert tree(host.directory) == before
    (host.directory / "there").mkdir()
    ran = host.envsync("observe", "--out", "there")
    assert (ran.code, "not a regular file" in ran.err) == (3, True)
