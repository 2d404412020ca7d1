"""Invalid command lines: each kind has our own sentence and a hint, and the exit code of the command."""

import re
from contextlib import suppress

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer import TyperException

from reconciler import exit_codes
from reconciler.cli.command_model import Command, Option
from reconciler.cli.error_output import report_error
from reconciler.cli.run import run
from reconciler.cli.usage_errors import usage_error
from reconciler.errors import EnvsyncError, UsageError
from tests.cli.commands import DECLARED, GROUP, PROGRAM, parameters, refusal

FORMATS = "`text`, `json`, `markdown`, `github`, `sarif`, `junit`, `gitlab` or `html`"
ONE_OF_PLAN = "remove one of the two: a saved plan already says which environments change, and how"
OF_SNAPSHOT = "remove one of the two: a snapshot is compared as it was taken, without its host"
OF_STAGING = "remove `--depth`: staging always looks at every file"
OF_ADOPTION = "remove `--stage` to take over a virtual environment"
OF_HOOKS = "use `--skip-hooks` with `envsync publish`"
OF_PUBLISH = "write `envsync publish NAME` or `envsync publish --all`"
OF_EXCEPTIONS = "except a package with `--except web:idna`, or files with `--except web:share/*`"
CASES = {
    # Commands
    "--": ("`envsync` requires COMMAND", "run `envsync --help`"),
    "-q": ("`envsync` requires COMMAND", "run `envsync --help`"),
    "--color never": ("`envsync` requires COMMAND", "run `envsync --help`"),
    "schemma": ("unknown command `schemma`", "did you mean `schema`?"),
    "-q schemma": ("unknown command `schemma`", "did you mean `schema`?"),
    "help": ("unknown command `help`", "run `envsync --help`"),
    "-- --nope": ("unknown command `--nope`", "run `envsync --help`"),
    # Options that do not exist
    "--nope": ("unknown option `--nope` of `envsync`", "run `envsync --help`"),
    "--versoin": ("unknown option `--versoin` of `envsync`", "did you mean `--version`?"),
    "-f x.yaml plan": ("unknown option `-f` of `envsync`", "write it after the command: `envsync plan -f FILE`"),
    "--depth=files plan": (
        "unknown option `--depth` of `envsync`",
        "write it after the command: `envsync plan --depth DEPTH`",
    ),
    "--yes apply": ("unknown option `--yes` of `envsync`", "write it after the command: `envsync apply --yes`"),
    "-f x.yaml": ("unknown option `-f` of `envsync`", "run `envsync --help`"),
    "-f x.yaml schemma": ("unknown option `-f` of `envsync`", "run `envsync --help`"),
    "plan --nope": ("unknown option `--nope` of `envsync plan`", "run `envsync plan --help`"),
    "plan --nope=1 --help": ("unknown option `--nope` of `envsync plan`", "run `envsync plan --help`"),
    "plan --detph files": ("unknown option `--detph` of `envsync plan`", "did you mean `--depth`?"),
    "plan --no-prnue": ("unknown option `--no-prnue` of `envsync plan`", "did you mean `--no-prune`?"),
    "plan --noprune": ("unknown option `--noprune` of `envsync plan`", "did you mean `--no-prune`?"),
    "plan --no-offline": ("unknown option `--no-offline` of `envsync plan`", "did you mean `--offline`?"),
    "plan -x": ("unknown option `-x` of `envsync plan`", "run `envsync plan --help`"),
    "plan -qx": ("unknown option `-x` of `envsync plan`", "run `envsync plan --help`"),
    "plan -F x.yaml": ("unknown option `-F` of `envsync plan`", "did you mean `-f`?"),
    "plan -depth files": ("unknown option `-depth` of `envsync plan`", "did you mean `--depth`?"),
    "plan prod -depth files": ("unknown option `-depth` of `envsync plan`", "did you mean `--depth`?"),
    "plan -depth=files": ("unknown option `-depth` of `envsync plan`", "did you mean `--depth`?"),
    "plan -5": ("unknown option `-5` of `envsync plan`", "run `envsync plan --help`"),
    # Options without a value, and with one too many
    "plan --out": ("`--out` requires a value", "write `--out FILE`"),
    "lock web -P": ("`-P` requires a value", "write `-P PACKAGE`"),
    "plan --output": ("`--output` requires a value", f"use {FORMATS}"),
    "plan --offline=1": ("`--offline` does not take a value", "write `--offline`"),
    "plan --no-prune=1": ("`--no-prune` does not take a value", "write `--no-prune`"),
    "plan --verbose=2": ("`--verbose` does not take a value", "write `--verbose`"),
    "plan --help=1": ("`--help` does not take a value", "write `--help`"),
    "plan -q=1": ("`-q` does not take a value", "write `-q`"),
    "plan -=1": ("unknown option `-=1` of `envsync plan`", "run `envsync plan --help`"),
    "plan -vq=1": ("`-q` does not take a value", "write `-q`"),
    # Arguments
    "rollback": ("`envsync rollback` requires NAME", "write `envsync rollback [OPTIONS] NAME`"),
    "destroy --yes": ("`envsync destroy` requires NAME", "write `envsync destroy [OPTIONS] NAME...`"),
    "show": ("`envsync show` requires FILE", "write `envsync show [OPTIONS] FILE`"),
    "freeze": (
        "`envsync freeze` requires NAME or `--path DIR`",
        "write `envsync freeze NAME` or `envsync freeze --path DIR`",
    ),
    "rollback web 3": ("unexpected argument `3` of `envsync rollback`", "run `envsync rollback --help`"),
    "validate a.yaml b.yaml": (
        "unexpected arguments `a.yaml`, `b.yaml` of `envsync validate`",
        "run `envsync validate --help`",
    ),
    # Values
    "plan --depth foo": ("`--depth foo`: must be `metadata`, `files` or `hashes`", "run `envsync plan --help`"),
    "plan --depth file": ("`--depth file`: must be `metadata`, `files` or `hashes`", "did you mean `files`?"),
    "plan --output=": (f"`--output ''`: must be {FORMATS}", "run `envsync plan --help`"),
    "check --only x": ("`--only x`: must be `drift` or `pending`", "run `envsync check --help`"),
    "--color x plan": ("`--color x`: must be `auto`, `always` or `never`", "run `envsync plan --help`"),
    "schema manifset": (
        "DOCUMENT `manifset`: must be `manifest`, `plan`, `events`, `error` or `snapshot`",
        "did you mean `manifest`?",
    ),
    "lock --timeout 0": ("`--timeout 0`: must be at least 1", "run `envsync lock --help`"),
    "lock --timeout soon": ("`--timeout soon`: must be a number", "run `envsync lock --help`"),
    "lock --timeout nan": ("`--timeout nan`: must be a number", "run `envsync lock --help`"),
    "lock --timeout inf": ("`--timeout inf`: must be at most 604800", "run `envsync lock --help`"),
    "gc --lock-timeout -1": ("`--lock-timeout -1`: must be at least 0", "run `envsync gc --help`"),
    "apply --parallelism 0": ("`--parallelism 0`: must be at least 1", "run `envsync apply --help`"),
    "apply --parallelism 1.5": ("`--parallelism 1.5`: must be a whole number", "run `envsync apply --help`"),
    "apply --parallelism \uff14": ("`--parallelism '\uff14'`: must be a whole number", "run `envsync apply --help`"),
    "apply --parallelism 0.5": ("`--parallelism 0.5`: must be a whole number", "run `envsync apply --help`"),
    "diff web latest": ("N `latest`: must be a whole number", "run `envsync diff --help`"),
    "rollback web --to latest": ("`--to latest`: must be a whole number", "run `envsync rollback --help`"),
    "plan -l team": ("`--label team`: must be KEY=VALUE", "write `--label KEY=VALUE`"),
    "lock --label =x": ("`--label =x`: must be KEY=VALUE", "write `--label KEY=VALUE`"),
    "observe --label=": ("`--label ''`: must be KEY=VALUE", "write `--label KEY=VALUE`"),
    "check --except web": ("`--except web`: must be NAME:PATTERN", OF_EXCEPTIONS),
    "check --except web:": ("`--except web:`: must be NAME:PATTERN", OF_EXCEPTIONS),
    "check --except :idna": ("`--except :idna`: must be NAME:PATTERN", OF_EXCEPTIONS),
    "plan --out missing/plan.json": (
        "`--out missing/plan.json`: the directory `missing` does not exist",
        "create the directory, or name a file in an existing one",
    ),
    "observe --out /dev/null": ("`--out /dev/null`: must be a regular file", "name a different file"),
    "plan --out .": ("`--out .`: must be a regular file", "name a different file"),
    # Options that exclude each other
    "apply --plan plan.json web": ("`--plan` and NAME cannot be combined", ONE_OF_PLAN),
    "apply --plan plan.json --no-prune": ("`--plan` and `--prune` cannot be combined", ONE_OF_PLAN),
    "check --actual a.json --depth files": ("`--actual` and `--depth` cannot be combined", OF_SNAPSHOT),
    "plan --actual a.json --out b.json": ("`--actual` and `--out` cannot be combined", OF_SNAPSHOT),
    "plan --stage --depth files": ("`--stage` and `--depth` cannot be combined", OF_STAGING),
    "plan --stage --adopt": ("`--stage` and `--adopt` cannot be combined", OF_ADOPTION),
    "plan --stage --skip-hooks": ("`--stage` and `--skip-hooks` cannot be combined", OF_HOOKS),
    "apply --stage --depth files": ("`--stage` and `--depth` cannot be combined", OF_STAGING),
    "apply --stage --adopt": ("`--stage` and `--adopt` cannot be combined", OF_ADOPTION),
    "apply --stage --skip-hooks": ("`--stage` and `--skip-hooks` cannot be combined", OF_HOOKS),
    "publish": ("`envsync publish` requires NAME or `--all`", OF_PUBLISH),
    "publish web --all": ("`--all` and NAME cannot be combined", OF_PUBLISH),
    "gc --dry-run --cache": ("`--dry-run` and `--cache` cannot be combined", "remove one of the two"),
    "history --generations --runs": ("`--generations` and `--runs` cannot be combined", "remove one of the two"),
    "plan --against main --adopt": (
        "`--against` and `--adopt` cannot be combined",
        "remove one of the two: `--against` reads no environment",
    ),
    "freeze web --path .": (
        "`--path` and NAME cannot be combined",
        "remove one of the two: NAME is an environment of the manifest, `--path` any virtual environment",
    ),
}
RUN_USAGE = "write `envsync run [-f FILE] NAME -- COMMAND [ARG]...`"
OF_RUN = {
    "": "`envsync run` requires NAME",
    "--": "`envsync run` requires NAME",
    "web": "`envsync run` requires COMMAND",
    "web --": "`envsync run` requires COMMAND",
    "--nope web -- true": "unknown option `--nope` of `envsync run`",
    "--file": "`--file` requires a value",
    "-q -f": "`-f` requires a value",
}
# Each class of typer's errors: the table has a case for it, or it is never raised.
RAISED = {"BadOptionUsage", "BadParameter", "MissingParameter", "NoSuchOption"}
NOT_RAISED = {
    "BadArgumentUsage": "no argument takes a fixed number of values",
    "ClickException": "only its subclasses are raised",
    "FileError": "typer opens no file",
    "NoArgsIsHelpError": "without arguments, `envsync` prints its help",
    "UsageError": "HelpfulGroup and HelpfulCommand raise ours first",
}


