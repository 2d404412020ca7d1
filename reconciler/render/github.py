"""The report as GitHub workflow commands, which annotate the manifest's lines, and a summary line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.diff.model import Origin, PackageChange
from reconciler.events import EnvironmentFinished, Failure
from reconciler.observe.actual import STARTUP_CODES
from reconciler.plan.model import Action, EnvironmentPlan, Plan
from reconciler.render.drift_status import DriftStatus, drift_status
from reconciler.render.environment_text import environment_sentences, failure_is_described
from reconciler.render.escape import sanitize
from reconciler.render.event_text import is_unsuccessful, outcome_text
from reconciler.render.finding_text import finding_sentences
from reconciler.render.notes import all_notes
from reconciler.render.package_text import package_sentence, version_change
from reconciler.render.phrases import count
from reconciler.render.report import Report
from reconciler.render.summary import report_summary

MAX_PER_LEVEL = 10  # GitHub shows no more annotations of one level for each step
_MAX_PACKAGES = 20  # in one message
_MAX_LINE_LENGTH = 500  # characters


class AnnotationLevel(StrEnum):
    """The name of the workflow command; the order is that of the output."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One note at an environment's line; title and lines are unescaped."""

    level: AnnotationLevel
    environment: str
    title: str
    lines: tuple[str, ...]


def github(report: Report) -> str:
    """Return the report as at most ten commands of each level, the number of omitted ones, and the summary line."""
    found = list(_annotations(report))
    lines, omitted = [], []
    for level in AnnotationLevel:
        of_level = [each for each in found if each.level is level]
        lines += [_command(each, report) for each in of_level[:MAX_PER_LEVEL]]
        if len(of_level) > MAX_PER_LEVEL:
            omitted.append(count(len(of_level) - MAX_PER_LEVEL, level.value))
    if omitted:
        lines.append(f"Not annotated: {', '.join(omitted)} (GitHub shows at most {MAX_PER_LEVEL} of each level).")
    lines.append(report_summary(report))
    return "".join(f"{line}\n" for line in lines)


def _annotations(report: Report) -> Iterator[Annotation]:
    finished_by_name = report.finished
    changes = {each.name for each in report.plan.changes}
    for each in report.plan.environments:
        finished = finished_by_name.get(each.name)
        if finished is not None and (each.name in changes or is_unsuccessful(finished)):
            yield _finished(each, finished)
        elif each.name in changes:
            yield from _planned(each, counts=report.plan.counts(each))
    failure = report.result.failure if report.result is not None else None
    if failure is not None:
        yield Annotation(
            level=AnnotationLevel.ERROR,
            environment="",
            title="garbage collection failed",
            lines=tuple(_failure(failure)),
        )
    yield from _notes(report.plan)


def _notes(plan: Plan) -> Iterator[Annotation]:
    """Yield an annotation for the notes of the whole plan, and one for those of each environment."""
    notes: dict[str, list[str]] = {}
    for name, note in all_notes(plan):
        notes.setdefault(name, []).append(note)
    for name, lines in notes.items():
        title = f"{name}: note" if name else "note"
        yield Annotation(level=AnnotationLevel.NOTICE, environment=name, title=title, lines=tuple(lines))


def _finished(environment: EnvironmentPlan, finished: EnvironmentFinished) -> Annotation:
    """Return how an apply ended for one environment."""
    lines = [] if finished.failure is None else _failure(finished.failure)
    if failure_is_described(environment, finished):
        lines = lines[1:]  # the sentences contain the message
    return Annotation(
        level=AnnotationLevel.ERROR if is_unsuccessful(finished) else AnnotationLevel.NOTICE,
        environment=environment.name,
        title=f"{environment.name}: {outcome_text(finished)}",
        lines=(*lines, *environment_sentences(environment)),
    )


