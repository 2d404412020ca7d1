"""A report as GitLab's Code Quality JSON, which merge requests list and compare with the target branch."""

from collections import Counter
from collections.abc import Iterator, Mapping

from reconciler.canonical_json import Json, digest
from reconciler.json_output import json_text
from reconciler.render.escape import sanitize
from reconciler.render.issues import Issue, issues
from reconciler.render.notes import all_notes
from reconciler.render.report import Report
from reconciler.render.repository_path import repository_path
from reconciler.render.rules import Severity

# GitLab has info, minor, major, critical and blocker.
SEVERITIES: Mapping[Severity, str] = {
    Severity.FAILED: "blocker",
    Severity.BLOCKED: "critical",
    Severity.SECURITY: "critical",
    Severity.DRIFT: "major",
    Severity.PENDING: "info",
}
NOTE = "note"  # the check of notes
_MAX_DETAILS = 3  # GitLab shows one line


def gitlab(report: Report) -> str:
    """Return the report as a JSON array of findings, which is empty if nothing differs and the plan has no notes.

    A note is a finding with the check `envsync/note`, because the format has no other place for it.
    """
    path = repository_path(report.file)
    found: list[Json] = [
        {
            "description": _description(each),
            "check_name": f"envsync/{each.code}",
            "fingerprint": each.fingerprint,
            "severity": SEVERITIES[each.severity],
            "location": {"path": path, "lines": {"begin": each.line}},
        }
        for each in issues(report)
    ]
    return json_text([*found, *_notes(report, path)], indent=2)


def _notes(report: Report, path: str) -> Iterator[Json]:
    """Yield a finding for each note; its fingerprint depends on its position, because numbers in its words change."""
    positions: Counter[str] = Counter()
    for name, note in all_notes(report.plan):
        identified = [report.plan.project, name, NOTE, str(positions[name])]
        positions[name] += 1
        yield {
            "description": ": ".join(each for each in (sanitize(name), sanitize(note) or NOTE) if each),
            "check_name": f"envsync/{NOTE}",
            "fingerprint": digest(identified).removeprefix("sha256:"),
            "severity": SEVERITIES[Severity.PENDING],
            "location": {"path": path, "lines": {"begin": report.line(name)}},
        }


def _description(issue: Issue) -> str:
    more = len(issue.details) - _MAX_DETAILS
    kept = [*issue.details[:_MAX_DETAILS], *([f"and {more} more"] if more > 0 else [])]
    return f"{issue.message} ({'; '.join(kept)})" if kept else issue.message
