"""The report as Markdown: for a pull request's comment, a step summary, a merge request's note.

CommonMark with tables; no HTML but `<details>`, `<summary>` and the first line's comment, by which the comment is found
again. No foreign text stands in them (`reconciler.render.markdown_escape` has all other places).
"""

from collections.abc import Iterable, Sequence

from reconciler.events import EnvironmentFinished
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.drift_status import Standing, standing
from reconciler.render.event_text import went_wrong
from reconciler.render.markdown_escape import code, prose
from reconciler.render.markdown_list import joined
from reconciler.render.markdown_section import Section, failure_blocks, section
from reconciler.render.report import Report
from reconciler.render.summary_line import summary_line

MARKER = "<!-- envsync -->"
LIMIT = 65_000  # characters; GitHub refuses a comment of more than 65,536
_ROWS = (1_000_000, 500, 100, 20, 5, 0)  # a list, tried one after the other until all fits
_LEAST_ROW = 20  # characters
_UNCHANGED = {"": "Unchanged", "drift": "Without drift", "pending": "Without pending changes"}
_NAMES = 50  # of unchanged environments
_NOTE_ROOM = 300  # characters
_ORDER = (Standing.DRIFT, Standing.BOTH, Standing.BLOCKED, Standing.PENDING, Standing.OK)


def markdown(report: Report) -> str:
    """Return the report as Markdown of at most 65,000 characters, what is left out counted in a note at its end."""
    listed = _listed(report)
    head = _head(report)
    tail = _tail(report, {each.name for each in listed})
    kept = _fitting(report, listed, LIMIT - len(head) - len(tail) - _NOTE_ROOM)
    note = _note(len(listed) - len(kept), sum(each.left_out for each in kept))
    return "\n".join(each for each in (head, *(each.text for each in kept), note, tail) if each)


def _head(report: Report) -> str:
    number = len(report.plan.environments)
    about = f"`envsync {report.command}` of project {code(report.plan.project)}, {_counted(number, 'environment')}"
    about += f", against {code(report.plan.against)}" if report.plan.against else ""
    return f"{MARKER}\n### {prose(summary_line(report))}\n\n{about}.\n"


def _tail(report: Report, listed: set[str]) -> str:
    unchanged = [each for each in report.plan.environments if each.name not in listed]
    failure = report.result.failure if report.result is not None else None
    blocks = [["Garbage collection, after all else:"], *failure_blocks(failure)] if failure is not None else []
    hinted = [(each.name, hint) for each in unchanged for hint in each.hints][:_NAMES]
    blocks += [[f"Hint for {code(name)}: {prose(hint)}"] for name, hint in hinted]
    blocks += [[f"{_UNCHANGED[report.plan.only]}: {_names(each.name for each in unchanged)}."]] if unchanged else []
    return joined(blocks)


def _fitting(report: Report, listed: Sequence[EnvironmentPlan], room: int) -> list[Section]:
    """Return every section, with as many rows each as let all of them fit; the first ones, should even none not do."""
    ends = _ends(report)
    kept: list[Section] = []
    for most in _ROWS:
        if most and sum(min(len(each.packages), most) for each in listed) * _LEAST_ROW > room:
            continue  # known before they are made
        kept, left = [], room
        for each in listed:
            made = section(each, command=report.command, ended=ends.get(each.name), most=most)
            left -= len(made.text) + 1
            if left < 0:
                break
            kept.append(made)
        else:
            break
    return kept


def _note(missing: int, rows: int) -> str:
    told = [_counted(missing, "environment")] * bool(missing) + [_counted(rows, "row")] * bool(rows)
    if not told:
        return ""
    return (
        f"**Cut**: {' and '.join(told)} did not fit into a comment. The whole is in the output of the same command "
        "without `--output`, in that of `--output json`, and in that of `envsync show` for a saved plan.\n"
    )


def _listed(report: Report) -> list[EnvironmentPlan]:
    """Return the environments that get a section: what went wrong first, then drift, then pending, each by name."""
    ends = _ends(report)
    changes = {each.name for each in report.plan.changes}
    listed = [each for each in report.plan.environments if each.name in changes or went_wrong(ends.get(each.name))]
    return sorted(
        listed, key=lambda each: (not went_wrong(ends.get(each.name)), _ORDER.index(standing(each)), each.name)
    )


def _ends(report: Report) -> dict[str, EnvironmentFinished]:
    ends = report.result.environments if report.result is not None else ()
    return {each.environment: each for each in ends}


def _names(names: Iterable[str]) -> str:
    every = list(names)
    more = [f"and {len(every) - _NAMES} more"] if len(every) > _NAMES else []
    return ", ".join([*(code(each) for each in every[:_NAMES]), *more])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
