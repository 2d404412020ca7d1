"""The issues of `sarif` and `gitlab`: each package and finding that is drift once, and nothing twice."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.diff.findings import FindingCategory, category_of
from reconciler.diff.model import ReasonCode
from reconciler.observe.actual import STARTUP_CODES, Finding, FindingCode
from reconciler.plan.model import EnvironmentPlan, Plan
from reconciler.plan.origin_filter import OriginFilter, filter_by_origin
from reconciler.render.issue_details import reason_details
from reconciler.render.issue_drift import MAX_PER_CODE, drift_code
from reconciler.render.issues import Issue, issues
from reconciler.render.repository_path import environment_file_uri
from reconciler.render.rules import RULES, Severity
from tests.plan.build import world
from tests.render.reports import CASES, EVERYTHING, WORLDS, drifted_plan, plan_of, report_of

SITE = "lib/python3.12/site-packages"
FILES = ReasonCode.FILES_DRIFTED
DAMAGED = ReasonCode.ENVIRONMENT_DAMAGED


def found_in(plan: Plan) -> list[Issue]:
    return list(issues(report_of(plan)))


def messages(plan: Plan) -> dict[str, list[str]]:
    """Return the messages of the issues by their codes."""
    found = found_in(plan)
    return {code: [each.message for each in found if each.code == code] for code in {each.code for each in found}}


def expected_findings(environment: EnvironmentPlan) -> set[tuple[str, str]]:
    """Return code and path of each finding that must be an issue, apart from those over the limit."""
    codes = {each.code for each in environment.reasons}
    if not codes & {FILES, DAMAGED}:
        return set()
    changed = {each.name for each in environment.packages if drift_code(each) is not None}
    return {
        (each.code, each.path)
        for each in environment.findings
        if each.package not in changed or each.code in STARTUP_CODES
    }


def test_a_stray_file_is_one_issue_with_its_own_code_and_its_file() -> None:
    plan = drifted_plan({"code": "file-added", "path": f"{SITE}/stray.txt", "detail": "not part of the generation"})
    [issue] = found_in(plan)
    assert (issue.code, issue.severity) == ("file-added", Severity.DRIFT)
    assert issue.message == f"web: 1 file added: {SITE}/stray.txt"
    assert issue.details == ("not part of the generation",)
    assert issue.uri == f"web/{SITE}/stray.txt"


def test_a_startup_file_comes_first_and_is_a_matter_of_security() -> None:
    first, second = found_in(
        drifted_plan(
            {"code": "file-added", "path": f"{SITE}/a.py"},
            {"code": "startup-added", "path": f"{SITE}/stray.pth", "detail": "Python runs its `import` lines"},
        )
    )
    assert (first.code, first.severity, second.severity) == ("startup-added", Severity.SECURITY, Severity.DRIFT)
    assert first.message == f"web: 1 startup file added: {SITE}/stray.pth"
    assert first.details == ("Python runs its `import` lines",)


def test_an_edited_module_has_its_package() -> None:
    [issue] = found_in(drifted_plan({"code": "file-changed", "path": f"{SITE}/six.py", "package": "six"}))
    assert (issue.code, issue.package) == ("file-changed", "six")
    assert issue.message == f"web: six: 1 file edited: {SITE}/six.py"


def test_a_missing_record_is_in_its_metadata_directory() -> None:
    path = f"{SITE}/six-1.16.0.dist-info"
    [issue] = found_in(drifted_plan({"code": "missing-record", "path": path, "package": "six"}))
    assert (issue.code, issue.package, issue.uri) == ("missing-record", "six", f"web/{path}")
    assert issue.message == f"web: six: RECORD is missing ({path})"


def test_a_finding_about_the_environment_itself_has_no_file() -> None:
    [issue] = found_in(drifted_plan({"code": "inventory-unreadable", "detail": "the inventory could not be read: x"}))
    assert (issue.code, issue.uri, issue.package) == ("inventory-unreadable", "", "")


def test_two_findings_with_one_code_and_path_are_one_issue_with_both_details() -> None:
    twice = [{"code": "unreadable", "path": "x", "package": name, "detail": name} for name in ("a", "b")]
    [issue] = found_in(drifted_plan(*twice))
    assert issue.details == ("a; b",)


def test_fingerprints_do_not_depend_on_contents_or_details_but_on_the_path() -> None:
    finding = {"code": "file-changed", "path": "six.py", "package": "six"}
    variants = [
        {**finding, "content": "a"},
        {**finding, "content": "b", "detail": "its contents differ"},
        {**finding, "path": "seven.py"},
        {**finding, "code": "mode-changed"},
    ]
    first, edited_again, *others = [found_in(drifted_plan(each))[0].fingerprint for each in variants]
    assert first == edited_again
    assert len({first, *others}) == 3


@pytest.mark.parametrize("case", WORLDS, ids=lambda path: path.stem)
def test_every_finding_that_is_drift_is_one_issue_and_no_reason_repeats_it(case: Path) -> None:
    plan = plan_of(case)
    found = found_in(plan)
    assert len({each.fingerprint for each in found}) == len(found)
    for environment in plan.changes:
        own = [each for each in found if each.environment == environment.name]
        codes = [each.code for each in own]
        expected = expected_findings(environment)
        assert sorted(each for each in codes if each in set(FindingCode)) == sorted(code for code, _ in expected)
        assert FILES not in codes
        assert not {ReasonCode.FILES_EDITED, ReasonCode.METADATA_DAMAGED} & set(codes), "findings have these"
        damage = [each for each in own if each.code == DAMAGED]
        assert all(each.message.endswith(" applied") and not each.details for each in damage), "the generation or seal"
        changed = {each.name for each in environment.packages if drift_code(each) is not None}
        if {"packages-drifted", "already-as-desired"} & {each.code for each in environment.reasons} and changed:
            assert {each.package for each in own if each.package and each.code in set(ReasonCode)} == changed
            assert "packages-drifted" not in codes


def test_drift_of_a_package_that_also_changes_in_the_lock_has_its_own_code() -> None:
    then, now = {"six": "1.15.0", "attrs": "25.1.0"}, {"six": "1.16.0", "attrs": "25.4.0"}
    plan = world(
        {
            "manifest": {"web": {"packages": now}},
            "applied": {"web": {"packages": then}},
            "actual": {
                "web": {
                    "packages": {"six": "1.14.0", "attrs": "25.1.0"},
                    "findings": [{"code": "file-changed", "path": "attr/a.py", "package": "attrs"}],
                }
            },
        }
    ).plan()
    assert messages(plan) == {
        "lock-changed": ["web: the lock changed"],
        "changed-by-hand": ["web: six 1.14.0 -> 1.16.0: lock changed, and changed manually"],
        "file-changed": ["web: attrs: 1 file edited: attr/a.py"],
    }
    [pending] = [each for each in found_in(plan) if each.code == "lock-changed"]
    assert [each.partition(":")[0] for each in pending.details] == [
        "~ attrs 25.1.0 -> 25.4.0",
        "~ six 1.14.0 -> 1.16.0",
    ]


def test_damage_of_the_generation_as_a_whole_is_an_issue_next_to_the_findings() -> None:
    plan = plan_of(CASES / "plan" / "environment-damaged_seal-and-finding.yaml")
    assert messages(plan) == {
        "environment-damaged": ["web: the seal of generation 4 differs from the one applied"],
        "moved": ["web: its scripts name a different path (bin/activate)"],
    }


@pytest.mark.parametrize(
    ("case", "codes"),
    [
        ("removed-by-hand_with-its-files.yaml", {"removed-by-hand"}),
        ("changed-by-hand_with-its-files.yaml", {"changed-by-hand", "installed-by-hand", "file-changed"}),
        ("already-as-desired.yaml", {"already-as-desired"}),
    ],
)
def test_packages_that_were_changed_manually_have_their_own_codes(case: str, codes: set[str]) -> None:
    assert messages(plan_of(CASES / "plan" / case)).keys() == codes


def test_a_filtered_plan_has_only_issues_of_its_origin() -> None:
    plan = plan_of(EVERYTHING)
    pending = filter_by_origin(plan, OriginFilter.PENDING)
    assert Severity.DRIFT not in {each.severity for each in found_in(pending)}
    drift = filter_by_origin(plan, OriginFilter.DRIFT)
    assert {each.severity for each in found_in(drift)} == {Severity.DRIFT}
    everything = [each for each in found_in(plan) if each.severity is Severity.DRIFT]
    assert [each.fingerprint for each in found_in(drift)] == [each.fingerprint for each in everything]


def test_an_environment_with_thousands_of_changed_files_has_twenty_issues_of_a_code_and_a_count() -> None:
    edited = [{"code": "file-changed", "path": f"{SITE}/six/{n:04}.py", "package": "six"} for n in range(7_000)]
    added = [{"code": "file-added", "path": f"{SITE}/{n:02}.pth"} for n in range(MAX_PER_CODE)]
    found = found_in(drifted_plan(*edited, *added, {"code": "moved", "path": "bin/activate"}))
    assert (found[0].code, found[0].message) == ("files-drifted", "web: 7000 files edited, 20 added")
    assert found[0].details == (
        "not listed one by one: 6980 file-changed",
        "! six 1.16.0: 7000 files edited: six/0000.py, six/0001.py, six/0002.py, and 6997 more",
        "20 files added: 00.pth, 01.pth, 02.pth, and 17 more",
    )
    counts = Counter(each.code for each in found)
    assert counts == {"files-drifted": 1, "file-changed": MAX_PER_CODE, "file-added": MAX_PER_CODE, "moved": 1}


def test_thousands_of_packages_have_twenty_issues_of_a_code_and_a_count() -> None:
    many = {f"package-{number:03}": "1.0" for number in range(500)}
    found = found_in(drifted_plan(packages={"six": "1.17.0", **many}))
    counts = Counter(each.code for each in found)
    assert counts == {"packages-drifted": 1, "installed-by-hand": MAX_PER_CODE, "changed-by-hand": 1}
    assert found[0].message == "web: 501 packages changed manually"
    assert found[0].details[0] == "not listed one by one: 480 installed-by-hand"


def test_each_reason_lists_what_is_behind_it() -> None:
    then, now = (
        {"six": "1.15.0", "attrs": "25.1.0", "idna": "3.10"},
        {"six": "1.16.0", "attrs": "25.1.0", "idna": "3.10"},
    )
    plan = world(
        {
            "manifest": {"web": {"packages": now, "python": "3.12.1", "env": {"A": "1"}}},
            "applied": {"web": {"packages": then, "python": "3.11.7"}},
            "actual": {
                "web": {
                    "packages": {"six": "1.15.0", "attrs": "25.1.0", "idna": "3.9"},
                    "findings": [
                        {"code": "file-changed", "path": "attr/a.py", "package": "attrs"},
                        {"code": "file-changed", "path": "idna/a.py", "package": "idna"},
                        {"code": "file-added", "path": "b.pth"},
                        {"code": "moved", "path": "bin/activate"},
                    ],
                }
            },
        }
    ).plan()
    [web] = plan.environments
    assert {each.code: reason_details(web, each.code) for each in web.reasons} == {
        ReasonCode.INTERPRETER_CHANGED: [],
        ReasonCode.LOCK_CHANGED: ["~ six 1.15.0 -> 1.16.0: lock changed"],
        ReasonCode.SETTINGS_CHANGED: ['env.A: "****"'],
        ReasonCode.PACKAGES_DRIFTED: ["~ idna 3.9 -> 3.10: changed manually"],
        ReasonCode.FILES_DRIFTED: ["! attrs 25.1.0: 1 file edited: attr/a.py", "1 file added: b.pth"],
        ReasonCode.ENVIRONMENT_DAMAGED: ["its scripts name a different path (bin/activate)"],
    }


def test_a_plan_of_format_1_0_keeps_the_count_of_packages_whose_drift_it_does_not_know() -> None:
    """In a plan of that format, a package that changed on both sides does not say how it was changed manually."""
    plan = world(
        {
            "manifest": {"web": {"packages": {"six": "1.16.0", "idna": "3.10"}}},
            "applied": {"web": {"packages": {"six": "1.15.0", "idna": "3.10"}}},
            "actual": {"web": {"packages": {"six": "1.14.0", "idna": "3.9"}}},
        }
    ).plan()
    assert set(messages(plan)) == {"lock-changed", "changed-by-hand"}
    [web] = plan.environments
    older = tuple(replace(each, drift_reason=None) for each in web.packages)
    older_plan = replace(plan, environments=(replace(web, packages=older),))
    assert messages(older_plan) == {
        "lock-changed": ["web: the lock changed"],
        "packages-drifted": ["web: 2 packages changed manually"],
        "changed-by-hand": ["web: idna 3.9 -> 3.10: changed manually"],
    }


def test_the_first_issue_has_the_hints_whatever_it_is() -> None:
    plan = drifted_plan({"code": "file-added", "path": "stray.pth"})
    hinted = tuple(replace(each, hints=("look at it",)) for each in plan.environments)
    [issue] = found_in(replace(plan, environments=hinted))
    assert issue.details == ("hint: look at it",)


def test_every_code_is_a_rule_and_none_means_two_things() -> None:
    missing = {*ReasonCode, *FindingCode} - set(RULES)
    assert not missing, "add each to RULES in reconciler/render/rules.py: its meaning and its remedy"
    assert not set(map(str, ReasonCode)) & set(map(str, FindingCode))
    assert len({each.meaning for each in RULES.values()}) == len(RULES)
    for each in RULES.values():
        assert not each.meaning.endswith(".")
        assert each.remedy.endswith(".")
    assert {RULES[code].severity for code in set(FindingCode) - STARTUP_CODES} == {Severity.DRIFT}
    assert {RULES[code].severity for code in STARTUP_CODES} == {Severity.SECURITY}
    assert {category_of(Finding(code=each)) for each in FindingCode} == set(FindingCategory)


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (f"{SITE}/stray.pth", f"web/{SITE}/stray.pth"),
        ("a b/100%/#?.py", "web/a%20b/100%25/%23%3F.py"),
        ("caf\u00e9/\u65e5.py", "web/caf%C3%A9/%E6%97%A5.py"),
        ("bytes-\udcff\udcfe.py", "web/bytes-%FF%FE.py"),  # a name that is not UTF-8, as the file system has it
        ("lone-\ud800.py", "web/lone-%5Cud800.py"),
        ("line\nend\x1b[31m.py", "web/line%0Aend%1B%5B31m.py"),
        ("c:x?token=hunter2", "web/c%3Ax%3Ftoken%3D%2A%2A%2A%2A"),
        ("", ""),
        ("/etc/passwd", ""),
        ("../other/x.py", ""),
        ("a/./b", ""),
        ("https://user:hunter2@host/x", ""),
    ],
)
def test_a_file_is_a_relative_uri_below_the_root(path: str, uri: str) -> None:
    assert environment_file_uri("web", path) == uri
