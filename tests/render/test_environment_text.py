"""The part of one environment in the text of a plan: sentences, packages, findings, settings, notes and hints."""

from typing import Any

import pytest

from reconciler.diff.model import Origin, PackageAction, PackageChange, Reason, ReasonCode, SettingChange
from reconciler.diff.source_change import SourceChange, SourceFlag
from reconciler.events import EnvironmentFinished, Failure, Status
from reconciler.observe.actual import Finding, FindingCode
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.environment_text import (
    environment_label,
    environment_lines,
    environment_sentences,
    failure_is_described,
    findings_to_list,
)
from reconciler.render.hold_text import hold_text
from reconciler.render.style import Palette
from reconciler.state.hold import Hold
from tests.render.environment_plans import LOCK_CHANGED, environment, package

NEW = Reason(code=ReasonCode.NEW, origin=Origin.PENDING, message="it is new")
DAMAGED = Reason(code=ReasonCode.ENVIRONMENT_DAMAGED, origin=Origin.DRIFT, message="1 problem")
BLOCKED = Reason(code=ReasonCode.DEPENDENCY_FAILED, origin=Origin.PENDING, message="it depends on `api`")
PREVENTED = Reason(code=ReasonCode.PREVENT_DESTROY, origin=Origin.PENDING, message="`prevent_destroy` is set")
HOLD = Hold(reason="INC-42", by="anna", since="2026-11-30T09:12:00+00:00")
HELD = f"held: {hold_text(HOLD)}"


def changed(name: str, **more: Any) -> PackageChange:
    """Return the change of a package to different files of the same version."""
    return package(name, PackageAction.CHANGE, after="1.0", **more)


def lines(plan: EnvironmentPlan, verbose: int = 0) -> list[str]:
    return environment_lines(plan, name_width=4, palette=Palette.plain(), width=120, verbose=verbose)


@pytest.mark.parametrize(
    ("plan", "sentences"),
    [
        (environment(reasons=(LOCK_CHANGED,)), ["update: the lock changed"]),
        (
            environment(reasons=(LOCK_CHANGED, DAMAGED), complete=False),
            ["update: the lock changed; 1 problem; packages unknown"],
        ),
        (
            environment(Action.CREATE, reasons=(NEW,), python_after="3.12.1", package_count=2),
            ["create: python 3.12.1, 2 packages"],
        ),
        (
            environment(Action.CREATE, reasons=(NEW, LOCK_CHANGED), complete=False),
            ["create: packages unknown; the lock changed"],
        ),
        (
            environment(Action.ADOPT, reasons=(LOCK_CHANGED,), python_after="3.12.1", package_count=1),
            ["adopt: the lock changed; python 3.12.1, 1 package"],
        ),
        (environment(Action.NO_OP), ["unchanged: nothing to do"]),
        (
            environment(Action.NO_OP, python_before="3.11.7", python_after="3.12.1", package_count=1, generation=3),
            ["unchanged: python 3.12.1, 1 package, generation 3"],
        ),
        (
            environment(Action.NO_OP, python_before="3.11.7", desired="sha256:x"),
            ["unchanged: python 3.11.7, 0 packages"],
        ),
        (
            environment(blocked=(BLOCKED, PREVENTED), reasons=(LOCK_CHANGED,)),
            ["blocked: it depends on `api`; `prevent_destroy` is set"],
        ),
        (
            environment(blocked=(BLOCKED,), reasons=(LOCK_CHANGED,)),
            ["blocked: it depends on `api`", "would update: the lock changed"],
        ),
        (environment(Action.NO_OP, blocked=(BLOCKED,), reasons=(LOCK_CHANGED,)), ["blocked: it depends on `api`"]),
        (environment(hold=HOLD, reasons=(LOCK_CHANGED,)), [HELD, "would update: the lock changed"]),
        (environment(Action.NO_OP, hold=HOLD), [HELD]),
        (
            environment(hold=HOLD, blocked=(BLOCKED,), reasons=(LOCK_CHANGED,)),
            ["blocked: it depends on `api`", HELD, "would update: the lock changed"],
        ),
        (
            environment(hold=HOLD, blocked=(PREVENTED,), reasons=(LOCK_CHANGED,)),
            ["blocked: `prevent_destroy` is set", HELD],
        ),
    ],
)
def test_sentences_say_what_happens_and_why(plan: EnvironmentPlan, sentences: list[str]) -> None:
    assert environment_sentences(plan) == sentences
    assert [each[9:] for each in lines(plan)[: len(sentences)]] == sentences
    label = environment_label(plan)
    assert sentences[0].startswith(f"{label}: ")
    assert environment_sentences(plan, labeled=False) == [sentences[0].removeprefix(f"{label}: "), *sentences[1:]]