@pytest.mark.parametrize("line", CASES)
def test_the_message_and_the_hint_of_an_invalid_command_line(line: str) -> None:
    error = refusal(line.split())
    assert (error.message, error.hint) == CASES[line]
    assert error.exit_code == exit_codes.INVALID_INPUT


@pytest.mark.parametrize("line", OF_RUN)
def test_run_reads_its_own_command_line(line: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == exit_codes.RUN_FAILED
    assert capfd.readouterr().err == f"error: {OF_RUN[line]}\nhint: {RUN_USAGE}\n"


def test_an_invalid_option_next_to_help_has_the_exit_code_of_run() -> None:
    error = refusal(["run", "--nope", "--help"])
    assert (error.message, error.exit_code) == ("unknown option `--nope` of `envsync run`", exit_codes.RUN_FAILED)


def subclasses(root: type[Exception]) -> set[str]:
    return {root.__name__}.union(*(subclasses(each) for each in root.__subclasses__()))


def test_every_class_of_errors_of_typer_is_known() -> None:
    causes = {type(refusal(line.split()).__cause__).__name__ for line in CASES}
    assert causes - {"NoneType"} == RAISED
    assert subclasses(TyperException) == {"TyperException", *RAISED, *NOT_RAISED}


def test_an_error_of_an_unknown_class_keeps_its_words_and_has_a_hint() -> None:
    error = usage_error(TyperException("The moon is full."), typer.Context(DECLARED["plan"]), [])
    assert isinstance(error, UsageError)
    assert (error.message, error.hint) == ("the moon is full", "run `envsync plan --help`")


def names_of(option: Option) -> tuple[str, ...]:
    return (*option.names, *option.negations)


def wrong_lines(command: Command) -> list[list[str]]:
    """Return command lines with one mistake, for every option and argument of a command."""
    needed = ["1" if each.type == "integer" else each.metavar for each in command.arguments if each.required]
    lines = [[command.name, *needed, "--no-such-option"]]
    if needed:
        lines.append([command.name])
    if not any(each.several for each in command.arguments):
        right = [each.choices[0] if each.choices else "1" for each in command.arguments]
        lines.append([command.name, *right, "extra"])
        lines += [
            [command.name, *right[:place], "no-such-value"]
            for place, each in enumerate(command.arguments)
            if each.type == "integer"
        ]
    for option in command.options:
        for name in names_of(option):
            if not option.metavar:
                lines.append([command.name, *needed, f"{name}=1"])
                continue
            lines.append([command.name, *needed, name])
            if option.choices or option.type in {"integer", "number"}:
                lines.append([command.name, *needed, name, "no-such-value"])
            if option.minimum is not None:
                lines.append([command.name, *needed, name, str(option.minimum - 1)])
    lines += [[command.name, "no-such-value"] for each in command.arguments if each.choices]
    return lines


# What typer, click and pydantic say.
THEIR_WORDS = re.compile(
    r"(?i)invalid value|no such|is not one of|input should|possible options|requires an|got unexpected|"
    r"missing (?:argument|parameter|option|command)|valid (?:integer|number)|value error|'"
)


def check_words(error: EnvsyncError) -> None:
    assert error.hint
    assert not THEIR_WORDS.search(re.sub("`[^`]*`", "", f"{error.message} {error.hint}")), error.message
    assert re.match(r"unknown option `|unexpected arguments? `|`|[A-Z]+ `", error.message), error.message


@pytest.mark.parametrize("command", PROGRAM.subcommands, ids=lambda each: each.name)
def test_every_mistake_in_every_parameter_has_our_words(command: Command) -> None:
    lines = wrong_lines(command)
    assert len(lines) > len(command.options)
    for line in lines:
        error = refusal(line)
        check_words(error)
        named = re.findall(r"`envsync ([^`]+)`", error.hint or "")
        assert all(each.split()[0] == command.name for each in named), line


NAMES = sorted({name for each in PROGRAM.subcommands for option in each.options for name in names_of(option)})
WORDS = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(["web", "files", "json", "0", "-1", "1.5", "--", "-", "", "-=", "--=", "-q=1", "-depth"]),
    st.builds("{}={}".format, st.sampled_from(NAMES), st.text(max_size=3)),
    st.builds("{}{}".format, st.sampled_from(NAMES), st.text(max_size=3)),
    st.text(max_size=4),
)


