"""Parts of the HTML page: elements, sections of changes, failures, the history, and the overview."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.canonical_json import Json
from reconciler.diff.model import Origin, PackageAction, PackageChange, Reason, ReasonCode, SettingChange
from reconciler.events import Failure
from reconciler.observe.actual import Finding, FindingCode
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.html.changes import change_sections, failure_note, findings_section, reason_list, remark
from reconciler.render.html.filters import action_badge, change_count, filter_attributes
from reconciler.render.html.history import history_section
from reconciler.render.html.markup import Markup, content, element
from reconciler.render.html.overview import changed_table, unchanged_table
from reconciler.render.html.tables import arrow
from tests.plan.build import world
from tests.render.environment_plans import LOCK_CHANGED, environment, package

PLAN = world({"manifest": {"web": {"packages": {"six": "1.0"}}}}).plan()
EDITED = Reason(code=ReasonCode.FILES_DRIFTED, origin=Origin.DRIFT, message="1 file edited")


def sections(plan: EnvironmentPlan) -> list[str]:
    return [each.text for each in change_sections(plan)]


def test_an_attribute_is_written_only_if_it_has_a_value() -> None:
    made = element(
        "p", "a<", None, 1, [Markup("<b>"), "c"], class_="x y", aria_label='"', open=True, no=False, none=None
    )
    assert made.text == '<p class="x y" aria-label="&quot;" open>a&lt;1<b>c</p>'
    assert element("input", value="x").text == '<input value="x">'
    assert content(None) == ""


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("3.11", "3.11", "3.11"),
        ("3.11", "", "3.11"),
        ("", "3.12", "3.12"),
        ("", "", ""),
        ("3.11", "3.12", '3.11 <span aria-label="to" role="img">→</span> 3.12'),
    ],
)
def test_two_values_have_an_arrow_only_if_they_differ(before: str, after: str, shown: str) -> None:
    assert content(arrow(before, after)) == shown


@pytest.mark.parametrize(("number", "more"), [(0, None), (1, ""), (200, ""), (201, "and 1 more; `--output json`")])
def test_findings_over_the_limit_are_counted(number: int, more: str | None) -> None:
    finding = Finding(code=FindingCode.FILE_ADDED, path="bin/x", package="six", detail="was added")
    section = findings_section((finding,) * number)
    if more is None:
        assert section is None
        return
    assert section is not None
    row = "<td><code>bin/x</code></td><td>six</td><td>was added</td><td><code>file-added</code></td></tr>"
    assert section.text.count(row) == min(number, 200)
    assert section.text.count(">file added</th>") == min(number, 200)
    assert ('<p class="faint">and 1 more; `--output json` lists all of them</p>' in section.text) is bool(more)
    assert more in section.text


def test_a_finding_about_no_file_has_the_words_of_its_code() -> None:
    section = findings_section((Finding(code=FindingCode.MOVED),))
    assert section is not None
    assert ">its scripts name a different path</th>" in section.text


@pytest.mark.parametrize(("number", "listed"), [(0, 0), (1, 1), (200, 200), (201, 200)])
def test_files_over_the_limit_are_counted(number: int, listed: int) -> None:
    change = package("six", PackageAction.REPAIR, files=tuple(f"f{each:03}" for each in range(number)))
    (text,) = sections(environment(packages=(change,)))
    assert text.count("<li>f") == listed
    assert ('<details class="files">' in text) is bool(number)
    assert (f"<summary>{number} file{'' if number == 1 else 's'}</summary>" in text) is bool(number)
    assert ("and 1 more; " in text) is (number > listed)


REMOVED = package("six", PackageAction.REMOVE, origin=Origin.DRIFT)
BOTH = package("six", origin=Origin.BOTH)


@pytest.mark.parametrize(
    ("more", "titles"),
    [
        ({}, []),
        ({"reasons": (EDITED,)}, ["Drift"]),
        ({"packages": (REMOVED,)}, ["Drift"]),
        ({"packages": (BOTH, REMOVED)}, ["Drift", "Drift and pending"]),
        ({"settings": (SettingChange(path=("env", "A"), before=None, after="1"),)}, ["Pending"]),
        ({"reasons": (LOCK_CHANGED, EDITED)}, ["Drift", "Pending"]),
    ],
)
def test_each_origin_that_has_a_change_or_a_reason_is_a_section(more: dict[str, Any], titles: list[str]) -> None:
    found = sections(environment(**more))
    assert [each.partition("<h4>")[2].partition("</h4>")[0] for each in found] == titles


def test_a_section_has_the_meaning_of_its_origin_and_its_reasons() -> None:
    drift, pending = sections(environment(reasons=(LOCK_CHANGED, EDITED)))
    assert drift == (
        '<section class="origin drift"><h4>Drift</h4>'
        '<p class="faint">changed outside envsync since the last apply</p>'
        '<ul><li>1 file edited <code class="code">files-drifted</code></li></ul></section>'
    )
    assert pending == (
        '<section class="origin pending"><h4>Pending</h4>'
        '<p class="faint">the manifest or the lock changed since the last apply</p>'
        '<ul><li>the lock changed <code class="code">lock-changed</code></li></ul></section>'
    )
    assert reason_list([]) is None


@pytest.mark.parametrize(
    ("action", "changes", "plain"),
    [
        (Action.CREATE, (package("six", PackageAction.INSTALL),), True),
        (Action.CREATE, (package("six", PackageAction.INSTALL), package("six", PackageAction.UPGRADE)), False),
        (Action.UPDATE, (package("six", PackageAction.INSTALL),), False),
    ],
)
def test_packages_of_a_new_environment_are_only_names(
    action: Action, changes: tuple[PackageChange, ...], plain: bool
) -> None:
    (text,) = sections(environment(action, packages=changes))
    assert ('<ul class="flow" aria-label="Packages"><li>six <span>2.0</span></li></ul>' in text) is plain
    assert ("<caption>Pending: packages</caption>" in text) is not plain


def test_a_package_without_a_version_has_none() -> None:
    (text,) = sections(environment(packages=(package("six", PackageAction.REMOVE, before=None, after=None),)))
    assert "</span> remove</td><td></td><td></td><td>lock changed</td></tr>" in text
    (text,) = sections(environment(Action.CREATE, packages=(package("six", PackageAction.INSTALL, after=None),)))
    assert "<li>six <span>unknown</span></li>" in text


HIDDEN = '<p class="faint">the redacted part changed</p>'


@pytest.mark.parametrize(
    ("before", "after", "cells"),
    [
        (None, "1", "<code></code></td><td><code>&quot;1&quot;</code></td>"),
        ("1", None, "<code>&quot;1&quot;</code></td><td><code></code></td>"),
        ("1", "2", "<code>&quot;1&quot;</code></td><td><code>&quot;2&quot;</code></td>"),
        ("1", "1", f"<code>&quot;1&quot;</code></td><td><code>&quot;1&quot;</code>{HIDDEN}</td>"),
    ],
)
def test_a_setting_says_that_its_redacted_part_changed_only_if_nothing_else_is_seen(
    before: str | None, after: str | None, cells: str
) -> None:
    change = SettingChange(path=("env", "A"), before=before, after=after)
    (text,) = sections(environment(settings=(change,)))
    assert f'<th scope="row"><code>env.A</code></th><td>{cells}</tr>' in text


def test_a_remark_names_its_environment_if_it_is_not_obvious() -> None:
    assert remark("note", "x").text == '<p class="note"><strong>note: </strong>x</p>'
    assert remark("hint", "x", environment="web").text == (
        '<p class="note"><strong>hint: </strong><code>web</code>: x</p>'
    )


MESSAGE = "<p><strong>failed: </strong>it failed <code>probe</code></p>"
HINT, DETAILS = "<p><strong>hint: </strong>look</p>", '<pre tabindex="0">one\ntwo\n</pre>'


@pytest.mark.parametrize(
    ("hint", "details", "described", "parts"),
    [
        ("look", ("one\ntwo",), False, MESSAGE + HINT + DETAILS),
        ("look", ("one", "two"), True, HINT + DETAILS),
        ("look", (), True, HINT),
        ("", ("one", "two"), True, DETAILS),
        ("", (), False, MESSAGE),
        ("", (), True, None),
    ],
)
def test_a_failure_has_what_is_not_described_already(
    hint: str, details: tuple[str, ...], described: bool, parts: str | None
) -> None:
    failure = Failure(code="probe", message="it failed", hint=hint, details=details)
    note = failure_note("failed", failure, described=described)
    assert (note and note.text) == (None if parts is None else f'<div class="note bad">{parts}</div>')


RUN: dict[str, Json] = {"at": "2026-11-30", "by": "anna", "plan": f"sha256:{'0' * 64}", "exit_code": 4}


@pytest.mark.parametrize(
    ("entry", "items"),
    [
        ({}, ""),
        ({"environments": "a text"}, ""),
        ({"environments": ["a text"]}, ""),
        ({"environments": [{}]}, "<li></li>"),
        ({"environments": [{"name": "web"}]}, "<li>web</li>"),
        ({"environments": [{"status": "applied"}]}, "<li>applied</li>"),
        ({"environments": [{"name": "web", "action": "update", "generation": 0}]}, "<li>web: update</li>"),
        (
            {"environments": [{"name": "web", "action": "update", "status": "applied", "generation": 7}]},
            "<li>web: update applied, generation 7</li>",
        ),
        ({"environments": [{"name": "web", "reasons": ["a", 1]}]}, "<li>web (a, 1)</li>"),
        ({"environments": [{"name": "web", "reasons": []}]}, "<li>web</li>"),
        ({"environments": [{"name": "web", "reasons": "a"}]}, "<li>web</li>"),
        ({"environments": [{"name": ["web"]}]}, "<li></li>"),
    ],
)
def test_a_run_shows_what_has_the_expected_type(entry: dict[str, Json], items: str) -> None:
    section = history_section([{**RUN, **entry}])
    assert section is not None
    listed = f'<ul class="plain">{items}</ul>' if items else ""
    cells = ("anna", f"<code>sha256:{'0' * 12}</code>", "4", listed)
    assert (
        f'<th scope="row"><time>2026-11-30</time></th>{"".join(f"<td>{each}</td>" for each in cells)}' in section.text
    )


@pytest.mark.parametrize(("number", "more"), [(12, ""), (13, "<li>and 1 more</li>")])
def test_a_run_lists_twelve_environments(number: int, more: str) -> None:
    section = history_section([{"environments": [{"name": f"e{each}"} for each in range(number)]}])
    assert section is not None
    assert f"<li>e11</li>{more}</ul>" in section.text
    assert history_section([]) is None


@pytest.mark.parametrize(
    ("more", "drift", "pending", "origins"),
    [
        ({}, 0, 0, ""),
        ({"reasons": (LOCK_CHANGED,)}, 0, 1, "pending"),
        ({"reasons": (EDITED, LOCK_CHANGED)}, 1, 1, "drift pending"),
        ({"packages": (package("six", PackageAction.UPGRADE, origin=Origin.BOTH),) * 2}, 2, 2, "drift pending"),
        (
            {"reasons": (LOCK_CHANGED,), "settings": (SettingChange(path=("env",), before=None, after="1"),) * 3},
            0,
            3,
            "pending",
        ),
        ({"reasons": (LOCK_CHANGED,), "packages": (package("six", PackageAction.UPGRADE),) * 2}, 0, 2, "pending"),
    ],
)
def test_changes_are_counted_by_origin_and_a_reason_alone_counts_once(
    more: dict[str, Any], drift: int, pending: int, origins: str
) -> None:
    plan = environment(**more)
    assert (change_count(plan, Origin.DRIFT), change_count(plan, Origin.PENDING)) == (drift, pending)
    assert filter_attributes(plan) == {"data_name": "web", "data_kind": "update", "data_origins": origins}


@pytest.mark.parametrize(
    ("plan", "symbol", "kind"),
    [
        (environment(), "~", "update"),
        (environment(blocked=(LOCK_CHANGED,)), "x", "blocked"),
        (environment(Action.NO_OP), "=", "unchanged"),
    ],
)
def test_a_badge_has_a_symbol_for_what_happens(plan: EnvironmentPlan, symbol: str, kind: str) -> None:
    sign = f'<span class="sign" aria-hidden="true">{symbol}</span>'
    assert action_badge(plan).text == f'<span class="badge {kind}">{sign} {kind}</span>'


def test_unchanged_environments_are_folded_only_if_others_change() -> None:
    same = environment(Action.NO_OP, python_before="3.11.7", notes=("a note",), hints=("a hint",))
    plan = replace(PLAN, environments=(same,))
    alone = unchanged_table(plan)
    assert alone is not None
    assert alone.text.startswith('<details id="unchanged" open><summary>1 unchanged</summary>')
    assert '<th scope="row">web</th><td>3.11.7</td><td></td><td></td></tr>' in alone.text
    assert alone.text.endswith(
        '<p class="note"><strong>note: </strong><code>web</code>: a note</p>'
        '<p class="note"><strong>hint: </strong><code>web</code>: a hint</p></details>'
    )
    assert changed_table({}, plan, {}) is None
    among = unchanged_table(replace(PLAN, environments=(same, environment())))
    assert among is not None
    assert among.text.startswith('<details id="unchanged"><summary>')
    assert unchanged_table(replace(PLAN, environments=(environment(),))) is None


def test_a_row_of_the_overview_says_what_is_unknown_and_leaves_zeros_out() -> None:
    plan = replace(PLAN, environments=(environment(complete=False, generation=3), environment(package_count=2)))
    found = changed_table({"web": 0}, plan, {})
    assert found is not None
    first, second = found.text.split("<tbody>")[1].split("</tr>")[:2]
    assert first.endswith("<td></td><td></td><td></td><td></td><td>unknown</td><td>3</td>")
    assert second.endswith("<td></td><td></td><td></td><td></td><td>2</td><td></td>")
