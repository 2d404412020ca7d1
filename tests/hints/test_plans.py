"""Hints of plans and of what blocks a change: adopt, prune, destroy, owners, exceptions, saved plans."""

import json
import shutil
import subprocess
from pathlib import Path

import reconciler
from reconciler.plan.origin_filter import OriginFilter, filter_by_origin
from reconciler.plan.plan_file import save_plan
from tests.functional.installed import dist_info
from tests.functional.test_another_manifests_environments_are_not_deleted import write as write_manifest
from tests.hints.trials import Attempts, pattern, trial, tried
from tests.host import Host, base_environment
from tests.plan.build import world
from tests.plan.test_cases import load
from tests.wheels import make_sdist, make_wheel

WEB = 'web:\n  python: "3.11"\n'
JOBS = 'jobs:\n  python: "3.11"\n'
CASES = Path(__file__).parent.parent / "cases" / "plan"
# The trials of the plan cases, which need no host.
NEVER_APPLIED = tried(["plan/environment.py: nothing to destroy: {name} was never applied"], __name__)[0]
CLEAN_AFTER = ("plan", "--detailed-exitcode")


def venv(path: Path) -> None:
    subprocess.run(["python3", "-m", "venv", "--without-pip", path], check=True)


def apply(host: Host, *arguments: str) -> None:
    ran = host.envsync("apply", "--yes", *arguments)
    assert ran.code == 0, ran.out + ran.err


