"""What changes in one environment: packages and settings of one hand, what is wrong on disk, what failed."""

from collections.abc import Iterable, Sequence

from reconciler.diff.findings import PHRASES, Concern, concern
from reconciler.diff.model import Origin, PackageAction, PackageChange, Reason, SettingChange
from reconciler.events import Failure
from reconciler.observe.actual import Finding
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.html.markup import Markup, element
from reconciler.render.html.tables import row, table
from reconciler.render.package_text import SYMBOLS, named_files, package_reason
from reconciler.render.setting_text import setting_path, setting_value

_TITLES = {
    Origin.DRIFT: ("Drift", "somebody's hand: what is on disk is not what was applied"),
    Origin.PENDING: ("Pending", "the manifest or its lock asks for something else than was applied"),
    Origin.BOTH: ("Drift and pending at once", "what is on disk moved, and so did what is asked for"),
}
_MOST = 200  # rows of one kind: a page is to be read; the JSON has them all


def change_sections(environment: EnvironmentPlan) -> Iterable[Markup]:
    """Yield a section for each hand that had a part in it: drift, pending, both."""
    for origin in (Origin.DRIFT, Origin.PENDING, Origin.BOTH):
        reasons = [each for each in environment.reasons if each.origin is origin]
        packages = [each for each in environment.packages if each.origin is origin]
        settings = environment.settings if origin is Origin.PENDING else ()
        if reasons or packages or settings:
            title, meaning = _TITLES[origin]
            new = environment.action is Action.CREATE and {each.action for each in packages} <= {PackageAction.INSTALL}
            yield element(
                "section",
                element("h4", title),
                element("p", meaning, class_="faint"),
                reason_list(reasons),
                _new_packages(packages) if new else _packages(packages, f"{title}: packages"),
                _settings(settings),
                class_=f"hand {origin}",
            )


def reason_list(reasons: Sequence[Reason]) -> Markup | None:
    """Return sentences with their stable codes."""
    if not reasons:
        return None
    return element(
        "ul", [element("li", each.message, " ", element("code", each.code, class_="code")) for each in reasons]
    )


def findings_section(findings: Sequence[Finding]) -> Markup | None:
    """Return what is wrong with what is on disk."""
    if not findings:
        return None
    rows = [
        row(_phrase(each), element("code", each.path), each.package, each.detail, element("code", each.code))
        for each in findings[:_MOST]
    ]
    titles = ("What", "Where", "Package", "Detail", "Code")
    return element(
        "section",
        element("h4", "Integrity"),
        table("What is wrong on disk", titles, rows),
        _more(len(findings)),
        class_="hand integrity",
    )


def failure_note(title: str, failure: Failure) -> Markup:
    """Return why something failed, with a child's last lines."""
    return element(
        "div",
        element("p", element("strong", f"{title}: "), failure.message, " ", element("code", failure.code)),
        element("p", element("strong", "hint: "), failure.hint) if failure.hint else None,
        element("pre", [[each, Markup("\n")] for each in failure.details], tabindex=0) if failure.details else None,
        class_="note bad",
    )


def _packages(changes: Sequence[PackageChange], caption: str) -> list[Markup | None]:
    if not changes:
        return []
    rows = [
        row(
            each.name,
            [element("span", SYMBOLS[each.action][0], class_="sign", aria_hidden="true"), " ", each.action.value],
            each.before or "",
            each.after or "",
            [package_reason(each), _files(each.files)],
            class_=each.action.value,
        )
        for each in changes
    ]
    return [table(caption, ("Package", "Change", "Old version", "New version", "Why"), rows, class_="packages")]


def _new_packages(changes: Sequence[PackageChange]) -> Markup | None:
    """Return what a new environment will have: names and versions say all."""
    if not changes:
        return None
    listed = [element("li", each.name, " ", element("span", each.after or "unknown")) for each in changes]
    return element("ul", listed, class_="flow", aria_label="Packages")


def _files(paths: Sequence[str]) -> Markup | None:
    if not paths:
        return None
    kept = [element("li", named_files([each])) for each in paths[:_MOST]]
    count = f"{len(paths)} file" if len(paths) == 1 else f"{len(paths)} files"
    return element("details", element("summary", count), element("ul", kept), _more(len(paths)), class_="files")


def _settings(changes: Sequence[SettingChange]) -> Markup | None:
    if not changes:
        return None
    rows = []
    for each in changes:
        before, after = ("" if value is None else setting_value(value) for value in (each.before, each.after))
        hidden = element("p", "changed in what is not shown", class_="faint") if before == after else None
        rows.append(
            row(element("code", setting_path(each.path)), element("code", before), [element("code", after), hidden])
        )
    return table("Pending: settings", ("Setting", "Old value", "New value"), rows)


def _phrase(finding: Finding) -> str:
    phrase = PHRASES[concern(finding)][finding.code]
    return f"a file {phrase}" if concern(finding) is Concern.FILES else phrase


def _more(number: int) -> Markup | None:
    if number <= _MOST:
        return None
    return element("p", f"and {number - _MOST} more, which the JSON output lists", class_="faint")
