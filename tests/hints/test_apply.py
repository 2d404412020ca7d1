"""Hints of an apply: probes, hooks, and what they change."""

import fcntl

import pytest

import reconciler
from reconciler.engines.engine import InstallRequest
from reconciler.engines.uv import UvEngine
from reconciler.engines.uv_cache import cache_lock
from reconciler.options import PlanOptions
from tests.functional.projects import read_dependencies_from, write_project
from tests.hints.trials import Attempts, trial
from tests.host import Host, base_environment
from tests.wheels import make_wheel

WEB = 'web:\n  python: "3.11"\n'
APPLY = ("apply", "--yes")
KINDS = {"web": "", "dev": ", editable: true"}


@trial(
    "apply/probe.py: fix the probe, or the packages that it tests, then run the command again",
    "apply/probe.py: run `envsync lock --upgrade`, or add constraints so that the packages fit together",
    "apply/observe_generation.py: let the probe write outside the environment, or list the files in `ignore_files`",
    "observe/pyvenv_cfg.py: correct the probe that changed it, then run the command again",
    long=True,
)
def test_probes(host: Host, attempts: Attempts) -> None:
    host.manifest(WEB + "  probes: [{import: gamma}]\n")
    attempts.provoke(*APPLY)
    host.manifest(WEB + "  packages: [gamma]\n  probes: [{import: gamma}]\n")
    attempts.gone(*APPLY)

    write = "  probes: [{run: [python, -c, \"import sys; open(sys.prefix + '/share.txt', 'w')\"]}]\n"
    host.manifest(WEB + write)
    attempts.provoke(*APPLY)
    host.manifest(WEB + write + '  ignore_files: ["share.txt"]\n')
    attempts.gone(*APPLY)
    host.manifest(WEB + write.replace("sys.prefix + '/share.txt'", "'share.txt'"))
    attempts.gone(*APPLY)

    host.manifest(WEB + '  probes: [{run: [sh, -c, "rm $VIRTUAL_ENV/pyvenv.cfg"]}]\n')
    attempts.provoke(*APPLY)
    host.manifest(WEB + '  probes: [{run: [sh, -c, "test -e $VIRTUAL_ENV/pyvenv.cfg"]}]\n')
    attempts.gone(*APPLY)

    make_wheel(host.index.directory, "needs", "1.0", requires=["beta<2"])
    fits = WEB + "  packages: [needs]\n  overrides: [beta>=1]\n  probes: [dependencies]\n"
    host.manifest(fits)
    attempts.provoke(*APPLY)
    make_wheel(host.index.directory, "needs", "1.1", requires=["beta"])
    attempts.follow()
    attempts.gone(*APPLY)


@trial(
    "apply/probe.py: fix the hook, then run the command again, which runs it again; `--skip-hooks` continues without hooks",
    "apply/after_publish.py: list its changes in `ignore_files` or `ignore`, or let the hook write outside the environment",
    "plan/blockers.py: in `{file}`, list what the hook changes in `ignore_files` or `ignore`, or change the hook; apply with `--skip-hooks` to rebuild without running it",
)
def test_hooks(host: Host, attempts: Attempts) -> None:
    hook = "  hooks: {after_publish: [[%s]]}\n"
    host.manifest(WEB + hook % "'false'")
    attempts.provoke(*APPLY)
    host.manifest(WEB + hook % "'true'")
    attempts.gone(*APPLY)
    host.manifest(WEB + hook % "'false'" + "  packages: [gamma]\n")
    assert host.envsync(*APPLY).code == 4
    attempts.gone(*APPLY, *attempts.options())

    code = "import sys; open(sys.prefix + '/cache.db', 'w')"
    writes = hook % f'python, -c, "{code}"'
    host.manifest(WEB + writes + "  packages: [beta]\n")
    attempts.provoke(*APPLY)
    attempts.provoke("plan")
    host.manifest(WEB + writes + '  packages: [beta]\n  ignore_files: ["cache.db"]\n')
    attempts.gone(*APPLY)
    attempts.gone("plan", "--detailed-exitcode")
    attempts.last = attempts.keys[1]
    host.manifest(WEB + writes.replace("sys.prefix + '/cache.db'", "'/dev/null'") + "  packages: [gamma]\n")
    attempts.gone(*APPLY)
    attempts.gone("plan", "--detailed-exitcode")


