"""One environment's section of the Markdown report: what happens and why, its packages, settings and findings."""

from dataclasses import dataclass

from reconciler.diff.model import Origin, PackageAction, PackageChange, SettingChange
from reconciler.events import EnvironmentFinished, Failure, Status
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.drift_status import Standing, standing
from reconciler.render.environment_text import environment_sentences, told_findings
from reconciler.render.error import detail_lines
from reconciler.render.escape import shown
from reconciler.render.event_text import outcome, seconds_text
from reconciler.render.finding_text import finding_sentences
from reconciler.render.markdown_escape import code, code_block, prose
from reconciler.render.markdown_list import Block, joined, listed
from reconciler.render.package_text import package_sentence
from reconciler.render.report import Command
from reconciler.render.setting_text import setting_sentence

_DETAILS = 20  # lines
_ORIGINS = {Origin.DRIFT: "**drift**", Origin.BOTH: "**drift and pending**", Origin.PENDING: "pending"}
_STANDINGS = {
    Standing.OK: "as it should be",
    Standing.DRIFT: "drifted",
    Standing.PENDING: "has pending changes",
    Standing.BOTH: "drifted and has pending changes",
    Standing.BLOCKED: "blocked",
}
_TABLE = ("| package | before | after | origin | why |", "|---|---|---|---|---|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Markdown that ends with a line end, and how many of its rows were left out."""

    text: str
    left_out: int = 0


def section(
    environment: EnvironmentPlan, *, command: Command, ended: EnvironmentFinished | None = None, most: int
) -> Section:
    """Return an environment's section with at most `most` rows a list; `ended` is what an apply made of it."""
    sentences = environment_sentences(environment)
    title = _title(environment, command, ended)
    sentences[0] = sentences[0].removeprefix(f"{title.partition(' ')[0]}: ")  # the title has it
    blocks = [[f"#### {code(environment.name)}: {title}"], *([prose(each)] for each in sentences if each)]
    failure = ended.failure if ended is not None else environment.failure
    if failure is not None:
        blocks += failure_blocks(failure, told=" ".join(sentences), most=most)
    packages = sorted(environment.packages, key=lambda each: (each.origin is Origin.PENDING, each.name))
    by_hand = sum(each.origin is not Origin.PENDING for each in packages)
    remark = f", {by_hand} of them drift" if by_hand else ""
    blocks += listed(packages, _package, noun="package", head=_TABLE, most=most, remark=remark)
    settings = listed(environment.settings, _setting, noun="setting", head=(), most=most)
    blocks += [["Settings:"], *settings] if settings else []
    said = {each.message for each in environment.reasons}
    found = finding_sentences(told_findings(environment), said=said)
    findings = listed(found, _finding, noun="finding", head=(), most=most)
    blocks += [["Findings:"], *findings] if findings else []
    blocks += [hint_block(each) for each in environment.hints[:most]]
    counts = (len(packages), len(environment.settings), len(found), len(environment.hints))
    return Section(text=joined(blocks), left_out=sum(max(each - most, 0) for each in counts))


def failure_blocks(failure: Failure, *, told: str = "", most: int = _DETAILS) -> list[Block]:
    """Return a failure's code and message, unless `told` has it, a child's last lines, and the hint."""
    is_told = shown(failure.message) in told
    details = detail_lines(failure.details, indent=0)[-min(most, _DETAILS) :] if most else []
    blocks = [] if is_told else [[f"Failed with {code(failure.code)}: {prose(failure.message)}"]]
    blocks += [code_block(details)] if details else []
    return blocks + ([hint_block(failure.hint)] if failure.hint else [])


def hint_block(hint: str) -> Block:
    """Return a hint, one that is a command as code."""
    return [f"Hint: {code(hint) if hint.startswith('envsync ') else prose(hint)}"]


def _title(environment: EnvironmentPlan, command: Command, ended: EnvironmentFinished | None) -> str:
    if ended is not None:
        word, _ = outcome(ended)
        number = f", generation {ended.generation}" if ended.generation and ended.status is Status.APPLIED else ""
        return f"{word}{number}{f', in {seconds_text(ended.seconds)}' if ended.seconds else ''}"
    stands = standing(environment)
    if command == "check" or stands is Standing.BLOCKED:
        return _STANDINGS[stands]
    return f"{environment.action.value} ({'drift and pending' if stands is Standing.BOTH else stands.value})"


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
    return f"- {code(setting_sentence(change, whole=False))}"


def _finding(sentence: str) -> str:
    return f"- {prose(sentence)}"