@trial(
    "plan/blockers.py: apply with `--adopt` to take it over; the old environment is kept",
    "plan/blockers.py: move it to a different path",
    "apply/publish.py: move it to a different path, or take over a virtual environment with `envsync apply --adopt`",
    long=True,
)
def test_something_else_is_at_the_path(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    host.root.mkdir()
    venv(host.root / "web")
    attempts.provoke("plan")
    apply(host, *attempts.options())
    attempts.gone(*CLEAN_AFTER)

    shutil.rmtree(host.root)
    host.root.mkdir()
    (host.root / "web").mkdir()
    (host.root / "web/notes.txt").touch()
    attempts.provoke("plan")
    (host.root / "web").rename(host.directory / "elsewhere")
    apply(host)
    attempts.gone(*CLEAN_AFTER)

    host.manifest(WEB + "  description: second\n  env: {A: b}\n  packages: [gamma]\n")
    apply(host)
    (host.root / "web").unlink()
    venv(host.root / "web")
    attempts.provoke("rollback", "web", "--to", "1")
    attempts.follow()
    attempts.gone("rollback", "web", "--to", "2")


@trial(
    "plan/make.py: run `envsync rollback {name}` to restore it, for {age} after the deletion",
    "cli/maintenance.py: declare `{name}` in `{manifest}`, or the next `apply` deletes it",
    "plan/make.py: set `keep_deleted` in the manifest to be able to restore it after the deletion",
    "plan/environment.py: run without `--no-prune` to delete `{name}`, which `{file}` no longer declares",
    "plan/blockers.py: declare it again, or undo the change",
    "plan/blockers.py: apply with `--allow-empty` to delete all of them",
)
def test_deletions(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB + JOBS)
    apply(host)
    host.manifest(WEB)
    attempts.provoke("plan")
    apply(host)
    assert not (host.root / "jobs").exists()
    hint = attempts.last
    attempts.printed_by(attempts.follow()[0])  # the hint of the rollback itself
    assert (host.root / "jobs").exists()
    attempts.settled.add(hint)
    host.manifest(WEB + JOBS)
    attempts.gone(*CLEAN_AFTER)

    host.manifest(WEB, head="keep_deleted: 0\n")
    attempts.provoke("plan")
    host.manifest(WEB, head="keep_deleted: 7 days\n")
    attempts.gone("plan")

    host.manifest(WEB)
    attempts.provoke("plan", "--no-prune")
    attempts.gone("plan")
    (host.site_packages("jobs") / "stray.pth").write_text("# stray\n", encoding="utf-8")
    attempts.provoke("plan", "--no-prune", "--depth", "files")
    host.manifest(WEB + JOBS)
    apply(host)
    attempts.gone(*CLEAN_AFTER)
    host.manifest(WEB)
    stray = host.site_packages("jobs") / "stray.pth"
    stray.touch()
    stray.unlink()
    attempts.gone("plan", "--no-prune", "--depth", "files")

    host.manifest("")
    attempts.provoke("plan")
    apply(host, *attempts.options())
    attempts.gone(*CLEAN_AFTER)


def test_only_what_was_applied_is_destroyed() -> None:
    """A plan of the Python API can name more than the command accepts; it says that there is nothing to do."""
    plan = world(load(CASES / "destroy-requested_outside-the-selection.yaml")).plan()
    assert any(pattern(NEVER_APPLIED).fullmatch(hint) for each in plan.environments for hint in each.hints)


@trial(
    "plan/blockers.py: to delete it, first apply it with `prevent_destroy: false` in {file}",
    "plan/blockers.py: remove `{name}` from the `depends_on` of {dependents} and apply that, or delete them too",
)
def test_a_deletion_that_is_prevented(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB + "  prevent_destroy: true\n" + JOBS + "  depends_on: [web]\n")
    apply(host)
    attempts.provoke("destroy", "web", "--yes", of="plan/blockers.py: to delete it")
    host.manifest(WEB + "  prevent_destroy: false\n" + JOBS + "  depends_on: [web]\n")
    apply(host)
    blocked = host.envsync("destroy", "web", "--yes")
    assert "prevent_destroy" not in blocked.out
    attempts.cured()
    attempts.printed_by(blocked)
    host.manifest(WEB + JOBS)
    apply(host)
    attempts.gone("destroy", "web", "--yes")
    host.manifest(WEB + JOBS + "  depends_on: [web]\n")
    apply(host)
    attempts.gone("destroy", "web", "jobs", "--yes")


@trial(
    "plan/blockers.py: write `project: {name}` again, or apply with `--take-over`",
    "plan/blockers.py: choose a different name or a different root",
    "apply/last_applied.py: run the command with the manifest of that project",
)
def test_another_project(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    apply(host)
    manifest = host.directory / "envs.yaml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("project: acme", "project: other"), encoding="utf-8")
    hint = attempts.provoke("plan")
    manifest.write_text(text.replace("project: acme", hint.split("`")[1]), encoding="utf-8")
    attempts.gone(*CLEAN_AFTER)
    manifest.write_text(text.replace("project: acme", "project: other"), encoding="utf-8")
    apply(host, *attempts.options())
    attempts.gone(*CLEAN_AFTER)

    (host.directory / "more").mkdir()
    other = host.directory / "more/envs.yaml"
    other.write_text(text.replace("project: acme", "project: acme\nroot: " + str(host.root)), encoding="utf-8")
    attempts.provoke("plan", "-f", "more/envs.yaml")
    other.write_text(other.read_text("utf-8").replace("  web:", "  site:"), encoding="utf-8")
    attempts.gone("plan", "-f", "more/envs.yaml")
    other.write_text(text.replace("project: acme", "project: acme\nroot: /nowhere/envs"), encoding="utf-8")
    attempts.gone("plan", "-f", "more/envs.yaml")

    other.write_text(text.replace("project: acme", "project: acme\nroot: " + str(host.root)), encoding="utf-8")
    attempts.provoke("rollback", "web", "-f", "more/envs.yaml")
    host.manifest(WEB + "  env: {A: b}\n  packages: [gamma]\n")
    manifest.write_text(manifest.read_text("utf-8").replace("project: acme", "project: other"), encoding="utf-8")
    apply(host)
    attempts.gone("rollback", "web")


@trial(
    "plan/blockers.py: give each manifest its own `project`; to delete `{name}`, run `envsync destroy {name} --take-over`",
    "plan/environment.py: declare `{name}` in one manifest only: it was last applied from {manifest}",
)
def test_two_manifests_of_one_project(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    apply(host)
    text = (host.directory / "envs.yaml").read_text(encoding="utf-8")
    (host.directory / "jobs.yaml").write_text(text.replace("  web:", "  jobs:"), encoding="utf-8")
    attempts.provoke("plan", "-f", "jobs.yaml")
    (host.directory / "jobs.yaml").write_text(
        text.replace("  web:", "  jobs:").replace("project: acme", "project: jobs"), encoding="utf-8"
    )
    attempts.gone("plan", "-f", "jobs.yaml")
    (host.directory / "jobs.yaml").write_text(text.replace("  web:", "  jobs:"), encoding="utf-8")
    attempts.follow()  # it names the manifest
    attempts.gone("plan", "-f", "jobs.yaml")

    apply(host)
    (host.directory / "jobs.yaml").write_text(
        text.replace('python: "3.11"', 'python: "3.11"\n    env: {A: b}'), encoding="utf-8"
    )
    attempts.provoke("plan", "-f", "jobs.yaml")
    (host.directory / "jobs.yaml").write_text(
        text.replace('python: "3.11"', 'python: "3.11"\n    env: {A: b}').replace("  web:", "  jobs:"), encoding="utf-8"
    )
    attempts.gone("plan", "-f", "jobs.yaml", "--no-prune")


@trial(
    "plan/blockers.py: give each manifest its own `project`; to delete `{name}`, run `envsync destroy {name} --take-over`; if both are releases of one application, always name the manifest by its link, and take over once: `envsync apply -f {link} --take-over`"
)
def test_two_releases_of_one_application(host: Host, attempts: Attempts) -> None:
    write_manifest(host, "releases/1/envs.yaml", "web", "old")
    write_manifest(host, "releases/2/envs.yaml", "web")
    link = host.directory / "current"
    link.symlink_to("releases/1")
    assert host.envsync("apply", "--yes", "-f", "releases/1/envs.yaml").code == 0
    link.unlink()
    link.symlink_to("releases/2")
    hint = attempts.provoke("plan", "-f", "releases/2/envs.yaml")
    take_over = hint.rpartition("`envsync ")[2].removesuffix("`").split()
    assert host.envsync(*take_over, "--yes").code == 0
    attempts.gone("plan", "--detailed-exitcode", "-f", "current/envs.yaml")


@trial(
    "plan/blockers.py: apply with `--drop-ignored` to remove them, or add them to the manifest",
    "plan/blockers.py: copy them to a different place, then apply with `--drop-ignored` to leave them behind",
    "apply/carry_over.py: copy them to a different place, then apply with `--drop-ignored` to leave them behind",
    long=True,
)
def test_what_the_manifest_ignores_would_be_lost(host: Host, attempts: Attempts) -> None:
    data = {"data/share/acme.conf": "from the wheel\n"}
    make_wheel(host.index.directory, "acme", "1.0", data=data)
    ignore = '  ignore: ["agent*"]\n  ignore_files: ["share/**", "**/mine.txt"]\n'
    host.manifest(WEB + ignore)
    apply(host)
    dist_info(host.site_packages("web"), "agent", "1.0")
    host.manifest(WEB + ignore + "  packages: [gamma]\n")
    attempts.provoke("plan")
    apply(host, *attempts.options())
    attempts.gone(*CLEAN_AFTER)

    shared = host.venv("web") / "share/acme.conf"
    shared.parent.mkdir(exist_ok=True)
    shared.write_text("edited\n", encoding="utf-8")
    host.manifest(WEB + ignore + "  packages: [acme]\n")
    attempts.provoke("apply", "--yes", of="apply/carry_over.py")
    shutil.copy(shared, host.directory)
    apply(host, *attempts.options())
    attempts.gone(*CLEAN_AFTER)
    assert (host.directory / "acme.conf").read_text("utf-8") == "edited\n"

    shared = host.venv("web") / "share/acme.conf"
    shared.write_text("edited\n", encoding="utf-8")
    host.manifest(WEB + ignore)
    attempts.provoke("plan", of="plan/blockers.py: copy")
    shutil.copy(shared, host.directory)
    apply(host, *attempts.options())
    attempts.gone(*CLEAN_AFTER)


@trial(
    "plan/plan_file.py: create a new plan with `envsync plan --out FILE`",
    "plan/plan_file.py: create a new plan with `envsync plan --out FILE`: this file was written by a newer version (format {version})",
    "plan/plan_file.py: save the whole plan that `Workspace.plan` returned",
    "plan/plan_file.py: run `envsync lock`, then `envsync plan --out FILE`",
    "plan/plan_file.py: choose the path of a regular file",
    "plan/stale.py: run `envsync plan --out FILE` and have the new plan reviewed",
    "lock/freshness.py: run `envsync lock {names}` and commit the result",
)
def test_saved_plans(host: Host, attempts: Attempts) -> None:
    file = host.directory / "plan.json"
    host.manifest(WEB + "  packages: [gamma]\n")
    attempts.provoke("plan", "--locked")
    attempts.follow()
    attempts.gone("plan", "--locked")

    host.manifest(WEB)
    assert host.envsync("lock").code == 0
    whole = reconciler.load(host.directory / "envs.yaml", ambient=base_environment()).plan().plan
    attempts.refused(lambda: save_plan(filter_by_origin(whole, OriginFilter.PENDING), host.directory / "only.json"))
    save_plan(whole, host.directory / "only.json")
    attempts.cured()

    (host.directory / "link").symlink_to("plan.json")
    attempts.refused(lambda: save_plan(whole, host.directory / "link"))
    save_plan(whole, file)
    attempts.gone("show", "plan.json")

    make_sdist(host.index.directory, "acme", "1.0")
    host.manifest(WEB + "  packages: [acme]\n")
    unlocked = reconciler.load(host.directory / "envs.yaml", ambient=base_environment()).plan().plan
    attempts.refused(lambda: save_plan(unlocked, host.directory / "plan.json"))
    attempts.follow(FILE="plan.json")
    attempts.gone("show", "plan.json")
    host.manifest(WEB)
    assert host.envsync("lock").code == 0

    saved = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**saved, "format_version": "1.999", "project": 7}), encoding="utf-8")
    attempts.provoke("apply", "--plan", "plan.json")
    attempts.follow(FILE="plan.json")
    attempts.gone("show", "plan.json")

    file.write_text(json.dumps({**saved, "project": "edited"}), encoding="utf-8")
    attempts.provoke("apply", "--plan", "plan.json")
    attempts.follow(FILE="plan.json")
    attempts.gone("show", "plan.json")

    host.manifest(WEB + "  env: {A: b}\n")
    attempts.provoke("apply", "--plan", "plan.json")
    attempts.follow(FILE="plan.json")
    attempts.gone("apply", "--plan", "plan.json")
