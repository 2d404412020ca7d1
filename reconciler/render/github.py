"""The report as workflow commands, which GitHub shows at the manifest's lines, and one plain line that sums it up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.diff.model import Origin
from reconciler.events import EnvironmentFinished, Failure
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.drift_status import Standing, standing
from reconciler.render.environment_text import environment_sentences
from reconciler.render.escape import shown
from reconciler.render.event_text import outcome, went_wrong
from reconciler.render.package_text import changed_versions, package_sentence
from reconciler.render.report import Report
from reconciler.render.summary_line import summary_line

MOST = 10  # of a kind; GitHub shows no more of a step's
_PACKAGES = 20  # lines of one message
_LONGEST = 500  # characters of a line


class Kind(StrEnum):
    """How grave it is: the command's name, in the order in which they are written."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One note at an environment's line; title and lines are unescaped."""

    kind: Kind
    environment: str
    title: str
    lines: tuple[str, ...]


def github(report: Report) -> str:
    """Return the report as at most ten commands of a kind, the count of the rest, and the summary line."""
    found = list(_annotations(report))
    lines, rest = [], []
    for kind in Kind:
        alike = [each for each in found if each.kind is kind]
        lines += [_command(each, report) for each in alike[:MOST]]
        if len(alike) > MOST:
            more = len(alike) - MOST
            rest.append(f"{more} {kind.value}{'' if more == 1 else 's'}")
    if rest:
        lines.append(f"Not annotated, for GitHub shows ten of a kind: {', '.join(rest)}.")
    lines.append(summary_line(report))
    return "".join(f"{line}\n" for line in lines)


def _annotations(report: Report) -> Iterator[Annotation]:
    ends = {each.environment: each for each in report.result.environments} if report.result is not None else {}
    changes = {each.name for each in report.plan.changes}
    for each in report.plan.environments:
        ended = ends.get(each.name)
        if ended is not None and (each.name in changes or went_wrong(ended)):
            yield _ended(each, ended)
        elif each.name in changes:
            yield from _planned(each)
    failure = report.result.failure if report.result is not None else None
    if failure is not None:
        yield Annotation(
            kind=Kind.ERROR, environment="", title="garbage collection failed", lines=tuple(_failure(failure))
        )


def _ended(environment: EnvironmentPlan, ended: EnvironmentFinished) -> Annotation:
    word, _ = outcome(ended)
    sentences = environment_sentences(environment)
    is_told = ended.failure is None or shown(ended.failure.message) in " ".join(sentences)
    failure = [] if ended.failure is None else _failure(ended.failure)[is_told:]
    return Annotation(
        kind=Kind.ERROR if went_wrong(ended) else Kind.NOTICE,
        environment=environment.name,
        title=f"{environment.name}: {word}",
        lines=(*failure, *sentences),
    )


def _planned(environment: EnvironmentPlan) -> Iterator[Annotation]:
    """Yield what is to be said of one environment: that it is blocked, or apart from another drift and pending."""
    name = environment.name
    stands = standing(environment)
    if stands is Standing.BLOCKED:
        failure = environment.failure
        more = [failure.hint] if failure is not None and failure.hint else []
        lines = (*environment_sentences(environment), *_hints([*more, *environment.hints]))
        yield Annotation(kind=Kind.ERROR, environment=name, title=f"{name}: blocked", lines=lines)
        return
    parts = (
        (Kind.WARNING, {Origin.DRIFT, Origin.BOTH}, "drifted", stands in {Standing.DRIFT, Standing.BOTH}),
        (Kind.NOTICE, {Origin.PENDING}, "pending changes", stands in {Standing.PENDING, Standing.BOTH}),
    )
    told = False
    for kind, origins, word, applies in parts:
        lines = tuple(_changes(environment, origins))
        if applies and (lines or not told):
            hints = () if told else tuple(_hints(environment.hints))
            yield Annotation(kind=kind, environment=name, title=f"{name}: {word}", lines=(*lines, *hints))
            told = True


def _changes(environment: EnvironmentPlan, origins: set[Origin]) -> list[str]:
    """Return why an environment changes and which packages do, as far as it is of these origins."""
    reasons = [each.message for each in environment.reasons if each.origin in origins]
    packages = [each for each in environment.packages if each.origin in origins]
    listed = [] if environment.action is Action.CREATE else packages
    lines = [f"{environment.action.value}: {'; '.join(reasons)}"] if reasons else []
    lines += [f"{each.name} {changed_versions(each)}: {package_sentence(each)}" for each in listed[:_PACKAGES]]
    return lines + ([f"and {len(listed) - _PACKAGES} more packages"] if len(listed) > _PACKAGES else [])


def _failure(failure: Failure) -> list[str]:
    return [f"{failure.code}: {failure.message}", *_hints([failure.hint] if failure.hint else [])]


def _hints(hints: Iterable[str]) -> list[str]:
    return [f"hint: {each}" for each in hints]


def _command(annotation: Annotation, report: Report) -> str:
    line, column = report.line(annotation.environment), report.column(annotation.environment)
    properties = {"file": report.file, "line": str(line), "col": str(column), "title": f"envsync: {annotation.title}"}
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    message = "%0A".join(_escaped(each) for each in annotation.lines or (annotation.title,))
    return f"::{annotation.kind.value} {told}::{message}"


def _escaped(text: str) -> str:
    """Return a line of a message as the runner unescapes it."""
    line = shown(text)
    kept = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
    return kept.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
