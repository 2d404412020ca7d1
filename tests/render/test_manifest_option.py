"""Commands in every kind of output name the manifest of the command line (`-f FILE`), so that they work as printed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reconciler.cli.console import Console
from reconciler.cli.run import run
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.errors import EnvsyncError, ManifestError, Problem
from reconciler.events import EnvironmentFinished, Failure, Notice, Status
from reconciler.json_output import safe_text
from reconciler.plan.document import plan_json
from reconciler.plan.model import Plan
from reconciler.render.error_document import error_json
from reconciler.render.error_text import render_error, render_failures, render_problems
from reconciler.render.event_json import event_json
from reconciler.render.formats import Format, render_report
from reconciler.render.manifest_option import COMMANDS, set_manifest_option, with_manifest_option
from reconciler.render.notes import notes_text
from reconciler.render.progress import PlainProgress
from reconciler.render.status_text import render_status, status_rows
from reconciler.render.style import Palette
from tests.cli.commands import GROUP, PROGRAM
from tests.plan.build import world
from tests.render.pictures import plan_text
from tests.render.reports import report_of

HINT = "run `envsync apply web` or `envsync plan`"
COMPLETED = "run `envsync apply -f fleet.yaml web` or `envsync plan -f fleet.yaml`"
FAILURE = Failure(code="apply", message="it failed", hint=HINT)
FINISHED = EnvironmentFinished(environment="web", status=Status.FAILED, action="update", failure=FAILURE)


@pytest.fixture(autouse=True)
def named() -> Iterator[None]:
    set_manifest_option("fleet.yaml", {})
    yield
    set_manifest_option(None, {})


def a_plan() -> Plan:
    """Return a plan whose hints, notes, remarks, blockers and failures all contain the command."""
    made = world({"manifest": {"web": {"packages": {"six": "1.0"}}, "api": {}}, "applied": {"api": {}}}).plan()
    blocked = (Reason(code=ReasonCode.HELD, origin=Origin.PENDING, message=HINT),)
    environments = [
        replace(each, hints=(HINT,), notes=(HINT,), blocked=blocked * 2, failure=FAILURE) for each in made.environments
    ]
    return replace(made, environments=tuple(environments), notes=(HINT,), remarks=(HINT,))


def _report(form: Format) -> str:
    return render_report(report_of(a_plan()), form)


def _page_text() -> str:
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append  # type: ignore[method-assign, assignment]
    parser.feed(_report(Format.HTML))
    return "".join(words)


def _progress() -> str:
    written: list[str] = []
    progress = PlainProgress(written.append, palette=Palette.plain())
    progress.on_event(FINISHED)
    progress.on_event(Notice(message=HINT))
    return "".join(written)


def _status() -> str:
    rows = status_rows(a_plan(), {}, ".envs", staged={})
    return render_status(rows, palette=Palette.plain(), width=200, sizes=False, startup=False)


ERROR = EnvsyncError("it failed", hint=HINT)
PROBLEMS = ManifestError((Problem(message="it is wrong", hint=HINT),))
OUTPUTS: dict[str, Callable[[], str]] = {
    "an error": lambda: render_error(ERROR, Palette.plain()),
    "an error as JSON": lambda: error_json(ERROR, one_line=True),
    "the problems of a manifest": lambda: render_problems(PROBLEMS),
    "the problems of a manifest as JSON": lambda: error_json(PROBLEMS, one_line=False),
    "failures": lambda: render_failures({"web": FAILURE}, Palette.plain()),
    "notes": lambda: notes_text([HINT]),
    "the progress of an apply": _progress,
    "an event as JSON": lambda: event_json(FINISHED),
    "a notice as JSON": lambda: event_json(Notice(message=HINT)),
    "a plan": lambda: plan_text(a_plan(), width=200),
    "the status": _status,
    "markdown": lambda: _report(Format.MARKDOWN),
    "github": lambda: _report(Format.GITHUB),
    "junit": lambda: _report(Format.JUNIT),
    "gitlab": lambda: _report(Format.GITLAB),
    "html": _page_text,
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_every_command_names_the_manifest(kind: str) -> None:
    text = " ".join(OUTPUTS[kind]().split())
    assert COMPLETED in text
    assert HINT not in text
    set_manifest_option(None, {})
    text = " ".join(OUTPUTS[kind]().split())
    assert HINT in text
    assert "fleet.yaml" not in text


def test_sarif_names_the_manifest_in_what_is_about_this_plan() -> None:
    ran = json.loads(_report(Format.SARIF))["runs"][0]
    assert COMPLETED in json.dumps(ran["results"])
    assert HINT not in json.dumps(ran["results"])
    assert "fleet.yaml" not in json.dumps(ran["tool"]["driver"]["rules"])  # they are the same for every manifest


def test_the_status_names_it_where_it_counts_further_reasons() -> None:
    assert "(and 1 more reason: `envsync plan -f fleet.yaml`)" in _status()


def test_the_messages_of_a_command_name_the_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    Console().message(f"hint: {HINT}")
    assert capsys.readouterr().err == f"hint: {COMPLETED}\n"


def test_the_json_of_a_plan_and_its_digest_stay_the_same() -> None:
    plan = a_plan()
    document, identity = plan_json(plan), plan.id
    set_manifest_option(None, {})
    assert (plan_json(plan), plan.id) == (document, identity)
    assert json.loads(document)["environments"][0]["hints"] == [HINT]
    assert safe_text(HINT) == HINT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`envsync gc --deleted`", "`envsync gc -f fleet.yaml --deleted`"),
        ("`envsync rollback NAME --to 3`, then", "`envsync rollback -f fleet.yaml NAME --to 3`, then"),
        ("`envsync run web -- true`", "`envsync run -f fleet.yaml web -- true`"),
        # These name a manifest, or read none.
        ("`envsync apply -f other.yaml web`", "`envsync apply -f other.yaml web`"),
        ("`envsync apply --file=other.yaml`", "`envsync apply --file=other.yaml`"),
        ("`envsync run [-f FILE] NAME`", "`envsync run [-f FILE] NAME`"),
        ("`envsync plan --help`", "`envsync plan --help`"),
        ("`envsync schema manifest`", "`envsync schema manifest`"),
        ("`envsync show`", "`envsync show`"),
        ("`envsync`", "`envsync`"),
        ("`envsync planet`", "`envsync planet`"),
        ("`apply`", "`apply`"),
        ("envsync apply", "envsync apply"),
        ("`a`envsync apply`", "`a`envsync apply -f fleet.yaml`"),
    ],
)
def test_the_option_follows_the_command(text: str, expected: str) -> None:
    assert with_manifest_option(text) == expected
    assert with_manifest_option(expected) == expected


@pytest.mark.parametrize(
    ("file", "variable", "option"),
    [
        ("envs.yaml", None, ""),
        ("./envs.yaml", None, ""),
        ("fleet.yaml", None, " -f fleet.yaml"),
        ("my fleet.yaml", None, " -f 'my fleet.yaml'"),
        ("envs.yaml", "", ""),
        ("fleet.yaml", "fleet.yaml", ""),  # also if only the variable names it: typer takes its value then
        ("envs.yaml", "fleet.yaml", " -f envs.yaml"),
        (None, "fleet.yaml", ""),
    ],
)
def test_only_a_manifest_that_is_not_the_default_is_named(file: str | None, variable: str | None, option: str) -> None:
    set_manifest_option(None if file is None else Path(file), {} if variable is None else {"ENVSYNC_FILE": variable})
    assert with_manifest_option("`envsync check`") == f"`envsync check{option}`"


def test_every_command_that_reads_a_manifest_is_known() -> None:
    assert {each.name for each in PROGRAM.subcommands if each.option("--file")} == COMMANDS | {"show"}


def test_the_command_line_sets_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Also for an error in the command line behind it, and for `run`, which has its own parser."""
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text("version: 1\nproject: acme\nenvironments: {}\n", encoding="utf-8")
    assert run(["-f", str(fleet), "web", "--", "true"]) == 125
    assert f"hint: run `envsync apply -f {fleet} web`" in capfd.readouterr().err
    with pytest.raises(EnvsyncError):
        GROUP.main(args=["publish", "-f", str(fleet)], prog_name="envsync", standalone_mode=False)
    assert with_manifest_option("`envsync publish`") == f"`envsync publish -f {fleet}`"