@given(name=st.sampled_from(sorted(DECLARED)), arguments=st.lists(WORDS, max_size=5))
def test_any_command_line_is_parsed_or_refused_in_our_words(name: str, arguments: list[str]) -> None:
    refused = []
    with suppress(typer.Exit):  # `--help`
        try:
            DECLARED[name].make_context(name, list(arguments), parent=typer.Context(GROUP, info_name="envsync"))
        except EnvsyncError as error:
            refused.append(error)
    for each in refused:
        check_words(each)


def test_every_option_with_a_value_in_the_environment_takes_any_text() -> None:
    """The message of an invalid value names the option, and not the variable that it may come from."""
    for command in PROGRAM.subcommands:
        for each in command.options:
            assert not each.environment or each.type == "path", each


def test_every_number_has_a_sentence_for_each_way_to_miss_it() -> None:
    for command in PROGRAM.subcommands:
        for each in parameters(command):
            known = {"text", "path", "choice", "integer"}
            assert isinstance(each, Option) or each.type in known, f"{command.name} {each.term}"


def test_a_value_with_control_characters_or_credentials_is_not_repeated_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["plan", "--depth", "\x1b[31m https://user:secret@host/"]
    report_error(refusal(arguments), arguments)
    printed = capsys.readouterr().err
    assert "\x1b" not in printed
    assert "secret" not in printed
