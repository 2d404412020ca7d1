"""What a plan is printed with: the manifest's path in the repository, its places, and the summary of a step."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cli.console import Console, set_console
from reconciler.cli.plan_output import print_notes, print_plan, print_report, report_of
from reconciler.render.formats import Format, render_report
from reconciler.render.report import Command
from reconciler.state.history import append_history
from tests.plan.build import world
from tests.render import reports
from tests.state.edited import make_root

WORLD = world({"manifest": {"web": {"packages": {"six": "1.0"}}}})
PLAN = WORLD.plan()
REPORT = reports.report_of(PLAN)


@pytest.fixture(autouse=True)
def no_variables_of_ci_or_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "GITHUB_STEP_SUMMARY", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    yield
    set_console(Console())


@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
def test_a_manifest_in_the_checkout_is_named_relative_to_it(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checkout/deploy").mkdir(parents=True)
    (tmp_path / "link").symlink_to("checkout")
    inside, outside = tmp_path / "link/deploy/envs.yaml", tmp_path / "envs.yaml"
    for file in (inside, outside):
        assert report_of(PLAN, Format.SARIF, command="plan", file=file, desired=None).file == str(file)
    monkeypatch.setenv(variable, str(tmp_path / "checkout"))
    assert report_of(PLAN, Format.SARIF, command="plan", file=inside, desired=None).file == "deploy/envs.yaml"
    assert report_of(PLAN, Format.SARIF, command="plan", file=outside, desired=None).file == str(outside)
    monkeypatch.chdir(tmp_path / "checkout/deploy")
    assert (
        report_of(PLAN, Format.SARIF, command="plan", file=Path("envs.yaml"), desired=None).file == "deploy/envs.yaml"
    )


def test_every_declared_environment_has_its_place_in_the_manifest(tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    (web,) = WORLD.desired.environments
    desired = replace(WORLD.desired, environments=(replace(web, place=f"{file}:7:3"),))
    report = report_of(PLAN, Format.SARIF, command="check", file=file, desired=desired)
    assert (report.command, report.places) == ("check", {"web": f"{file}:7:3"})
    assert (report.line("web"), report.column("web"), report.line("gone")) == (7, 3, 1)
    assert report_of(PLAN, Format.SARIF, command="plan", file=file, desired=None).places == {}


@pytest.mark.parametrize(
    ("form", "known", "local", "runs"),
    [
        (Format.HTML, True, True, 1),
        (Format.HTML, True, False, 0),
        (Format.HTML, False, True, 0),
        (Format.SARIF, True, True, 0),
    ],
)
def test_only_a_page_about_this_machine_has_its_history(
    form: Format, known: bool, local: bool, runs: int, tmp_path: Path
) -> None:
    append_history(make_root(tmp_path), {"run": 1})
    desired = replace(WORLD.desired, root=tmp_path) if known else None
    report = report_of(PLAN, form, command="plan", file=Path("envs.yaml"), desired=desired, local=local)
    assert len(report.runs) == runs


def test_only_the_github_format_adds_to_the_summary_of_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary"
    summary.write_text("before")
    print_report(REPORT, Format.GITHUB)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    print_report(REPORT, Format.SARIF)
    assert summary.read_text() == "before"
    capsys.readouterr()
    print_report(REPORT, Format.GITHUB)
    assert capsys.readouterr() == (render_report(REPORT, Format.GITHUB), "")
    assert summary.read_text() == "before\n" + render_report(REPORT, Format.MARKDOWN)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    print_report(REPORT, Format.GITHUB)
    assert capsys.readouterr().err == "warning: the step summary could not be written: Is a directory\n"


@pytest.mark.parametrize(
    ("command", "console", "expected"),
    [
        ("plan", Console(), "Plan: 1 to create.\n"),
        ("apply", Console(), "Plan: 1 to create.\n"),
        ("check", Console(), "Check: 1 pending.\n"),
        ("plan", Console(color="always"), "\x1b[1mPlan: 1 to create.\x1b[0m\n"),
    ],
)
def test_the_text_is_that_of_the_command_and_of_the_terminal(
    command: Command, console: Console, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_console(console)
    print_plan(PLAN, Format.TEXT, command=command, file=Path("deploy/envs.yaml"))
    assert capsys.readouterr().out.splitlines(keepends=True)[-1] == expected


def test_the_text_of_an_empty_plan_names_the_file_without_its_directory(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan(replace(PLAN, environments=()), Format.TEXT, command="plan", file=Path("deploy/my.yaml"))
    assert capsys.readouterr().out == "No changes. No environments are declared in `my.yaml`.\n"


def test_verbose_lists_the_packages_of_a_new_environment(capsys: pytest.CaptureFixture[str]) -> None:
    for verbose in (0, 1):
        set_console(Console(verbose=verbose))
        print_plan(PLAN, Format.TEXT, command="plan", file=Path("envs.yaml"))
        assert ("six" in capsys.readouterr().out) is bool(verbose)


def test_notes_are_messages(capsys: pytest.CaptureFixture[str]) -> None:
    print_notes(())
    print_notes(("one", "two\x1b"))
    assert capsys.readouterr() == ("", "note: one\nnote: two\\x1b\n")