@pytest.mark.parametrize(
    ("plan", "symbol"),
    [
        (environment(), "  ~"),
        (environment(Action.REPLACE), "-/+"),
        (environment(hold=HOLD), " ||"),
        (environment(blocked=(BLOCKED,)), "  x"),
        (environment(hold=HOLD, blocked=(BLOCKED,)), "  x"),
    ],
)
def test_the_symbol_of_a_blocked_environment_comes_first_and_that_of_a_held_one_second(
    plan: EnvironmentPlan, symbol: str
) -> None:
    assert lines(plan)[0].startswith(f"{symbol} web  ")


@pytest.mark.parametrize(
    ("action", "verbose", "listed"),
    [
        (Action.CREATE, 0, []),
        (Action.CREATE, 1, ["edited", "mixed", "reviewed", "same", "same-host", "up"]),
        (Action.REPLACE, 0, ["edited", "mixed", "reviewed", "up", "~"]),
        (Action.REPLACE, 1, ["edited", "mixed", "reviewed", "same", "same-host", "up"]),
        (Action.UPDATE, 0, ["edited", "mixed", "reviewed", "same", "same-host", "up"]),
    ],
)
def test_packages_that_follow_from_the_action_are_not_listed(action: Action, verbose: int, listed: list[str]) -> None:
    packages = (
        package("edited", PackageAction.REPAIR, after="1.0", origin=Origin.DRIFT, reason=ReasonCode.FILES_EDITED),
        changed("mixed", reason=ReasonCode.SOURCE_CHANGED),
        changed("reviewed", source=SourceChange(before=("a",), after=("b",), review=(SourceFlag.HOST,))),
        changed("same"),
        changed("same-host", source=SourceChange(before=("a",), after=("b",))),
        package("up"),
    )
    found = lines(environment(action, packages=packages, reasons=(LOCK_CHANGED,)), verbose)[1:]
    names = [each.split()[1] if "`-v` lists them" not in each else "~" for each in found]
    assert names == listed
    if "~" in listed:
        assert found[-1] == "      ~ 2 packages at the same version with different files (`-v` lists them)"


def finding(code: FindingCode, package: str = "", path: str = "", detail: str = "") -> Finding:
    return Finding(code=code, package=package, path=path, detail=detail)


MOVED = finding(FindingCode.MOVED)
DETAILED = finding(FindingCode.MOVED, detail="it says more")
RECORD = finding(FindingCode.MISSING_RECORD, "six", "six.dist-info")
OTHER_RECORD = finding(FindingCode.MISSING_RECORD, "idna")
REMOVED = package("six", PackageAction.REMOVE, origin=Origin.DRIFT, reason=ReasonCode.INSTALLED_BY_HAND)
REPAIRED = package("six", PackageAction.REPAIR, origin=Origin.DRIFT, reason=ReasonCode.METADATA_DAMAGED)
ADDED = finding(FindingCode.FILE_ADDED, path="stray.txt")
STARTUP = finding(FindingCode.STARTUP_ADDED, package="six", path="six.pth")
LINK = finding(FindingCode.FOREIGN_SYMLINK, path="web")
FOREIGN = finding(FindingCode.FOREIGN_FILE, path="web")


