"""A report as SARIF 2.1.0 (OASIS), for GitHub code scanning and most viewers of static analysis results."""

from collections.abc import Mapping, Sequence

from reconciler import __version__
from reconciler.canonical_json import Json
from reconciler.json_output import json_text
from reconciler.render.escape import sanitize
from reconciler.render.issues import Issue, issues
from reconciler.render.report import Report
from reconciler.render.repository_path import repository_uri
from reconciler.render.rules import RULES, Rule, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Mapping[Severity, str] = {
    Severity.FAILED: "error",
    Severity.BLOCKED: "error",
    Severity.DRIFT: "warning",
    Severity.PENDING: "note",
}
# GitHub shows 5,000 results of a run and rejects a run of more than 25,000.
MAX_RESULTS = 5_000
_INDEXES = {code: number for number, code in enumerate(RULES)}


def sarif(report: Report) -> str:
    """Return the report as a SARIF log of one run, with the 5,000 most severe results and a note about the others."""
    found = issues(report)
    kept = found
    if len(found) > MAX_RESULTS:
        kept = tuple(sorted(found, key=lambda each: list(Severity).index(each.severity))[:MAX_RESULTS])
    uri = repository_uri(report.file)
    run: dict[str, Json] = {
        "tool": {"driver": _driver()},
        # GitHub calls this the category; it keeps one upload for each category and commit.
        "automationDetails": {"id": f"envsync/{sanitize(report.plan.project)}/{report.command}/"},
        "invocations": [_invocation(report, len(found) - len(kept))],
        "results": [_result(each, uri, report) for each in kept],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def message_text(lines: Sequence[str]) -> str:
    """Return lines as a SARIF message: with doubled braces (section 3.11.5) and without links (3.11.6)."""
    return "\n".join(lines).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _driver() -> dict[str, Json]:
    return {"name": "envsync", "semanticVersion": __version__, "rules": [_rule(*each) for each in RULES.items()]}


def _rule(code: str, rule: Rule) -> dict[str, Json]:
    return {
        "id": code,
        "shortDescription": {"text": f"{rule.meaning}."},
        "fullDescription": {"text": f"{rule.meaning}. {rule.remedy}"},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": ["environments", rule.severity.value]},
    }


def _invocation(report: Report, omitted: int) -> dict[str, Json]:
    invocation: dict[str, Json] = {"executionSuccessful": not (report.plan.failures and report.result is None)}
    if report.result is not None:
        invocation["executionSuccessful"] = report.result.exit_code == 0
    if omitted:
        text = f"{omitted} more results of equal or lower severity were omitted; `--output json` has all of them."
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": text}}]
    return invocation


def _result(issue: Issue, uri: str, report: Report) -> dict[str, Json]:
    location: dict[str, Json] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": issue.line},
        }
    }
    if issue.environment:
        location["logicalLocations"] = _places(issue, sanitize(report.plan.project))
    return {
        "ruleId": issue.code,
        "ruleIndex": _INDEXES[issue.code],
        "level": LEVELS[issue.severity],
        "message": {"text": message_text([issue.message, *issue.details])},
        "locations": [location],
        "partialFingerprints": {
            "envsync/v1": issue.fingerprint,
            # GitHub compares this one. Its own default, a hash of the manifest's line, is the same for two packages.
            "primaryLocationLineHash": f"{issue.fingerprint[:16]}:1",
        },
    }


def _places(issue: Issue, project: str) -> list[Json]:
    environment = f"{project}/{issue.environment}"
    places: list[Json] = [{"name": issue.environment, "fullyQualifiedName": environment, "kind": "environment"}]
    if issue.package:
        name = f"{environment}/{issue.package}"
        places.append({"name": issue.package, "fullyQualifiedName": name, "kind": "package"})
    return places
