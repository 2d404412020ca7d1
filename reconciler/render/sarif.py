"""A report as SARIF 2.1.0 (OASIS): what GitHub's code scanning and most viewers of static analysis take."""

from collections.abc import Mapping, Sequence

from reconciler import __version__
from reconciler.canonical_json import Json
from reconciler.json_output import json_text
from reconciler.render.escape import shown
from reconciler.render.issues import Issue, issues
from reconciler.render.manifest_path import repository_uri
from reconciler.render.report import Report
from reconciler.render.rules import RULES, Rule, Weight

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Mapping[Weight, str] = {
    Weight.FAILED: "error",
    Weight.BLOCKED: "error",
    Weight.DRIFT: "warning",
    Weight.PENDING: "note",
}
# GitHub shows 5,000 results of a run, and refuses a run of more than 25,000.
MOST_RESULTS = 5_000
_INDEXES = {code: number for number, code in enumerate(RULES)}


def sarif(report: Report) -> str:
    """Return the report as a SARIF log of one run; of more than 5,000 results the heaviest, and a note of the rest."""
    found = issues(report)
    kept = found
    if len(found) > MOST_RESULTS:
        kept = tuple(sorted(found, key=lambda each: list(Weight).index(each.weight))[:MOST_RESULTS])
    uri = repository_uri(report.file)
    run: dict[str, Json] = {
        "tool": {"driver": _driver()},
        # GitHub calls it the category: one upload a category and commit.
        "automationDetails": {"id": f"envsync/{shown(report.plan.project)}/{report.command}/"},
        "invocations": [_invocation(report, len(found) - len(kept))],
        "results": [_result(each, uri, report) for each in kept],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def message_text(lines: Sequence[str]) -> str:
    """Return lines as a SARIF message: braces doubled (section 3.11.5), and nothing that reads as a link (3.11.6)."""
    return "\n".join(lines).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _driver() -> dict[str, Json]:
    return {"name": "envsync", "semanticVersion": __version__, "rules": [_rule(*each) for each in RULES.items()]}


def _rule(code: str, rule: Rule) -> dict[str, Json]:
    return {
        "id": code,
        "shortDescription": {"text": f"{rule.says}."},
        "fullDescription": {"text": f"{rule.says}. {rule.remedy}"},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": LEVELS[rule.weight]},
        "properties": {"tags": ["environments", rule.weight.value]},
    }


def _invocation(report: Report, left_out: int) -> dict[str, Json]:
    invocation: dict[str, Json] = {"executionSuccessful": not (report.plan.failures and report.result is None)}
    if report.result is not None:
        invocation["executionSuccessful"] = report.result.exit_code == 0
    if left_out:
        text = f"{left_out} more results, none of them heavier, are left out; the JSON of the same command has all."
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
        location["logicalLocations"] = _places(issue, shown(report.plan.project))
    return {
        "ruleId": issue.code,
        "ruleIndex": _INDEXES[issue.code],
        "level": LEVELS[issue.weight],
        "message": {"text": message_text([issue.message, *issue.details])},
        "locations": [location],
        "partialFingerprints": {
            "envsync/v1": issue.fingerprint,
            # The one that GitHub goes by. It would be a hash of the manifest's line: the same for two packages.
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
