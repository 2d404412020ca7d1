"""`--help` of every command: the layout, the words of its parameters, and what fits on a terminal."""

import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import get_args

import pytest
from typer.models import ParameterInfo

from reconciler.cli.command_model import Argument, Command, Option
from reconciler.cli.help_format import format_help
from reconciler.engines.deadlines import Deadlines
from reconciler.exit_codes import BY_COMMAND
from reconciler.render.formats import Format
from tests.cli.commands import DECLARED, GROUP, PROGRAM, parameters

COMMANDS = {each.name: each for each in PROGRAM.subcommands}
WIDTHS = (60, 80, 120)
# typer's own notation, and pydantic's.
NOTATION = re.compile(
    r"[<>{}|]|\[default: \(|env var|list\[|\brange\b|x\s*>=|\[required|\[default: (?:0|False|None)\]|;\s"
)

RUN = """\
Usage: envsync run [OPTIONS] NAME -- COMMAND [ARG]...

  Run a command in an environment.

  The command runs in the generation that is published now, with the `env`
  that was last applied. It replaces the envsync process, so signals and the
  exit code are its own. envsync itself exits with 125 if it fails, with 126
  if the command cannot be executed, and with 127 if it is not found.

Arguments:
  NAME              The environment.
  COMMAND [ARG]...  The command to run, with its arguments.

Options:
  -f, --file FILE  The manifest file. [env: ENVSYNC_FILE] [default: envs.yaml]
  -h, --help       Print this help and exit.
"""
USAGES = {
    "": "envsync [OPTIONS] COMMAND [ARG]...",
    "validate": "envsync validate [OPTIONS]",
    "schema": "envsync schema [OPTIONS] [DOCUMENT]",
    "show": "envsync show [OPTIONS] FILE",
    "plan": "envsync plan [OPTIONS] [NAME]...",
    "destroy": "envsync destroy [OPTIONS] NAME...",
    "history": "envsync history [OPTIONS] [NAME]",
    "rollback": "envsync rollback [OPTIONS] NAME",
    "run": "envsync run [OPTIONS] NAME -- COMMAND [ARG]...",
}
LINES = {
    "plan": (
        "-f, --file FILE The manifest file. [env: ENVSYNC_FILE] [default: envs.yaml]",
        "--output FORMAT The output format. [text, json, markdown, github, sarif, junit, gitlab, html] [default: text]",
        "--timeout SECONDS The time limit for resolving one lock. [minimum: 1] [default: 300]",
    ),
    "apply": (
        "[NAME]... Select only these environments and those that they depend on. [default: all environments]",
        "--parallelism N How many environments to build at the same time. [minimum: 1] [default: number of processors]",
        "--gc / --no-gc Delete old generations beyond `keep_generations`. [default: --gc]",
    ),
    "lock": ("-P, --upgrade-package PACKAGE Upgrade this package. [repeatable]",),
    "schema": ("[manifest, plan, events, error, snapshot] [default: manifest]", "-v, --verbose Has no effect"),
    "rollback": ("--to N The generation to publish. [default: the newest sound one]",),
}


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that returns what `--help` of a command prints on a terminal of some width, in columns."""

    def printed(command: str, width: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        assert GROUP.main(args=[*command.split(), "--help"], prog_name="envsync", standalone_mode=False) == 0
        return capsys.readouterr().out

    return printed


def all_parameters() -> Iterator[tuple[Command, Argument | Option]]:
    for command in (PROGRAM, *PROGRAM.subcommands):
        yield from ((command, each) for each in parameters(command))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["", *BY_COMMAND])
def test_the_page_of_every_command(name: str, width: int, page: Callable[..., str]) -> None:
    shown = page(name, width)
    assert NOTATION.findall(shown) == []
    for line in shown.splitlines():
        assert len(line) <= width
        assert line == line.rstrip()
        assert len(re.findall(r"\S {2,}", line)) <= 1, f"only behind a term: {line!r}"
        # The formats, and the longest default on a narrow terminal, need more than one line.
        if not re.search(r"text, json,|markdown|sarif|gitlab|300 to resolve,|^ +install\]", line):
            assert line.count("[") == line.count("]"), f"a fact is on two lines: {line!r}"
        assert line.count("`") % 2 == 0, f"a name is on two lines: {line!r}"
    assert "\n\n\n" not in shown
    words = " ".join(shown.split())
    command = COMMANDS.get(name, PROGRAM)
    for paragraph in (command.summary, *command.paragraphs):
        assert paragraph in words
    for each in parameters(command):
        assert f" {each.term} {each.help}" in words
    for subcommand in command.subcommands:
        assert f" {subcommand.name} {subcommand.summary}" in words
    assert re.findall(r"^(\w+):$", shown, re.MULTILINE) == [
        *(["Arguments"] if command.arguments else []),
        "Options",
        *(["Commands"] if command.subcommands else []),
    ]


@pytest.mark.parametrize("name", USAGES)
def test_the_line_of_usage(name: str, page: Callable[..., str]) -> None:
    assert page(name).splitlines()[0] == f"Usage: {USAGES[name]}"


@pytest.mark.parametrize("name", LINES)
def test_a_parameter_is_described_with_its_values_and_its_default(name: str, page: Callable[..., str]) -> None:
    words = " ".join(page(name).split())
    for line in LINES[name]:
        assert f" {line}" in words


def test_a_whole_page(page: Callable[..., str]) -> None:
    assert page("run") == RUN


def test_long_names_are_below_each_other_and_a_wide_term_has_its_own_line(page: Callable[..., str]) -> None:
    lines = page("lock", 60).splitlines()
    assert {line.index("--") for line in lines if re.match(r" +(-\w, )?--", line)} == {len("  -f, ")}
    wide = lines.index("  -P, --upgrade-package PACKAGE")
    assert lines[wide + 1].split() == ["Upgrade", "this", "package."]


def test_a_usage_that_is_too_long_continues_below_its_arguments() -> None:
    argument = Argument(metavar="ARGUMENT", type="text", help="", required=True, several=False, choices=(), default="")
    command = Command(name="plan", summary="", paragraphs=(), arguments=(argument,) * 6, options=(), subcommands=())
    lines = format_help(command, width=50).split("\n\n")[0].splitlines()
    assert lines[0] == "Usage: envsync plan [OPTIONS] ARGUMENT ARGUMENT"
    assert lines[1] == " " * len("Usage: envsync plan ") + "ARGUMENT ARGUMENT ARGUMENT"


def test_every_parameter_has_a_help_text_and_a_name_for_its_value() -> None:
    for command, each in all_parameters():
        where = f"{command.path} {each.term}"
        assert re.fullmatch(r"[A-Z].*\.", each.help), where
        assert "--" not in re.sub("`[^`]*`", "", each.help), f"{where}: an option is in backticks"
        assert not re.search(r"[Dd]efault", each.help), f"{where}: use show_default"
        if isinstance(each, Argument) or each.type not in {"flag", "count"}:
            assert re.fullmatch(r"(-- )?[A-Z]+([=:][A-Z]+)?( \[ARG\]\.\.\.)?", each.metavar), where
        if each.type == "path":
            assert each.metavar in {"FILE", "DIR"}, where
    formats = {each.choices for _, each in all_parameters() if isinstance(each, Option) and "--output" in each.names}
    assert tuple(each.value for each in Format) in formats


def test_the_time_limits_are_those_of_the_engine_and_of_what_the_command_runs() -> None:
    limits = Deadlines()
    shown = {name: option.default for name, each in COMMANDS.items() if (option := each.option("--timeout"))}
    resolve = f"{limits.resolve:g}"
    assert shown == {
        "lock": resolve,
        "plan": resolve,
        "apply": f"{resolve} to resolve, {limits.install:g} to install",
        "rollback": f"{limits.install:g}",
    }


def test_a_command_describes_only_what_it_does() -> None:
    for name, command in COMMANDS.items():
        verbose = command.option("--verbose")
        if name == "run":
            assert verbose is None
            continue
        assert verbose is not None
        prints_plan = name in {"plan", "check", "show", "apply", "publish", "destroy"}
        assert verbose.help.startswith("List all packages" if prints_plan else "Has no effect"), name
    assert "depend on" not in COMMANDS["verify"].arguments[0].help, "`verify` selects exactly the names"


def test_typer_checks_no_file_because_the_readers_report_better_errors() -> None:
    files = 0
    for name, command in DECLARED.items():
        assert command.callback is not None
        for parameter in inspect.signature(command.callback).parameters.values():
            kind, *declared = get_args(parameter.annotation) or (None,)
            for each in declared:
                if isinstance(each, ParameterInfo) and "Path" in str(kind):
                    files += 1
                    assert not any((each.readable, each.exists, each.writable)), f"{name} {parameter.name}"
    assert files >= len(DECLARED)


def test_only_help_and_invalid_command_lines_import_what_they_need() -> None:
    code = "import reconciler.cli.app, sys; print([each for each in sys.modules if each.startswith('reconciler.cli.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "reconciler.cli.typer_commands" in done.stdout
    for name in ("command_model", "help_format", "usage_errors"):
        assert f"reconciler.cli.{name}" not in done.stdout
