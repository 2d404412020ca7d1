"""What changes in one environment: packages and settings by origin, problems on disk, and failures."""

from collections.abc import Iterable, Sequence

from reconciler.diff.findings import FindingCategory, category_of, noun_of, phrase_of
from reconciler.diff.model import Origin, PackageAction, PackageChange, Reason, SettingChange
from reconciler.events import Failure
from reconciler.observe.actual import Finding
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.error_text import detail_lines
from reconciler.render.html.markup import Child, Markup, element
from reconciler.render.html.tables import row, table
from reconciler.render.package_text import PACKAGE_SYMBOLS, file_list, package_reason
from reconciler.render.phrases import count
from reconciler.render.setting_text import setting_path, setting_value

_TITLES = {
    Origin.DRIFT: ("Drift", "changed outside envsync since the last apply"),
    Origin.PENDING: ("Pending", "the manifest or the lock changed since the last apply"),
    Origin.BOTH: ("Drift and pending", "changed outside envsync, and in the manifest or the lock as well"),
}
_MAX_ROWS = 200  # of one table; the JSON output has all of them


def change_sections(environment: EnvironmentPlan) -> Iterable[Markup]:
    """Yield a section for each origin that has changes: drift, pending, both."""
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
                class_=f"origin {origin}",
            )


def reason_list(reasons: Sequence[Reason]) -> Markup | None:
    """Return the reasons' sentences with their codes."""
    if not reasons:
        return None
    return element(
        "ul", [element("li", each.message, " ", element("code", each.code, class_="code")) for each in reasons]
    )


def findings_section(findings: Sequence[Finding]) -> Markup | None:
    """Return the findings: problems of the files on disk."""
    if not findings:
        return None
    rows = [
        row(_phrase(each), element("code", each.path), each.package, each.detail, element("code", each.code))
        for each in findings[:_MAX_ROWS]
    ]
    titles = ("Problem", "File", "Package", "Detail", "Code")
    return element(
        "section",
        element("h4", "Integrity"),
        table("Problems on disk", titles, rows),
        _more(len(findings)),
        class_="origin integrity",
    )


def remark(label: str, text: str, *, environment: str = "") -> Markup:
    """Return a note or a hint, after its label and the name of its environment if it is not obvious."""
    name: list[Child] = [element("code", environment), ": "] if environment else []
    return element("p", element("strong", f"{label}: "), name, text, class_="note")


def failure_note(title: str, failure: Failure, *, described: bool = False) -> Markup | None:
    """Return why something failed, with its details and its hint.

    If the page has `described` its message already, only these are returned, and None if there are none.
    """
    lines = detail_lines(failure.details, indent=0)
    if described and not lines and not failure.hint:
        return None
    return element(
        "div",
        element("p", element("strong", f"{title}: "), failure.message, " ", element("code", failure.code))
        if not described
        else None,
        element("p", element("strong", "hint: "), failure.hint) if failure.hint else None,
        element("pre", [[each, Markup("\n")] for each in lines], tabindex=0) if lines else None,
        class_="note bad",
    )


def _packages(changes: Sequence[PackageChange], caption: str) -> list[Markup | None]:
    if not changes:
        return []
    rows = [
        row(
            each.name,
            [
                element("span", PACKAGE_SYMBOLS[each.action][0], class_="sign", aria_hidden="true"),
                " ",
                each.action.value,
            ],
            each.before or "",
            each.after or "",
            [package_reason(each), _files(each.files)],
            class_=each.action.value,
        )
        for each in changes
    ]
    return [table(caption, ("Package", "Change", "Old version", "New version", "Why"), rows, class_="packages")]


def _new_packages(changes: Sequence[PackageChange]) -> Markup | None:
    """Return the packages of a new environment: only names and versions, because all of them are new."""
    if not changes:
        return None
    listed = [element("li", each.name, " ", element("span", each.after or "unknown")) for each in changes]
    return element("ul", listed, class_="flow", aria_label="Packages")


def _files(paths: Sequence[str]) -> Markup | None:
    if not paths:
        return None
    kept = [element("li", file_list([each])) for each in paths[:_MAX_ROWS]]
    return element(
        "details", element("summary", count(len(paths), "file")), element("ul", kept), _more(len(paths)), class_="files"
    )


def _settings(changes: Sequence[SettingChange]) -> Markup | None:
    if not changes:
        return None
    rows = []
    for each in changes:
        before, after = ("" if value is None else setting_value(value) for value in (each.before, each.after))
        hidden = element("p", "the redacted part changed", class_="faint") if before == after else None
        rows.append(
            row(element("code", setting_path(each.path)), element("code", before), [element("code", after), hidden])
        )
    return table("Pending: settings", ("Setting", "Old value", "New value"), rows)


def _phrase(finding: Finding) -> str:
    phrase = phrase_of(finding)
    return f"{noun_of(finding)} {phrase}" if category_of(finding) is FindingCategory.FILES else phrase


def _more(number: int) -> Markup | None:
    if number <= _MAX_ROWS:
        return None
    return element("p", f"and {number - _MAX_ROWS} more; `--output json` lists all of them", class_="faint")
