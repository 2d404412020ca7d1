"""A report as GitLab's Code Quality JSON: what a merge request's widget lists, and compares with the target branch."""

from collections.abc import Mapping

from reconciler.json_output import json_text
from reconciler.render.issues import Issue, issues
from reconciler.render.manifest_path import repository_path
from reconciler.render.report import Report
from reconciler.render.rules import Weight

# Of GitLab's info, minor, major, critical, blocker.
SEVERITIES: Mapping[Weight, str] = {
    Weight.FAILED: "blocker",
    Weight.BLOCKED: "critical",
    Weight.DRIFT: "major",
    Weight.PENDING: "info",
}
_MOST_DETAILS = 3  # the widget shows one line


def gitlab(report: Report) -> str:
    """Return the report as a JSON array of findings; an empty one where nothing differs."""
    path = repository_path(report.file)
    return json_text(
        [
            {
                "description": _description(each),
                "check_name": f"envsync/{each.code}",
                "fingerprint": each.fingerprint,
                "severity": SEVERITIES[each.weight],
                "location": {"path": path, "lines": {"begin": each.line}},
            }
            for each in issues(report)
        ],
        indent=2,
    )


def _description(issue: Issue) -> str:
    more = len(issue.details) - _MOST_DETAILS
    kept = [*issue.details[:_MOST_DETAILS], *([f"and {more} more"] if more > 0 else [])]
    return f"{issue.message} ({'; '.join(kept)})" if kept else issue.message
