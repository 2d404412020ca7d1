"""Hints of an apply: probes, hooks, and what they change."""

import reconciler
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
        assert "it requires `gamma`, which the lock does not have" in ran.err
        assert not (host.root / name).exists(), "it is never published"
    attempts.provoke(*APPLY, "web")
    attempts.follow()
    attempts.gone(*APPLY, "web")
    assert "gamma==0.1" in host.freeze("web")