@trial(
    "apply/perform.py: run `envsync plan` and review what changed",
    "apply/environment.py: run `envsync lock {name}`",
)
def test_a_plan_of_the_python_interface(host: Host, attempts: Attempts) -> None:
    """The command holds the root from the plan to the apply; a program can wait in between."""
    host.manifest(WEB)
    workspace = reconciler.load(host.directory / "envs.yaml", ambient=base_environment())
    proposal = workspace.plan()
    host.root.mkdir(exist_ok=True)
    (host.root / "web").mkdir()
    attempts.refused(lambda: proposal.apply(on_event=lambda _: None))
    attempts.follow()
    (host.root / "web").rmdir()
    workspace.plan().apply(on_event=lambda _: None)
    attempts.gone("plan", "--detailed-exitcode")

    host.manifest(WEB + "  packages: [gamma]\n")
    workspace = reconciler.load(host.directory / "envs.yaml", ambient=base_environment())
    result = workspace.plan(options=PlanOptions(resolve=False)).apply(on_event=lambda _: None)
    failure = result.environments[0].failure
    assert failure is not None
    attempts.printed([failure.hint], shown=failure.message)
    attempts.follow()
    assert workspace.plan().apply(on_event=lambda _: None).environments[0].failure is None
    attempts.gone("plan", "--detailed-exitcode")


@trial("errors.py: find the program that changes files below the root, stop it, then run the command again")
def test_files_that_change_during_a_build(host: Host, attempts: Attempts) -> None:
    install, number = UvEngine.install, 0

    def install_and_change(engine: UvEngine, request: InstallRequest) -> None:
        nonlocal number
        install(engine, request)
        number += 1
        module = next(request.venv.glob("lib/*/site-packages/beta.py"))
        module.unlink()
        module.write_text(f"NUMBER = {number}\n")

    host.manifest(WEB + "  packages: [beta]\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UvEngine, "install", install_and_change)
        [web] = reconciler.load(host.directory / "envs.yaml", ambient=base_environment()).plan().apply().environments
    assert web.failure is not None
    assert web.failure.message.startswith("files changed while the environment was built: `lib/")
    attempts.printed([web.failure.hint or ""])
    attempts.gone(*APPLY)


@trial("engines/uv_cache.py: allow more time with `--timeout`")
def test_another_program_works_in_the_cache(host: Host, attempts: Attempts) -> None:
    cache = host.directory / "cache"
    cache.mkdir()

    def locked(timeout: float) -> None:
        with cache_lock(cache, timeout):
            pass

    with (cache / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        attempts.refused(lambda: locked(0.1))
        assert attempts.options() == ["--timeout"]
    locked(1.0)
    attempts.cured()


@trial("apply/verify_local_projects.py: run `envsync lock -P {each.key} {name}`, then `envsync apply {name}`")
def test_a_project_was_built_with_other_dependencies(host: Host, attempts: Attempts) -> None:
    """Its backend reads a file that nothing names, so the lock does not know that it changed."""
    write_project(host.directory / "own", "own")
    hidden = host.directory.parent / "hidden.in"
    hidden.write_text("beta\n")
    read_dependencies_from(host.directory / "own", hidden)
    project = "  project: {{path: own{}}}\n"
    host.manifest("".join(WEB.replace("web", name) + project.format(more) for name, more in KINDS.items()))
    host.apply()
    hidden.write_text("beta<3\ngamma\n")
    for name in KINDS:
        (host.root / name).unlink()
        ran = host.envsync(*APPLY, name)
        assert ran.code == 1
        assert "it requires `gamma`, which is not in the lock" in ran.err
        assert not (host.root / name).exists(), "it is never published"
    attempts.provoke(*APPLY, "web")
    attempts.follow()
    attempts.gone(*APPLY, "web")
    assert "gamma==0.1" in host.freeze("web")
