"""`check --actual` with a snapshot, on a machine that has only manifest and locks, gives the host's own answer."""

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
from tests.functional import test_check_finds_and_apply_puts_right as manual
from tests.functional.host_state import last_run, tree
from tests.functional.projects import write_project
from tests.host import Host, Ran

SECRET = "hunter2"  # noqa: S105  # not a real one
WEB = f"""
web:
  python: "3.11"
  packages: [alpha==1.0, gamma]
  env: {{API_TOKEN: {SECRET}, DEBUG: "1", public: [DEBUG]}}
old:
  python: ">=3.11"
  packages: [beta]
"""
PENDING = f"""
web:
  python: ">=3.11"
  packages: [alpha==1.1]
  env: {{API_TOKEN: {SECRET}, DEBUG: "2", public: [DEBUG]}}
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


def directory_at_its_path(host: Host) -> None:
    (host.root / "old").mkdir()


# In this order; the damages of one line are done together.
DAMAGES = (
    (file_named_in_no_encoding_added,),
    (manual.module_edited, manual.module_deleted),
    (manual.record_removed, manual.metadata_emptied),
    (manual.pyvenv_cfg_removed, manual.interpreter_dangling),
    (metadata_removed,),
    (unpublished,),
    (directory_at_its_path,),
)


def ci_of(host: Host) -> Host:
    """Return a machine that has only the repository."""
    elsewhere = host.directory.parent / "ci"
    shutil.rmtree(elsewhere, ignore_errors=True)
    shutil.copytree(host.directory, elsewhere, ignore=shutil.ignore_patterns(".envs"))
    return replace(host, directory=elsewhere)


def checked(host: Host, *arguments: str, depth: str = "files") -> Ran:
    """Check a host on the host itself and, by its snapshot, on a different machine: both must print the same."""
    on_host = host.envsync("check", "--output", "json", "--depth", depth, *arguments)
    ran = host.envsync("observe", "--out", "../snapshot.json", "--depth", depth)
    assert (ran.code, ran.out) == (0, ""), ran.err
    text = (host.directory.parent / "snapshot.json").read_text(encoding="ascii")
    assert SECRET not in text
    ci = ci_of(host)
    hidden = host.directory.rename(host.directory.with_name("hidden"))
    try:
        before = tree(ci.directory)
        on_ci = ci.envsync("check", "--output", "json", "--actual", "../snapshot.json", *arguments)
        assert tree(ci.directory) == before, "the check writes nothing"
    finally:
        hidden.rename(host.directory)
    assert (on_ci.code, on_ci.err) == (on_host.code, on_host.err)
    assert json.loads(on_ci.out) == without_shared_edits(json.loads(on_host.out))
    return on_ci


def without_shared_edits(document: dict[str, Any]) -> dict[str, Any]:
    """Return a check without the notes about inodes that environments share, which are not part of a snapshot."""
    for each in document["environments"]:
        each["notes"] = [note for note in each["notes"] if "(hard links to" not in note]
    return document


def test_the_answer_is_the_same_without_changes_with_pending_changes_and_with_every_damage(host: Host) -> None:
    host.manifest(WEB)
    host.apply()
    for depth in ("metadata", "files", "hashes"):
        assert checked(host, depth=depth).code == 0
    host.manifest(WEB.replace("alpha==1.0", "alpha==1.1"))  # without a lock for it
    assert checked(host).json()["complete"] is False
    host.manifest(WEB)
    for damages in DAMAGES:
        for damage in damages:
            damage(host)
        assert checked(host).code == 2
    assert checked(host, "--only", "drift").code == 2
    assert checked(host, "--only", "pending").code == 0
    host.manifest(PENDING)
    assert host.envsync("lock").code == 0
    found = checked(host).json()
    assert {each["name"]: each["action"] for each in found["environments"]} == {
        "new": "create",
        "old": "delete",
        "web": "update",
    }
    origins = {each["origin"] for each in found["environments"][2]["packages"]}
    assert origins == {"drift", "pending"}
    checked(host, "--no-prune")
    checked(host, "web")
    assert {each["name"] for each in changes(checked(host, "--only", "drift"))} == {"web"}
    assert {each["name"] for each in changes(checked(host, "--only", "pending"))} == {"web", "new", "old"}


def changes(ran: Ran) -> list[dict[str, Any]]:
    return [each for each in ran.json()["environments"] if each["action"] != "no-op" or each["blocked"]]


def test_a_local_project_is_compared_with_the_sources_on_this_machine(host: Host) -> None:
    module = write_project(host.directory / "own", "own", dependencies='["beta"]')
    host.manifest(
        'web: {python: "3.11", project: {path: own}}\neasy: {python: "3.11", project: {path: own, editable: true}}\n'
    )
    assert host.envsync("lock").code == 0
    host.apply()
    assert checked(host).code == 0
    module.write_text("WORD = 'second'\n")
    assert [each["name"] for each in changes(checked(host))] == ["web"]


def test_the_check_starts_no_program_and_a_missing_interpreter_of_the_host_is_named(
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
        ("web", "no-op", False),
    ]
    assert [each.blocked[0].code for each in plan.environments] == ["no-interpreter", "no-interpreter"]
    for command in ("check", "plan"):
        ran = ci.envsync(command, "--actual", "../snapshot.json", *["--detailed-exitcode"] * (command == "plan"))
        assert ran.code == 2, ran.err
        assert "the snapshot lists no python 3.99 (envs.yaml:" in " ".join(ran.out.split())
    ran = ci.envsync("plan", "--actual", "../snapshot.json", "--output", "json")
    assert (ran.code, ran.json()["difference"]) == (0, True)


def test_every_format_shows_the_host_and_nothing_of_this_machine(host: Host) -> None:
    host.manifest('web: {python: "3.11"}\n')
    host.apply()
    assert host.envsync("observe", "--out", "../snapshot.json").code == 0
    run = str(last_run(host)["at"])
    assert run in host.envsync("check", "--output", "html").out, "the HTML page of this machine contains its history"
    manual.stray_pth_added(host)
    for form in Format:
        ran = host.envsync("check", "--actual", "../snapshot.json", "--output", form.value)
        assert (ran.code, ran.err) == (0, ""), form
        assert "evil.pth" not in ran.out
        assert run not in ran.out


def test_an_unsuitable_snapshot_and_unsuitable_options_are_refused(host: Host) -> None:
    host.manifest('web: {python: "3.11"}\nold: {python: "3.11"}\n')
    assert host.envsync("lock").code == 0
    assert host.envsync("observe", "web", "--out", "../snapshot.json").code == 0
    ran = host.envsync("check", "--actual", "../snapshot.json")
    assert (ran.code, "contains only `web`" in ran.err) == (3, True)
    assert host.envsync("check", "web", "--actual", "../snapshot.json").code == 2
    assert host.envsync("check", "old", "--actual", "../snapshot.json").code == 3
    for option in (["--depth", "hashes"], ["--against", "HEAD"], ["--out", "x"], ["--timeout", "9"]):
        ran = host.envsync("plan", "web", "--actual", "../snapshot.json", *option)
        assert (ran.code, "cannot be combined" in ran.err) == (3, True), ran.err
    text = (host.directory / "envs.yaml").read_text()
    (host.directory / "envs.yaml").write_text(text.replace("project: acme", "project: other"))
    ran = host.envsync("check", "web", "--actual", "../snapshot.json")
    assert (ran.code, "project `acme`" in ran.err, ran.out) == (3, True, "")
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
    assert (ran.code, "`--out there`: must be a regular file" in ran.err) == (3, True)
    ran = host.envsync("observe", "--out", "missing/snapshot.json")
    assert (ran.code, "the directory `missing` does not exist" in ran.err) == (3, True)
