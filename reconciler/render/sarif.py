"""A report as SARIF 2.1.0 (OASIS), for GitHub code scanning and most viewers of static analysis results."""

from collections import Counter
from collections.abc import Mapping, Sequence

from reconciler import __version__
from reconciler.canonical_json import Json
from reconciler.json_output import json_text
from reconciler.render.escape import sanitize
from reconciler.render.issues import Issue, issues
from reconciler.render.notes import all_notes
from reconciler.render.report import Report
from reconciler.render.repository_path import repository_uri
from reconciler.render.rules import RULES, Rule, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Mapping[Severity, str] = {
    Severity.FAILED: "error",
    Severity.BLOCKED: "error",
    Severity.SECURITY: "error",
    Severity.DRIFT: "warning",
    Severity.PENDING: "note",
}
# Relative URIs are relative to one of these. They have no `uri` of their own, because a report names no path of the
# machine that made it (SARIF, section 3.14.14, allows that).
REPOSITORY, ROOT = "%SRCROOT%", "ENVIRONMENTS"
_BASES: dict[str, Json] = {
    REPOSITORY: {"description": {"text": "The top of the repository, or the working directory."}},
    ROOT: {"description": {"text": "The root: the directory that has the environments."}},
}
# GitHub shows 5,000 results of a run and rejects a run of more than 25,000.
MAX_RESULTS = 5_000
_INDEXES = {code: number for number, code in enumerate(RULES)}


def sarif(report: Report) -> str:
    """Return the report as a SARIF log of one run, with the 5,000 most severe results and a note about the others."""
    found = issues(report)
    kept = _most_severe(found)
    uri = repository_uri(report.file)
    run: dict[str, Json] = {
        "tool": {"driver": _driver()},
        # GitHub calls this the category; it keeps one upload for each category and commit.
        "automationDetails": {"id": f"envsync/{sanitize(report.plan.project)}/{report.command}/"},
        "originalUriBaseIds": _BASES,
        "invocations": [_invocation(report, len(found) - len(kept))],
        "results": [_result(each, uri, report) for each in kept],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def message_text(lines: Sequence[str]) -> str:
    """Return lines as a SARIF message: with doubled braces (section 3.11.5) and without links (3.11.6)."""
    return "\n".join(lines).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _most_severe(found: Sequence[Issue]) -> Sequence[Issue]:
    """Return at most 5,000 issues; of equally severe ones, the first of each environment and code come first."""
    if len(found) <= MAX_RESULTS:
        return found
    counts: Counter[tuple[str, str]] = Counter()
    ranked = []
    for each in found:
        ranked.append((list(Severity).index(each.severity), counts[each.environment, each.code], each))
        counts[each.environment, each.code] += 1
    return [each for _, _, each in sorted(ranked, key=lambda one: one[:2])[:MAX_RESULTS]]


def _driver() -> dict[str, Json]:
    return {"name": "envsync", "semanticVersion": __version__, "rules": [_rule(*each) for each in RULES.items()]}


# For GitHub, 7.0 to 8.9 is a security alert of high severity.
_SECURITY_SEVERITY = "8.0"


def _rule(code: str, rule: Rule) -> dict[str, Json]:
    security: dict[str, Json] = {"security-severity": _SECURITY_SEVERITY} if rule.severity is Severity.SECURITY else {}
    return {
        "id": code,
        "shortDescription": {"text": f"{rule.meaning}."},
        "fullDescription": {"text": f"{rule.meaning}. {rule.remedy}"},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": ["environments", rule.severity.value], **security},
    }


def _invocation(report: Report, omitted: int) -> dict[str, Json]:
    invocation: dict[str, Json] = {"executionSuccessful": not (report.plan.failures and report.result is None)}
    if report.result is not None:
        invocation["executionSuccessful"] = report.result.exit_code == 0
    notifications = [_note(name, note, report) for name, note in all_notes(report.plan)]
    if omitted:
        text = f"{omitted} more results of equal or lower severity were omitted; `--output json` has all of them."
        notifications.insert(0, {"level": "warning", "message": {"text": text}})
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    return invocation


def _note(environment: str, note: str, report: Report) -> Json:
    """Return a note as a notification: it is not a problem, so it must not become an alert."""
    name = sanitize(environment)
    location = _manifest_location(repository_uri(report.file), report.line(environment))
    if name:
        location["logicalLocations"] = _places(name, "", sanitize(report.plan.project))
    text = message_text([": ".join(each for each in (name, sanitize(note)) if each)])
    return {"level": "note", "message": {"text": text}, "locations": [location]}


def _manifest_location(uri: str, line: int) -> dict[str, Json]:
    """Return a line of the manifest."""
    artifact: Json = {"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": REPOSITORY}
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}}}


def _result(issue: Issue, uri: str, report: Report) -> dict[str, Json]:
    location = _manifest_location(uri, issue.line)
    if issue.environment:
        location["logicalLocations"] = _places(issue.environment, issue.package, sanitize(report.plan.project))
    result: dict[str, Json] = {
        "ruleId": issue.code,
        "ruleIndex": _INDEXES[issue.code],
        "level": LEVELS[issue.severity],
        "message": {"text": message_text([issue.message, *issue.details])},
        "locations": [location],
    }
    if issue.uri:
        result["relatedLocations"] = [_file(issue)]
    result["partialFingerprints"] = {
        "envsync/v1": issue.fingerprint,
        # GitHub compares this one. Its own default, a hash of the manifest's line, is the same for two packages.
        "primaryLocationLineHash": f"{issue.fingerprint[:16]}:1",
    }
    return result


def _file(issue: Issue) -> dict[str, Json]:
    """Return the location of a file of an environment.

    It is not one of `locations`: GitHub shows only the first of them, which must be in the repository, and in SARIF all
    of them must be changed. No message links to it, because GitHub would look for the file in the repository.
    """
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": issue.uri, "uriBaseId": ROOT},
            "region": {"startLine": 1},  # GitHub requires a line of every location
        },
        "message": {"text": message_text([f"in the environment {issue.environment}"])},
    }


def _places(environment: str, package: str, project: str) -> list[Json]:
    """Return the logical locations of sanitized names; `package` is empty if the environment is meant."""
    qualified = f"{project}/{environment}"
    places: list[Json] = [{"name": environment, "fullyQualifiedName": qualified, "kind": "environment"}]
    if package:
        places.append({"name": package, "fullyQualifiedName": f"{qualified}/{package}", "kind": "package"})
    return places
