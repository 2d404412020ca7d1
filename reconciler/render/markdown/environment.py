"""One environment's section of the Markdown report: what happens and why, its packages, settings and findings."""

from dataclasses import dataclass

from reconciler.diff.model import Origin, PackageAction, PackageChange, SettingChange
from reconciler.events import EnvironmentFinished, Failure, Status
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.drift_status import DriftStatus, drift_status
from reconciler.render.environment_text import (
    environment_label,
    environment_sentences,
    failure_is_described,
    findings_to_list,
)
from reconciler.render.error_text import detail_lines
from reconciler.render.event_text import outcome_text
from reconciler.render.finding_text import finding_sentences
from reconciler.render.markdown.blocks import Block, join_blocks, list_blocks
from reconciler.render.markdown.escape import code, code_block, prose
from reconciler.render.package_text import package_sentence
from reconciler.render.report import Command
from reconciler.render.setting_text import setting_sentence

_MAX_DETAILS = 20  # lines
_ORIGINS = {Origin.DRIFT: "**drift**", Origin.BOTH: "**drift+pending**", Origin.PENDING: "pending"}
_CHECK_TITLES = {
    DriftStatus.OK: "unchanged",
    DriftStatus.DRIFT: "drifted",
    DriftStatus.PENDING: "pending changes",
    DriftStatus.BOTH: "drift+pending",
    DriftStatus.BLOCKED: "blocked",
    DriftStatus.HELD: "held",
}
_TABLE_HEAD = ("| package | before | after | origin | why |", "|---|---|---|---|---|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Markdown that ends with a line end, and how many rows were left out of it."""

    text: str
    left_out: int


def environment_section(
    environment: EnvironmentPlan, *, command: Command, finished: EnvironmentFinished | None = None, most: int
) -> Section:
    """Return an environment's section with at most `most` rows in each list; `finished` is how an apply ended."""
    title, label = _title(environment, command, finished)
    sentences = environment_sentences(environment, labeled=label != environment_label(environment))
    blocks = [[f"#### {code(environment.name)}: {title}"], *([prose(each)] for each in sentences if each)]
    failure = finished.failure if finished is not None else environment.failure
    if failure is not None:
        blocks += failure_blocks(failure, described=failure_is_described(environment, finished), most=most)
    packages = sorted(environment.packages, key=lambda each: (each.origin is Origin.PENDING, each.name))
    drifted = sum(each.origin is not Origin.PENDING for each in packages)
    remark = f", {drifted} of them drifted" if drifted else ""
    blocks += list_blocks(packages, _package, noun="package", head=_TABLE_HEAD, most=most, remark=remark)
    settings = list_blocks(environment.settings, _setting, noun="setting", head=(), most=most)
    blocks += [["Settings:"], *settings] if settings else []
    sentences_of_findings = finding_sentences(findings_to_list(environment))
    findings = list_blocks(sentences_of_findings, _finding, noun="finding", head=(), most=most)
    blocks += [["Findings:"], *findings] if findings else []
    notes, hints = environment.notes, environment.hints
    blocks += [note_block(each) for each in notes[:most]]
    blocks += [hint_block(each) for each in hints[:most]]
    counts = (len(packages), len(environment.settings), len(sentences_of_findings), len(notes), len(hints))
    return Section(text=join_blocks(blocks), left_out=sum(max(each - most, 0) for each in counts))


def failure_blocks(failure: Failure, *, described: bool = False, most: int = _MAX_DETAILS) -> list[Block]:
    """Return a failure's code and message, unless they are `described` already, then its last details and its hint."""
    details = detail_lines(failure.details, indent=0)[-min(most, _MAX_DETAILS) :] if most else []
    message = f"Failed with {code(failure.code)}: {prose(failure.message)}"
    blocks = [] if described else [[message]]
    blocks += [code_block(details)] if details else []
    return blocks + ([hint_block(failure.hint)] if failure.hint else [])


def note_block(note: str) -> Block:
    """Return a note."""
    return [f"Note: {prose(note)}"]


def hint_block(hint: str) -> Block:
    """Return a hint."""
    return [f"Hint: {prose(hint)}"]


def _title(environment: EnvironmentPlan, command: Command, finished: EnvironmentFinished | None) -> tuple[str, str]:
    """Return a section's title, and the status or the action that it names."""
    if finished is not None:
        outcome = outcome_text(finished, timed=True)
        published = finished.generation and finished.status is Status.APPLIED
        return f"{outcome}, generation {finished.generation}" if published else outcome, finished.status.value
    status = drift_status(environment)
    if environment.hold and not environment.blocked:
        return ("held" if status is DriftStatus.HELD else "held, drifted"), "held"
    if command == "check" or status is DriftStatus.BLOCKED:
        return _CHECK_TITLES[status], _CHECK_TITLES[status]
    origin = "drift+pending" if status is DriftStatus.BOTH else status.value
    return f"{environment.action.value} ({origin})", environment.action.value


def _package(change: PackageChange) -> str:
    before, after = (prose(each, cell=True) if each else "unknown" for each in (change.before, change.after))
    cells = (
        code(change.name, cell=True),
        "" if change.action is PackageAction.INSTALL else before,
        "" if change.action is PackageAction.REMOVE else after,
        _ORIGINS[change.origin],
        prose(package_sentence(change), cell=True),
    )
    return f"| {' | '.join(cells)} |"


def _setting(change: SettingChange) -> str:
    return f"- {code(setting_sentence(change))}"


def _finding(sentence: str) -> str:
    return f"- {prose(sentence)}"
