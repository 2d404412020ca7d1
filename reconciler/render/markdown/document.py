"""The whole Markdown report: heading, a section for each environment that differs, and the unchanged ones.

It is CommonMark with tables. The only HTML is `<details>`, `<summary>` and the comment in the first line, by which CI
finds the report again to update it. None of these contains untrusted text; all other text is escaped by
`reconciler.render.markdown.escape`.
"""

from collections.abc import Iterable, Sequence

from reconciler.plan.model import EnvironmentPlan
from reconciler.render.drift_status import DriftStatus, drift_status
from reconciler.render.event_text import is_unsuccessful
from reconciler.render.markdown.blocks import Block, join_blocks
from reconciler.render.markdown.environment import Section, environment_section, failure_blocks, note_block
from reconciler.render.markdown.escape import code, prose
from reconciler.render.notes import general_notes
from reconciler.render.phrases import count
from reconciler.render.report import Report
from reconciler.render.summary import report_summary

MARKER = "<!-- envsync -->"
MAX_LENGTH = 65_000  # characters; GitHub rejects a comment of more than 65,536
_ROW_LIMITS = (1_000_000, 500, 100, 20, 5, 0)  # for each list; tried in order until everything fits
_MIN_ROW_LENGTH = 20  # characters
_UNCHANGED = {"": "Unchanged", "drift": "Without drift", "pending": "Without pending changes"}
_MAX_NAMES = 50  # of unchanged environments
_NOTE_ROOM = 300  # characters
_MAX_REMARKS_LENGTH = 10_000  # characters of the notes, or of the notes and hints of unchanged environments
_ORDER = (
    DriftStatus.DRIFT,
    DriftStatus.BOTH,
    DriftStatus.BLOCKED,
    DriftStatus.HELD,
    DriftStatus.PENDING,
    DriftStatus.OK,
)


def markdown(report: Report) -> str:
    """Return the report as Markdown of at most 65,000 characters; a note at its end counts what was left out."""
    listed = _listed(report)
    head = _head(report)
    tail = _tail(report, {each.name for each in listed})
    kept = _fitting_sections(report, listed, MAX_LENGTH - len(head) - len(tail) - _NOTE_ROOM)
    note = _note(len(listed) - len(kept), sum(each.left_out for each in kept))
    return "\n".join(each for each in (head, *(each.text for each in kept), note, tail) if each)


def _head(report: Report) -> str:
    environments = count(len(report.plan.environments), "environment")
    subject = f"`envsync {report.command}` for project {code(report.plan.project)}, {environments}"
    subject += f", against {code(report.plan.against)}" if report.plan.against else ""
    blocks = [[MARKER, f"### {prose(report_summary(report))}"], [f"{subject}."]]
    return join_blocks([*blocks, *_remarks([note_block(each) for each in general_notes(report.plan)])])


def _tail(report: Report, listed: set[str]) -> str:
    unchanged = [each for each in report.plan.environments if each.name not in listed]
    failure = report.result.failure if report.result is not None else None
    blocks = [["Garbage collection after the apply:"], *failure_blocks(failure)] if failure is not None else []
    blocks += _remarks(
        [
            [f"{label} for {code(each.name)}: {prose(text)}"]
            for each in unchanged
            for label, texts in (("Note", each.notes), ("Hint", each.hints))
            for text in texts
        ]
    )
    blocks += [[f"{_UNCHANGED[report.plan.only]}: {_names(each.name for each in unchanged)}."]] if unchanged else []
    return join_blocks(blocks)


def _remarks(blocks: Sequence[Block]) -> list[Block]:
    """Return the first notes and hints, which must be one line each, and how many further ones there are."""
    kept: list[Block] = []
    left = _MAX_REMARKS_LENGTH
    for block in blocks:
        left -= len(block[0])
        if left < 0:
            return [*kept, [f"and {count(len(blocks) - len(kept), 'further note')}; `--output json` has all of them"]]
        kept.append(block)
    return kept


def _fitting_sections(report: Report, listed: Sequence[EnvironmentPlan], room: int) -> list[Section]:
    """Return every section, with as many rows each as fit; if they do not fit without rows, only the first sections."""
    finished_by_name = report.finished
    kept: list[Section] = []
    for most in _ROW_LIMITS:
        if most and sum(min(len(each.packages), most) for each in listed) * _MIN_ROW_LENGTH > room:
            continue  # this cannot fit, so the sections need not be made
        kept, left = [], room
        for each in listed:
            section = environment_section(
                each, command=report.command, finished=finished_by_name.get(each.name), most=most
            )
            left -= len(section.text) + 1
            if left < 0:
                break
            kept.append(section)
        else:
            break
    return kept


def _note(environments: int, rows: int) -> str:
    parts = [count(environments, "environment")] * bool(environments) + [count(rows, "row")] * bool(rows)
    if not parts:
        return ""
    return (
        f"**Truncated**: {' and '.join(parts)} did not fit in a comment. For the full output, run the same command "
        "without `--output` or with `--output json`, or run `envsync show` on a saved plan.\n"
    )


def _listed(report: Report) -> list[EnvironmentPlan]:
    """Return the environments that get a section: unsuccessful ones first, then drift, then pending, each by name."""
    finished = report.finished
    changes = {each.name for each in report.plan.changes}
    listed = [
        each for each in report.plan.environments if each.name in changes or is_unsuccessful(finished.get(each.name))
    ]
    return sorted(
        listed,
        key=lambda each: (
            not is_unsuccessful(finished.get(each.name)),
            _ORDER.index(drift_status(each)),
            each.name,
        ),
    )


def _names(names: Iterable[str]) -> str:
    every = list(names)
    more = [f"and {len(every) - _MAX_NAMES} more"] if len(every) > _MAX_NAMES else []
    return ", ".join([*(code(each) for each in every[:_MAX_NAMES]), *more])
