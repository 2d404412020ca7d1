"""Hints about renamed environments (`renamed_from`)."""

from dataclasses import replace

from reconciler.apply.rename import rename_environment
from reconciler.state.store import State
from tests.functional.host_state import published
from tests.hints.trials import Attempts, trial
from tests.host import Host

WEB = 'web:\n  python: "3.11"\n'
SITE = 'site:\n  python: "3.11"\n'
RENAMED = SITE + "  renamed_from: web\n"
CLEAN_AFTER = ("plan", "--detailed-exitcode")


@trial(
    "plan/rename.py: its lock is still in `{file}`: run `envsync lock {name}` to rename it",
    "maintenance.py: it was renamed to `{name}`",
    "run_errors.py: run `envsync run {name} COMMAND`",
    "plan/blockers.py: apply them together: `envsync apply {names}`",
)
def test_a_former_name(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    assert host.envsync("lock").code == 0
    host.apply()
    host.manifest(RENAMED)
    attempts.provoke("plan")
    attempts.follow()
    attempts.gone("plan")
    host.apply()

    hint = attempts.provoke("verify", "web")
    attempts.gone("verify", hint.split("`")[1])
    command = attempts.provoke("run", "web", "true").split("`")[1]
    attempts.gone(*command.replace("COMMAND", "true").split()[1:])

    host.manifest(SITE + WEB)
    attempts.provoke("plan", "web")
    attempts.follow()
    attempts.gone(*CLEAN_AFTER)


@trial(
    "diff/renames.py: run `envsync gc --deleted` if it was deleted, or choose a different name",
    "apply/rename.py: choose a different name",
)
def test_the_new_name_was_used_before(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB + SITE)
    host.apply()
    host.manifest(WEB)
    host.apply()
    host.manifest(RENAMED)
    attempts.provoke("plan", of="diff/renames.py")
    state = State.at(host.root)
    applied = state.applied("web")
    assert applied is not None
    attempts.refused(lambda: rename_environment(state, "web", replace(applied, name="site")))
    first = next(iter(attempts.seen))
    host.manifest(RENAMED.replace("site:", "shop:"))
    attempts.gone("apply", "--yes")
    assert published(host, "shop") == 1

    attempts.last = first
    host.manifest(RENAMED.replace("web", "shop"))
    attempts.follow()
    attempts.gone("apply", "--yes")
    assert published(host, "site") == 1


@trial(
    "plan/blockers.py: apply with `--take-over` to rename it, or give each manifest its own `project`",
    "plan/blockers.py: remove `renamed_from`",
)
def test_the_former_name_is_of_another_manifest_or_project(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    host.apply()
    ours = host.directory / "envs.yaml"
    other = host.directory / "other.yaml"

    def write(project: str, environments: str) -> None:
        before = ours.read_text(encoding="utf-8")
        host.manifest(environments)
        other.write_text(ours.read_text("utf-8").replace("project: acme", f"project: {project}"), encoding="utf-8")
        ours.write_text(before, encoding="utf-8")

    write("another", RENAMED)
    attempts.provoke("plan", "-f", "other.yaml")
    write("another", SITE)
    attempts.gone("apply", "--yes", "-f", "other.yaml")
    assert host.envsync("destroy", "site", "--yes", "-f", "other.yaml").code == 0
    assert host.envsync("gc", "--deleted", "-f", "other.yaml").code == 0

    write("acme", RENAMED)
    attempts.provoke("plan", "-f", "other.yaml")
    attempts.gone("apply", "--yes", "-f", "other.yaml", *attempts.options())
    assert (published(host, "site"), published(host, "web")) == (1, 0)
