"""A report as GitLab's Code Quality JSON, which merge requests list and compare with the target branch."""

from collections.abc import Mapping

from reconciler.json_output import json_text
from reconciler.render.issues import Issue, issues
from reconciler.render.report import Report
from reconciler.render.repository_path import repository_path
from reconciler.render.rules import Severity

# GitLab has info, minor, major, critical and blocker.
SEVERITIES: Mapping[Severity, str] = {
    Severity.FAILED: "blocker",
    Severity.BLOCKED: "critical",
    Severity.DRIFT: "major",
    Severity.PENDING: "info",
}
_MAX_DETAILS = 3  # GitLab shows one line


def gitlab(report: Report) -> str:
    """Return the report as a JSON array of findings, which is empty if nothing differs."""
    path = repository_path(report.file)
    return json_text(
        [
            {
                "description": _description(each),
                "check_name": f"envsync/{each.code}",
                "fingerprint": each.fingerprint,
                "severity": SEVERITIES[each.severity],
                "location": {"path": path, "lines": {"begin": each.line}},
            }
            for each in issues(report)
        ],
        indent=2,
    )


def _description(issue: Issue) -> str:
    more = len(issue.details) - _MAX_DETAILS
    kept = [*issue.details[:_MAX_DETAILS], *([f"and {more} more"] if more > 0 else [])]
    return f"{issue.message} ({'; '.join(kept)})" if kept else issue.message
