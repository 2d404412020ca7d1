"""What each command line asks of the program: every option of a command reaches the method that it is about."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

import reconciler
from reconciler.apply.context import ApplyOptions
from reconciler.cli.argument_order import common_last
from reconciler.cli.console import Console, set_console
from reconciler.engines.deadlines import Deadlines
from reconciler.maintenance import Maintenance
from reconciler.observe.actual import Depth
from reconciler.options import PlanOptions, Selection
from reconciler.plan.model import Policy
from reconciler.reconcile import Proposal, Workspace
from reconciler.render.manifest_option import set_manifest_option
from tests.cli.commands import GROUP

EMPTY = "version: 1\nproject: acme\nroot: envs\nenvironments: {}\n"
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
Call = tuple[str, dict[str, Any]]  # a method, and its arguments other than the defaults
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
    "apply --yes web -l team=a --parallelism 3": [
        ("hold", {}),
        ("plan", {"selection": WEB, "options": PlanOptions(build=True)}),
        ("apply_held", {"options": ApplyOptions(parallelism=3), "recheck": False}),
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
    "publish --yes web --lock-timeout 5": [
        HELD_FOR_5,
        ("staged", {"selection": Selection(names=("web",))}),
        HELD_FOR_5,
        ("plan", {"options": PUBLISHED}),
        ("apply_held", {"options": IN_ORDER, "recheck": False}),
    ],
    "publish --yes --all --drop-ignored --skip-hooks --no-gc": [
        ("hold", {}),
        ("staged", {}),
        ("unreadable_staged", {}),
        ("hold", {}),
        (
            "plan",
            {
                "options": PlanOptions(
                    resolve=False,
                    offline=True,
                    policy=Policy(publish=frozenset({"web"}), drop_ignored=True, skip_hooks=True),
                ),
            },
        ),
        ("apply_held", {"options": ApplyOptions(parallelism=1, offline=True, collect=False), "recheck": False}),
    ],
    "destroy --yes web --lock-timeout 5": [
        HELD_FOR_5,
        ("plan", {"options": DELETED}),
        ("apply_held", {"options": IN_ORDER, "recheck": False}),
    ],
    "destroy --yes web --take-over --skip-hooks --no-gc": [
        ("hold", {}),
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
    "observe": [("observe", {})],
    "observe web -l team=a --depth hashes": [("observe", {"selection": WEB, "depth": Depth.HASHES})],
    "freeze web": [("observe_environment", {"name": "web"})],
    "history": [("names", {"deleted": True}), ("runs", {})],
    "history --runs": [("names", {"deleted": True}), ("runs", {})],
    "history web": [("names", {"chosen": ("web",), "deleted": True}), ("generation_history", {"names": ("web",)})],
    "history web --runs": [("names", {"chosen": ("web",), "deleted": True}), ("runs", {"name": "web"})],
    "history --generations": [("names", {"deleted": True}), ("generation_history", {"names": ("web",)})],
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
# Functions that are called with events or sentences: what they print is tested with the real command.
CALLED_BACK = {"on_event", "on_skip", "stop"}


class ReachedError(Exception):
    """The program was reached: nothing is done."""


def reached(*_: object, **__: object) -> NoReturn:
    raise ReachedError


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    """Return the calls of the methods of a workspace whose manifest declares nothing; they do nothing else."""
    (tmp_path / "envs.yaml").write_text(EMPTY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found: list[Call] = []

    def record(owner: Any, name: str, answer: Callable[..., object]) -> None:
        signature = inspect.signature(getattr(owner, name))
        own = {each.name: each.default for each in signature.parameters.values()}

        def recorded(*given: Any, **named: Any) -> object:
            arguments = signature.bind(*given, **named).arguments
            found.append(
                (
                    name,
                    {
                        key: value
                        for key, value in arguments.items()
                        if key not in {"self", *CALLED_BACK} and value != own[key] and value not in AS_USUAL
                    },
                )
            )
            return answer(*given, **named)

        monkeypatch.setattr(owner, name, recorded)

    @contextmanager
    def held(*_: object, **__: object) -> Iterator[None]:
        yield

    load, plan = reconciler.load, Workspace.plan
    record(reconciler, "load", lambda file, **_: load(file))
    record(Workspace, "plan", lambda workspace, *_: plan(workspace, options=PlanOptions(resolve=False)))
    record(Workspace, "hold", held)
    record(Workspace, "staged", lambda *_: {"web": None})
    record(Workspace, "unreadable_staged", lambda *_: ())
    for method in ("lock", "plan_against", "observe", "observe_environment"):
        record(Workspace, method, reached)
    record(Workspace, "collect_caches", reached)
    record(Proposal, "apply_held", reached)
    record(Maintenance, "names", lambda *_, **__: ("web",))
    record(Maintenance, "collect", lambda *_, **__: [])
    for method in ("runs", "generation_history", "diff", "rollback", "hold", "release", "verify", "verify_generations"):
        record(Maintenance, method, reached)
    yield found
    set_console(Console())
    set_manifest_option(None, {})


def run(line: str) -> None:
    """Run a command line until it reaches the program, or ends."""
    try:
        GROUP.main(args=common_last(line.split()), prog_name="envsync", standalone_mode=False)
    except ReachedError:
        return


@pytest.mark.parametrize("line", CALLS)
def test_every_option_reaches_the_program(line: str, calls: list[Call]) -> None:
    if line.startswith("freeze"):
        Path("envs.yaml").write_text(EMPTY.replace("{}", '{web: {python: "3.12"}}'), encoding="utf-8")
    run(line)
    loads = [arguments for name, arguments in calls if name == "load"]
    assert [each.pop("file") for each in loads] == [Path("envs.yaml")]
    assert [each for each in calls if each != ("load", {})] == CALLS[line]


@pytest.mark.parametrize(
    "command", ["lock", "plan", "check", "status", "apply --yes", "observe", "history", "verify", "gc"]
)
def test_every_command_reads_the_manifest_that_is_named(command: str, calls: list[Call]) -> None:
    Path("other.yaml").write_text(EMPTY, encoding="utf-8")
    run(f"{command} -f other.yaml")
    assert calls[0][1]["file"] == Path("other.yaml")


def test_a_saved_plan_is_approved_as_it_was_and_not_checked_again(
    calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    approved, waits = Workspace.approved, []

    def recorded(workspace: Workspace, *given: Any, **named: Any) -> Any:
        waits.append(named)
        return approved(workspace, *given, **named)

    monkeypatch.setattr(Workspace, "approved", recorded)
    run("plan --out plan.json")
    calls.clear()
    run("apply --plan plan.json --offline --no-gc --parallelism 3 --lock-timeout 5 --timeout 7")
    assert waits == [{"offline": True, "timeout": 5.0}]
    assert calls[0][1]["deadlines"] == Deadlines.within(7)
    options = PlanOptions(locked=True, offline=True)
    assert calls[1:] == [
        HELD_FOR_5,
        ("plan", {"options": options}),
        ("apply_held", {"options": ApplyOptions(parallelism=3, offline=True, collect=False), "recheck": False}),
    ]


def test_after_a_question_the_environments_are_looked_at_again(
    calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    run("apply --parallelism 1")
    assert calls[-1] == ("apply_held", {"options": ApplyOptions(parallelism=1)})
