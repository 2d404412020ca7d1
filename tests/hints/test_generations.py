"""Hints about older generations: compared, verified, restored, rebuilt; and about what `--adopt` replaced."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import reconciler
from reconciler.options import PlanOptions
from reconciler.plan.model import Policy
from reconciler.state.adopted import read_adopted
from reconciler.state.store import State
from tests.functional.host_state import generations, published
from tests.functional.test_a_failed_generation_is_rolled_back import begin
from tests.functional.test_a_failed_generation_is_rolled_back import manifest as manifest_with_health_check
from tests.hints.trials import Attempts, trial
from tests.host import Host, Ran, base_environment

WEB = 'web:\n  python: "3.11"\n'
BETA = WEB + "  packages: [beta]\n"


def generation(host: Host, number: int) -> Path:
    return host.root / f".envsync/generations/web/{number}"


def damage(host: Host, number: int) -> None:
    (generation(host, number) / "venv/stray.txt").write_text("not sealed\n", encoding="utf-8")
    file = generation(host, number) / "venv/pyvenv.cfg"
    file.write_text(file.read_text("utf-8") + "edited = true\n", encoding="utf-8")


@trial(
    "maintenance.py: choose from those that are kept: {numbers}",
    "maintenance.py: run `envsync apply {name}`",
    "render/verify_text.py: run `envsync verify --generations` for details",
    "apply/rollback.py: run without `--no-rebuild` to rebuild it from its lock, or choose another generation (`envsync history {name}`), or run `envsync apply {name}`",
    "apply/rollback.py: choose another generation (`envsync history {name}`), or run `envsync apply {name}`",
    "apply/rollback.py: run `envsync rollback {name}` without `--no-rebuild` to rebuild one from its lock, or change the manifest and run `envsync apply {name}`",
    "apply/rollback.py: run `envsync rollback {name} --to {number}` to rebuild it from its lock, or change the manifest and run `envsync apply {name}`",
)
def test_older_generations(host: Host, attempts: Attempts) -> None:
    for packages in (WEB, BETA):
        host.manifest(packages + "  keep_generations: 9\n")
        host.apply()
    hint = attempts.provoke("diff", "web", "7")
    attempts.gone("diff", "web", hint.rpartition(": ")[2].split(", ")[0])

    damage(host, 1)
    attempts.provoke("verify")
    details = host.envsync("verify", "--generations")
    assert "pyvenv.cfg" in details.out
    attempts.cured()
    attempts.provoke("rollback", "web", "--no-rebuild", of="apply/rollback.py: run `envsync rollback {}` without")
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")

    damage(host, 2)
    if published(host, "web") == 2:
        host.apply()
    attempts.provoke("rollback", "web", "--to", "2", "--no-rebuild")
    attempts.follow()
    attempts.gone("rollback", "web", "--to", "2")
    host.apply()

    older = next(each for each in generations(host, "web") if each != published(host, "web"))
    damage(host, older)
    (generation(host, older) / "pylock.toml").unlink()
    attempts.provoke("rollback", "web", "--to", str(older))
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")

    shutil.rmtree(host.root / ".envsync/generations/web")
    attempts.provoke("diff", "web", "1")
    attempts.follow()
    attempts.gone("diff", "web", str(published(host, "web")))

    damage(host, published(host, "web"))
    drifted = published(host, "web")
    host.apply()
    attempts.provoke("rollback", "web")
    attempts.follow()
    attempts.gone("rollback", "web", "--to", str(drifted + 1))


@trial(
    "cli/maintenance.py: envsync does not manage it now; run `envsync apply --adopt` to take it over again",
    "apply/restore_adopted.py: roll back without `--hold`",
    "apply/restore_adopted.py: if it is a copy from a backup, remove the link at the environment's path, then move the copy there",
    "state/adopted.py: move the directory to a different place, or restore the file from a backup",
)
def test_what_adopt_replaced(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(host.venv("web"))], check=True)
    host.apply("--adopt")
    attempts.printed_by(host.envsync("rollback", "web", "--to", "1"))
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")

    number = max(int(each.name) for each in (host.root / ".envsync/adopted/web").iterdir())
    adopted = host.root / f".envsync/adopted/web/{number}"
    note = adopted / "adopted.json"
    backup = note.read_bytes()
    note.write_bytes(b"{}")
    kept = State.at(host.root).layout.adopted_generation("web", number)
    attempts.refused(lambda: read_adopted(kept))
    assert "damaged" in host.envsync("history", "web").out
    note.write_bytes(backup)
    assert "damaged" not in attempts.gone("history", "web").out

    host.manifest("")
    host.apply("--allow-empty")
    attempts.provoke("rollback", "web", "--to", str(number), "--hold", "INC-42")
    attempts.gone("rollback", "web", "--to", str(number))
    host.manifest(WEB)
    host.apply("--adopt")

    number = max(int(each.name) for each in (host.root / ".envsync/adopted/web").iterdir())
    original = host.root / f".envsync/adopted/web/{number}/venv"
    shutil.copytree(original, host.directory / "copy", symlinks=True)
    shutil.rmtree(original)
    (host.directory / "copy").rename(original)
    attempts.provoke("rollback", "web", "--to", str(number))
    host.venv("web").unlink()
    original.rename(host.venv("web"))
    subprocess.run([host.venv("web") / "bin/python", "-c", ""], check=True)
    host.apply("--adopt")
    attempts.gone("plan", "--detailed-exitcode")


@trial(
    "apply/stage.py: run `envsync apply {name}` to build a new one",
    "plan/blockers.py: run `envsync plan {name}`, then `envsync apply --stage {name}` to stage it again",
    "plan/blockers.py: declare it again, or run `envsync apply`",
    "state/staged.py: run `envsync apply --stage` again to build a new generation",
    "targets.py: run `envsync apply --stage {names}` first",
    "apply/stage.py: run `envsync apply {name}`",
)
def test_staged_generations(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB)
    attempts.provoke("publish", "web", "--yes")
    attempts.follow()
    attempts.gone("publish", "web", "--yes")

    def stage(manifest: str) -> None:
        host.manifest(manifest)
        ran = host.envsync("apply", "--stage", "--yes")
        assert ran.code == 0, ran.err

    stage(BETA)
    (host.venv("web") / "stray.txt").touch()
    attempts.provoke("publish", "web", "--yes")
    attempts.follow()
    attempts.gone("publish", "web", "--yes")

    stage(WEB)
    damage(host, generations(host, "web")[-1])
    attempts.provoke("publish", "web", "--yes")
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")

    stage(BETA)
    staged = generations(host, "web")[-1]
    (generation(host, staged) / "staged.json").write_text("{}", encoding="utf-8")
    attempts.provoke("publish", "web", "--yes")
    attempts.follow()
    attempts.gone("publish", "web", "--yes")

    stage(WEB)
    host.manifest("")
    attempts.provoke("publish", "--all", "--yes")
    host.manifest(WEB)
    attempts.gone("publish", "--all", "--yes")

    host.manifest(BETA)
    workspace = reconciler.load(host.directory / "envs.yaml", ambient=base_environment())
    publish = PlanOptions(policy=Policy(publish=frozenset({"web"})))
    with pytest.raises(reconciler.EnvsyncError, match="nothing is staged for `web`") as refused:
        workspace.plan(options=publish)
    assert refused.value.hint == "run `envsync apply --stage web` first"
    stage(BETA)
    proposal = workspace.plan(options=publish)
    (generation(host, generations(host, "web")[-1]) / "staged.json").unlink()
    with workspace.hold(timeout=60):
        failure = proposal.apply_held(recheck=False).environments[0].failure
    assert failure is not None
    attempts.printed([failure.hint], shown=failure.message)
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")


@trial(
    "apply/probe.py: fix the service or the check, then run the command again to repeat the check",
    "apply/after_publish.py: fix the cause, then run `envsync apply {name}` to try again",
    "apply/after_publish.py: fix the cause, then run `envsync apply {name}`",
    "state/trial.py: delete the file: the generation then counts as one that passed",
)
def test_trials_of_published_generations(host: Host, attempts: Attempts) -> None:
    answer = host.directory / "answer"
    answer.write_text("exit 1", encoding="utf-8")
    health = f"  health: {{run: [sh, {json.dumps(str(answer))}], for: 1s}}\n"
    host.manifest(WEB + health)
    attempts.provoke("apply", "--yes")
    answer.write_text("exit 0", encoding="utf-8")
    attempts.gone("apply", "--yes")

    host.manifest(BETA + health)
    answer.write_text("exit 1", encoding="utf-8")
    attempts.provoke("apply", "--yes", of="apply/after_publish.py: fix the cause, then run `envsync apply {}` to try")
    answer.write_text("exit 0", encoding="utf-8")
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")

    host.manifest(WEB + "  packages: [gamma]\n" + health)
    answer.write_text("echo x > $VIRTUAL_ENV/../trial.json; exit 1", encoding="utf-8")
    attempts.provoke("apply", "--yes")
    cause = attempts.last
    attempts.provoke("plan")
    (host.venv("web").resolve().parent / "trial.json").unlink()
    attempts.gone("plan")
    attempts.last = cause
    answer.write_text("exit 0", encoding="utf-8")
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")


@trial("apply/after_publish.py: run `envsync apply {name}` to finish the trial of the published generation", long=True)
def test_an_interrupted_trial(host: Host, attempts: Attempts) -> None:
    manifest_with_health_check(host, "alpha==1.0", health="for: 1s")
    interrupted = begin(host)
    interrupted.send_signal(signal.SIGTERM)
    _, said = interrupted.communicate(timeout=30)
    attempts.printed_by(Ran(code=interrupted.returncode, out="", err=said.decode()))
    (host.directory / "answer").write_text("0", encoding="utf-8")
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")
