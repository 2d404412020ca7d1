"""Hints about invalid command lines: the corrected command line is accepted."""

import shutil

import pytest
from typer import Context

from reconciler.cli.argument_order import common_last
from tests.cli.commands import DECLARED, GROUP, refusal
from tests.hints.test_manifest import does_what_it_says
from tests.hints.trials import Attempts, pattern, trial, tried
from tests.host import Host

# The hint, a command line that has it, and the command line after a person did what it says.
CASES = [
    ("cli/usage_errors.py: run `{command.path} --help`", "plan --nope", "plan --help"),
    ("cli/usage_errors.py: run `{command.path} --help`", "rollback web 3", "rollback --help"),
    ("cli/usage_errors.py: run `{command.path} --help`", "help", "--help"),
    ("cli/usage_errors.py: run `{command.path} --help`", "", "--help"),
    ("cli/usage_errors.py: use {choices}", "plan --output", "plan --output html"),
    ("cli/usage_errors.py: write `{usage}`", "rollback", "rollback web"),
    ("cli/usage_errors.py: write `{usage}`", "destroy --yes", "destroy web jobs --yes"),
    ("cli/usage_errors.py: write `{usage}`", "plan --no-prune=1", "plan --no-prune"),
    ("cli/usage_errors.py: write `{name} {metavar}`", "plan --out", "plan --out plan.json"),
    ("cli/usage_errors.py: write `{name} {metavar}`", "lock web -P", "lock web -P django"),
    ("cli/usage_errors.py: write it after the command: `{usage}`", "-f x.yaml plan", "plan -f x.yaml"),
    ("cli/usage_errors.py: write it after the command: `{usage}`", "--depth=files plan", "plan --depth files"),
    ("cli/usage_errors.py: write it after the command: `{usage}`", "--yes apply", "apply --yes"),
    ("manifest/hints.py: did you mean `{}`?", "schemma", "schema manifest"),
    ("manifest/hints.py: did you mean `{}`?", "plan --detph files", "plan --depth files"),
    ("manifest/hints.py: did you mean `{}`?", "plan --depth file", "plan --depth files"),
    ("cli/options.py: write `--label KEY=VALUE`", "plan --label web", "plan --label team=web"),
    ("cli/output_file.py: name a different file", "plan --out .", "plan --out plan.json"),
    (
        "cli/output_file.py: create the directory, or name a file in an existing one",
        "plan --out missing/plan.json",
        "plan --out plan.json",
    ),
    (
        "cli/plan.py: except a package with `--except web:idna`, or files with `--except web:share/*`",
        "check --except idna",
        "check --except web:idna",
    ),
    (
        "cli/plan.py: except a package with `--except web:idna`, or files with `--except web:share/*`",
        "check --except share/x",
        "check --except web:share/*",
    ),
    ("cli/apply.py: write `envsync publish NAME` or `envsync publish --all`", "publish", "publish web"),
    ("cli/apply.py: write `envsync publish NAME` or `envsync publish --all`", "publish web --all", "publish --all"),
    (
        "cli/options.py: remove `--depth`: staging always looks at every file",
        "plan --stage --depth files",
        "plan --stage",
    ),
    (
        "cli/options.py: remove `--stage` to take over a virtual environment",
        "apply --stage --adopt",
        "apply --adopt",
    ),
    (
        "cli/options.py: use `--skip-hooks` with `envsync publish`",
        "apply --stage --skip-hooks",
        "publish web --skip-hooks",
    ),
    (
        "cli/apply.py: remove one of the two: a saved plan already says which environments change, and how",
        "apply --plan plan.json web",
        "apply --plan plan.json",
    ),
    (
        "cli/apply.py: remove one of the two: a saved plan already says which environments change, and how",
        "apply --plan plan.json --no-prune",
        "apply --no-prune",
    ),
    (
        "cli/plan.py: remove one of the two: `--against` reads no environment",
        "plan --against main --adopt",
        "plan --against main",
    ),
    (
        "cli/plan.py: remove one of the two: a snapshot is compared as it was taken, without its host",
        "check --actual host1.json --depth files",
        "check --actual host1.json",
    ),
    ("cli/maintenance.py: remove one of the two", "gc --cache --dry-run", "gc --dry-run"),
    (
        "cli/status.py: remove one of the two: NAME is an environment of the manifest, `--path` any virtual environment",
        "freeze web --path .venv",
        "freeze --path .venv",
    ),
    ("cli/status.py: write `envsync freeze NAME` or `envsync freeze --path DIR`", "freeze", "freeze web"),
    ("cli/status.py: write `envsync freeze NAME` or `envsync freeze --path DIR`", "freeze", "freeze --path .venv"),
]
KEYS = [tried([hint], f"{__name__} {wrong}")[0] for hint, wrong, _ in CASES]
# The hint is about the file that an option names, so that the command line alone does not show it.
WITH_ALTERNATIVE = ("remove one of the two", "create the directory", "name a different file")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{wrong} -> {right}" for _, wrong, right in CASES])
def test_the_corrected_command_line_is_accepted(
    number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.chdir(str(tmp_path))
    _, wrong, right = CASES[number]
    error = refusal(wrong.split() or ["--color", "never"])
    assert error.hint
    assert pattern(KEYS[number]).fullmatch(error.hint), error.hint
    if right.endswith("--help"):
        assert error.hint == f"run `envsync {right}`"
        GROUP.main(args=right.split(), prog_name="envsync", standalone_mode=False)
        assert capsys.readouterr().out.startswith("Usage:")
        return
    assert error.hint.startswith(WITH_ALTERNATIVE) or does_what_it_says(error.hint, in_words(right))
    command, *arguments = common_last(right.split())
    DECLARED[command].make_context(command, arguments, parent=Context(GROUP))


def in_words(line: str) -> str:
    """Return a command line with the program and `[OPTIONS]`, as a usage line has them."""
    command, _, rest = line.partition(" ")
    shown = rest.replace("plan.json", "FILE")
    return f"envsync {line}\nenvsync {command} {rest}\nenvsync {command} [OPTIONS] {shown}"


@trial("cli/run.py: write `envsync run [-f FILE] NAME -- COMMAND [ARG]...`")
def test_run_without_a_command(host: Host, attempts: Attempts) -> None:
    host.manifest('web:\n  python: "3.11"\n')
    host.apply()
    attempts.provoke("run", "web")
    attempts.gone("run", "web", "--", "true")
    attempts.gone("run", "-f", "envs.yaml", "web", "--", "true", "argument")


@trial("cli/confirmation.py: add `--yes` to {purpose} without confirmation")
def test_apply_without_a_terminal(host: Host, attempts: Attempts) -> None:
    host.manifest("")
    attempts.provoke("apply")
    attempts.gone("apply", *attempts.options())


@trial("manifest/load.py: name the manifest with `-f FILE`")
def test_no_manifest_here(host: Host, attempts: Attempts) -> None:
    host.manifest("")
    (host.directory / "envs.yaml").rename(host.directory / "prod.yaml")
    attempts.provoke("plan")
    attempts.gone("plan", "-f", "prod.yaml")


@trial(
    "cli/run.py: name the manifest with `-f FILE`",
    "run_errors.py: run `envsync apply {name}`, or name the manifest with `-f FILE`",
)
def test_run_without_a_manifest_here(host: Host, attempts: Attempts) -> None:
    host.manifest('web:\n  python: "3.11"\n')
    attempts.provoke("run", "web", "--", "true")
    attempts.follow()
    attempts.gone("run", "web", "--", "true")
    (host.directory / "envs.yaml").rename(host.directory / "prod.yaml")
    attempts.provoke("run", "web", "--", "true")
    attempts.gone("run", "-f", "prod.yaml", "web", "--", "true")


@trial("cli/status.py: name the directory that contains `pyvenv.cfg`", "cli/status.py: run `envsync apply {name}`")
def test_freeze_of_what_is_not_an_environment(host: Host, attempts: Attempts) -> None:
    host.manifest('web:\n  python: "3.11"\n')
    attempts.provoke("freeze", "web")
    attempts.follow()
    attempts.gone("freeze", "web")
    attempts.provoke("freeze", "--path", ".envs")
    attempts.gone("freeze", "--path", ".envs/web")


@trial("manifest/selection.py: use fewer labels: an environment is selected only if it has all of them")
def test_no_environment_has_all_labels(host: Host, attempts: Attempts) -> None:
    host.manifest('web:\n  python: "3.11"\n  labels: {team: a}\njobs:\n  python: "3.11"\n  labels: {tier: b}\n')
    attempts.provoke("plan", "-l", "team=a", "-l", "tier=b")
    attempts.gone("plan", "-l", "team=a")


@trial(
    "maintenance.py: run `envsync apply`",
    "apply/last_applied.py: run `envsync apply`",
    "state/applied_names.py: choose from the applied environments: {known}",
)
def test_names_that_were_never_applied(host: Host, attempts: Attempts) -> None:
    host.manifest('web:\n  python: "3.11"\n')
    attempts.provoke("verify", "web", of="maintenance.py")
    attempts.follow()
    attempts.gone("verify", "web")
    hint = attempts.provoke("verify", "xyz")
    attempts.gone("verify", hint.split("`")[1])
    shutil.rmtree(host.root)
    attempts.provoke("rollback", "web", of="apply/last_applied.py")
    attempts.follow()
    assert "never applied" not in host.envsync("rollback", "web").err
    attempts.cured()
