"""What each command line asks of the program: every option of a command reaches the method that it is about."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest

import reconciler
from reconciler.apply.context import ApplyOptions
from reconciler.cli.argument_order import common_last
from reconciler.cli.console import Console, set_console
from reconciler.engines.deadlines import Deadlines
from reconciler.errors import EnvsyncError
from reconciler.maintenance import Maintenance
from reconciler.observe.actual import Depth
from reconciler.options import PlanOptions, Selection
from reconciler.plan.model import Policy
from reconciler.reconcile import Proposal, Workspace
from reconciler.render.manifest_option import set_manifest_option
from tests.cli.commands import GROUP
from tests.observed_calls import Call, observed_calls

EMPTY = "version: 1\nproject: acme\nroot: envs\nenvironments: {}\n"
SERIES = f"{sys.version_info.major}.{sys.version_info.minor}"
APPLIED = EMPTY.replace("{}", f'{{web: {{python: "{SERIES}", labels: {{team: a}}}}}}')
WEB = Selection(names=("web",), labels={"team": "a"})
OF_POLICY = {
    "--no-prune": Policy(prune=False),
    "--allow-empty": Policy(allow_empty=True),
    "--adopt": Policy(adopt=True),
    "--drop-ignored": Policy(drop_ignored=True),
    "--take-over": Policy(take_over=True),
    "--skip-hooks": Policy(skip_hooks=True),
    "--stage": Policy(stage=True),
}
HELD_FOR_5 = ("hold", {"timeout": 5.0})
CHECKED = PlanOptions(resolve=False, offline=True)
DELETED = PlanOptions(depth=Depth.METADATA, resolve=False, policy=Policy(destroy=frozenset({"web"})))
PUBLISHED = PlanOptions(resolve=False, offline=True, policy=Policy(publish=frozenset({"web"})))
IN_ORDER = ApplyOptions(parallelism=1, offline=True)

# What these say is the default.
AS_USUAL = ((), Selection(), PlanOptions(), Deadlines())
CALLS: dict[str, list[Call]] = {
    "lock": [("lock", {})],
    "lock web -l team=a": [("lock", {"selection": WEB})],
    "lock --upgrade": [("lock", {"upgrade": True})],
    "lock -P six -P idna": [("lock", {"upgrade": ("six", "idna")})],
    "lock --check": [("lock", {"check": True})],
    "lock --offline": [("lock", {"offline": True})],
    "lock --timeout 5": [("load", {"deadlines": Deadlines.within(5)}), ("lock", {})],
    "plan": [("plan", {})],
    "plan web -l team=a": [("plan", {"selection": WEB})],
    "plan --depth hashes": [("plan", {"options": PlanOptions(depth=Depth.HASHES)})],
    "plan --locked": [("plan", {"options": PlanOptions(locked=True)})],
    "plan --offline": [("plan", {"options": PlanOptions(offline=True)})],
    "plan --out plan.json": [("plan", {"options": PlanOptions(locked=True)})],
    "plan --timeout 5": [
        ("load", {"deadlines": Deadlines.within(5)}),
        ("plan", {}),
    ],
    "plan web -l team=a --against main --locked": [
        ("plan_against", {"revision": "main", "selection": WEB, "options": PlanOptions(locked=True)})
    ],
    "check": [("plan", {"options": CHECKED})],
    "check web -l team=a --depth hashes --no-prune --except web:idna": [
        (
            "plan",
            {
                "selection": WEB,
                "options": PlanOptions(
                    depth=Depth.HASHES,
                    resolve=False,
                    offline=True,
                    exceptions=(("web", "idna"),),
                    policy=Policy(prune=False),
                ),
            },
        )
    ],
    "status web -l team=a": [("plan", {"selection": WEB, "options": CHECKED})],
    "status --depth metadata": [
        (
            "plan",
            {"options": PlanOptions(depth=Depth.METADATA, resolve=False, offline=True)},
        )
    ],
    "apply --yes --depth hashes --locked --offline --no-gc --lock-timeout 5 --timeout 7 --parallelism 1": [
        ("load", {"deadlines": Deadlines.within(7)}),
        HELD_FOR_5,
        (
            "plan",
            {
                "options": PlanOptions(depth=Depth.HASHES, build=True, locked=True, offline=True),
            },
        ),
        ("apply_held", {"options": ApplyOptions(parallelism=1, offline=True, collect=False), "recheck": False}),
    ],
    "observe": [("observe", {})],
    "observe web -l team=a --depth hashes": [("observe", {"selection": WEB, "depth": Depth.HASHES})],
    "history": [("names", {"deleted": True}), ("runs", {})],
    "history --runs": [("names", {"deleted": True}), ("runs", {})],
    "diff web 1": [("diff", {"name": "web", "before": 1})],
    "diff web 1 2": [("diff", {"name": "web", "before": 1, "after": 2})],
    "rollback web": [("rollback", {"name": "web"})],
    "rollback web --to 3 --hold INC-42 --no-rebuild --offline --lock-timeout 5 --timeout 7": [
        ("load", {"deadlines": Deadlines.within(7)}),
        (
            "rollback",
            {"name": "web", "to": 3, "hold": "INC-42", "timeout": 5.0, "rebuild": False, "offline": True},
        ),
    ],
    "hold web INC-42": [("hold", {"name": "web", "reason": "INC-42"})],
    "hold web INC-42 --lock-timeout 5": [("hold", {"name": "web", "reason": "INC-42", "timeout": 5.0})],
    "release web": [("release", {"name": "web"})],
    "release web --lock-timeout 5": [("release", {"name": "web", "timeout": 5.0})],
    "verify": [("verify", {})],
    "verify web --depth files": [("verify", {"names": ("web",), "depth": Depth.FILES})],
    "verify --generations": [("verify_generations", {})],
    "verify web --generations --depth files": [("verify_generations", {"names": ("web",), "depth": Depth.FILES})],
    "gc": [("collect", {})],
    "gc --dry-run": [("collect", {"dry_run": True})],
    "gc --deleted --lock-timeout 5": [("collect", {"deleted": True, "timeout": 5.0})],
    "gc --cache --lock-timeout 5": [("collect", {"timeout": 5.0}), ("collect_caches", {"timeout": 5.0})],
    **{f"plan {option}": [("plan", {"options": PlanOptions(policy=policy)})] for option, policy in OF_POLICY.items()},
    **{
        f"apply --yes --parallelism 2 {option}": [
            ("hold", {}),
            ("plan", {"options": PlanOptions(build=True, policy=policy)}),
            ("apply_held", {"options": ApplyOptions(parallelism=2), "recheck": False}),
        ]
        for option, policy in OF_POLICY.items()
    },
}
# In this order, with `web` applied and nothing staged.
OF_AN_APPLIED_ENVIRONMENT: dict[str, list[Call]] = {
    "apply --yes web -l team=a --parallelism 3": [
        ("hold", {}),
        ("plan", {"selection": WEB, "options": PlanOptions(build=True)}),
        ("apply_held", {"options": ApplyOptions(parallelism=3), "recheck": False}),
    ],
    "freeze web": [("observe_environment", {"name": "web"})],
    "history web": [("names", {"chosen": ("web",), "deleted": True}), ("generation_history", {"names": ("web",)})],
    "history web --runs": [("names", {"chosen": ("web",), "deleted": True}), ("runs", {"name": "web"})],
    "history --generations": [("names", {"deleted": True}), ("generation_history", {"names": ("web",)})],
    "publish --yes web --lock-timeout 5": [
        HELD_FOR_5,
        ("staged", {"selection": Selection(names=("web",))}),
    ],
    "publish --yes --all --drop-ignored --skip-hooks --no-gc": [
        ("hold", {}),
        ("staged", {}),
        ("unreadable_staged", {}),
    ],
    "destroy --yes web --take-over --skip-hooks --no-gc --lock-timeout 5": [
        HELD_FOR_5,
        (
            "plan",
            {
                "options": PlanOptions(
                    depth=Depth.METADATA,
                    resolve=False,
                    policy=Policy(destroy=frozenset({"web"}), take_over=True, skip_hooks=True),
                ),
            },
        ),
        ("apply_held", {"options": ApplyOptions(parallelism=1, offline=True, collect=False), "recheck": False}),
    ],
}
# Functions that are called with events or sentences: what they print is tested with the real command.
CALLED_BACK = {"on_event", "on_skip", "stop"}
WATCHED = (
    reconciler.load,
    *(Workspace.lock, Workspace.plan, Workspace.plan_against, Workspace.hold, Workspace.staged),
    *(Workspace.unreadable_staged, Workspace.observe, Workspace.observe_environment, Workspace.collect_caches),
    *(Workspace.approved, Proposal.apply_held),
    *(Maintenance.names, Maintenance.runs, Maintenance.generation_history, Maintenance.diff, Maintenance.rollback),
    *(Maintenance.hold, Maintenance.release, Maintenance.verify, Maintenance.verify_generations, Maintenance.collect),
)


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the commands run in a directory with a manifest that declares nothing."""
    (tmp_path / "envs.yaml").write_text(EMPTY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield
    set_console(Console())
    set_manifest_option(None, {})


def calls(line: str) -> list[Call]:
    """Run a command line, which may fail, and return what the command asked of the program."""
    with (
        observed_calls(*WATCHED, by="reconciler.cli") as found,
        suppress(EnvsyncError, click.ClickException, SystemExit),
    ):
        GROUP.main(args=common_last(line.split()), prog_name="envsync", standalone_mode=False)
    return [
        (name, {key: value for key, value in arguments.items() if key not in CALLED_BACK and value not in AS_USUAL})
        for name, arguments in found
    ]


def without_file(found: list[Call]) -> list[Call]:
    """Return calls without the file of the manifest, which is loaded once, and without that call if it says no more."""
    assert [arguments.pop("file") for name, arguments in found if name == "load"] == [Path("envs.yaml")]
    return [each for each in found if each != ("load", {})]


@pytest.mark.parametrize("line", CALLS)
def test_every_option_reaches_the_program(line: str) -> None:
    assert without_file(calls(line)) == CALLS[line]


def test_options_about_an_applied_environment_reach_the_program() -> None:
    Path("envs.yaml").write_text(APPLIED, encoding="utf-8")
    assert calls("apply --yes --offline")[-1][0] == "apply_held"
    for line, expected in OF_AN_APPLIED_ENVIRONMENT.items():
        assert without_file(calls(line)) == expected, line


@pytest.mark.parametrize(
    "command", ["lock", "plan", "check", "status", "apply --yes", "observe", "history", "verify", "gc"]
)
def test_every_command_reads_the_manifest_that_is_named(command: str) -> None:
    Path("other.yaml").write_text(EMPTY, encoding="utf-8")
    assert calls(f"{command} -f other.yaml")[0][1]["file"] == Path("other.yaml")


def test_a_saved_plan_is_approved_as_it_was_and_not_checked_again() -> None:
    calls("plan --out plan.json")
    found = calls("apply --plan plan.json --offline --no-gc --parallelism 3 --lock-timeout 5 --timeout 7")
    assert [name for name, _ in found] == ["load", "approved", "apply_held"]
    assert found[0][1]["deadlines"] == Deadlines.within(7)
    assert {**found[1][1], "saved": None} == {"saved": None, "offline": True, "timeout": 5.0}
    assert found[2][1] == {"options": ApplyOptions(parallelism=3, offline=True, collect=False), "recheck": False}


def test_after_a_question_the_environments_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    assert calls("apply --parallelism 1")[-1] == ("apply_held", {"options": ApplyOptions(parallelism=1)})