def _planned(environment: EnvironmentPlan, *, counts: bool) -> Iterator[Annotation]:
    """Yield an environment's annotations: that it is blocked or held, or one for drift and one for pending changes.

    What Python runs at every start has an annotation of its own, of the highest level.

    `counts` is whether it is a difference.
    """
    name = environment.name
    status = drift_status(environment)
    startup = finding_sentences(each for each in environment.findings if each.code in STARTUP_CODES)
    if startup:
        title = f"{name}: startup files drifted"
        yield Annotation(level=AnnotationLevel.ERROR, environment=name, title=title, lines=tuple(startup))
    if status is DriftStatus.BLOCKED:
        failure = environment.failure
        failure_hints = [failure.hint] if failure is not None and failure.hint else []
        lines = (*environment_sentences(environment), *_hints([*failure_hints, *environment.hints]))
        yield Annotation(level=AnnotationLevel.ERROR, environment=name, title=f"{name}: blocked", lines=lines)
        return
    if environment.hold:
        level = AnnotationLevel.WARNING if counts else AnnotationLevel.NOTICE
        title = f"{name}: held" if status is DriftStatus.HELD else f"{name}: held, drifted"
        drift = _package_lines([each for each in environment.packages if each.origin is not Origin.PENDING])
        lines = (*environment_sentences(environment), *drift, *_hints(environment.hints))
        yield Annotation(level=level, environment=name, title=title, lines=lines)
        return
    drifted = status in {DriftStatus.DRIFT, DriftStatus.BOTH}
    pending = status in {DriftStatus.PENDING, DriftStatus.BOTH}
    candidates = (
        (AnnotationLevel.WARNING, {Origin.DRIFT, Origin.BOTH}, "drifted", drifted),
        (AnnotationLevel.NOTICE, {Origin.PENDING}, "pending changes", pending),
    )
    annotated = False
    for level, origins, phrase, applies in candidates:
        changes = _changes(environment, origins)
        if applies and (changes or not annotated):
            hints = [] if annotated else _hints(environment.hints)
            yield Annotation(level=level, environment=name, title=f"{name}: {phrase}", lines=(*changes, *hints))
            annotated = True


def _changes(environment: EnvironmentPlan, origins: set[Origin]) -> list[str]:
    """Return the reasons and the package changes that are of these origins."""
    reasons = [each.message for each in environment.reasons if each.origin in origins]
    packages = [each for each in environment.packages if each.origin in origins]
    listed = [] if environment.action is Action.CREATE else packages
    lines = [f"{environment.action.value}: {'; '.join(reasons)}"] if reasons else []
    return [*lines, *_package_lines(listed)]


def _package_lines(changes: Sequence[PackageChange]) -> list[str]:
    """Return a line for each package, and how many are left out."""
    lines = [f"{each.name} {version_change(each)}: {package_sentence(each)}" for each in changes[:_MAX_PACKAGES]]
    return lines + ([f"and {len(changes) - _MAX_PACKAGES} more packages"] if len(changes) > _MAX_PACKAGES else [])


def _failure(failure: Failure) -> list[str]:
    return [f"{failure.code}: {failure.message}", *_hints([failure.hint] if failure.hint else [])]


def _hints(hints: Iterable[str]) -> list[str]:
    return [f"hint: {each}" for each in hints]


def _command(annotation: Annotation, report: Report) -> str:
    line, column = report.line(annotation.environment), report.column(annotation.environment)
    values = {"file": report.file, "line": str(line), "col": str(column), "title": f"envsync: {annotation.title}"}
    properties = ",".join(f"{key}={_property(value)}" for key, value in values.items())
    message = "%0A".join(_escaped(each) for each in annotation.lines or (annotation.title,))
    return f"::{annotation.level.value} {properties}::{message}"


def _escaped(text: str) -> str:
    """Return a line of a message, escaped as the runner expects it."""
    line = sanitize(text)
    kept = line if len(line) <= _MAX_LINE_LENGTH else f"{line[: _MAX_LINE_LENGTH - 3]}..."
    return kept.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