@pytest.mark.parametrize(
    ("found", "packages", "listed"),
    [
        ((MOVED,), (), ()),
        ((MOVED, ADDED), (), (ADDED,)),
        ((MOVED, RECORD), (REMOVED,), ()),
        ((MOVED, RECORD), (REPAIRED,), (MOVED,)),
        ((MOVED, RECORD), (), (MOVED, RECORD)),
        ((MOVED, OTHER_RECORD), (), (MOVED, OTHER_RECORD)),
        ((RECORD,), (), (RECORD,)),
        ((DETAILED,), (), (DETAILED,)),
        ((MOVED, DETAILED), (), (MOVED, DETAILED)),
        ((STARTUP, MOVED), (REMOVED,), (STARTUP,)),
    ],
)
def test_findings_that_the_reason_describes_are_not_listed(
    found: tuple[Finding, ...], packages: tuple[PackageChange, ...], listed: tuple[Finding, ...]
) -> None:
    for reasons in ((DAMAGED,), (LOCK_CHANGED, DAMAGED)):
        plan = environment(reasons=reasons, findings=found, packages=packages)
        assert findings_to_list(plan) == list(listed)


def test_without_that_reason_every_finding_is_listed_unless_a_package_covers_it() -> None:
    plan = environment(reasons=(LOCK_CHANGED,), findings=(MOVED, RECORD, OTHER_RECORD), packages=(REMOVED,))
    assert findings_to_list(plan) == [MOVED, OTHER_RECORD]
    assert findings_to_list(environment(findings=(MOVED,))) == [MOVED]


def test_what_blocks_an_environment_is_a_finding_only_in_the_full_list_and_if_it_is_a_link() -> None:
    plan = environment(findings=(LINK, FOREIGN))
    assert findings_to_list(plan) == []
    assert findings_to_list(plan, full=True) == [LINK]


def test_below_its_sentences_are_packages_settings_findings_notes_and_hints() -> None:
    plan = environment(
        blocked=(BLOCKED,),
        reasons=(LOCK_CHANGED,),
        packages=(package("six"),),
        settings=(SettingChange(path=("env", "A"), before="x" * 70, after="y"),),
        findings=(LINK, ADDED),
        notes=("a note", "another"),
        hints=("a hint",),
    )
    head = ["  x web  blocked: it depends on `api`", "         would update: the lock changed"]
    six = "      ~ six  1.0 -> 2.0  pending  lock changed"
    added = "      ! 1 file added: stray.txt"
    tail = ["      note: a note", "      note: another", "      hint: a hint"]
    cut = f'      ~ env.A: "{"x" * 56}... -> "y"'
    assert lines(plan) == [*head, six, cut, added, *tail]
    whole = f'      ~ env.A: "{"x" * 70}" -> "y"'
    link = "      ! a symbolic link that envsync did not create exists at its path (web)"
    assert lines(plan, verbose=1) == [*head, six, whole, link, added, *tail]


@pytest.mark.parametrize(
    ("more", "status", "described"),
    [
        ({}, None, False),
        ({"failure": Failure(code="lock", message="no index", hint="")}, None, False),
        ({"failure": Failure(code="lock", message="no index", hint=""), "blocked": (BLOCKED,)}, Status.BLOCKED, False),
        (
            {
                "failure": Failure(code="lock", message="no index", hint=""),
                "blocked": (
                    BLOCKED,
                    Reason(code=ReasonCode.LOCK_FAILED, origin=Origin.PENDING, message="no index"),
                ),
            },
            None,
            True,
        ),
        ({"blocked": (BLOCKED,)}, None, False),
        ({"blocked": (BLOCKED,)}, Status.BLOCKED, True),
        ({"blocked": (BLOCKED,)}, Status.FAILED, False),
        ({}, Status.BLOCKED, False),
    ],
)
def test_a_failure_is_described_by_what_blocks_the_environment(
    more: dict[str, Any], status: Status | None, described: bool
) -> None:
    ended = None
    if status is not None:
        ended = EnvironmentFinished(environment="web", status=status, action=Action.UPDATE, generation=1, seconds=0)
    assert failure_is_described(environment(**more), ended) is described
