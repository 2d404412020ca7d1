"""One environment's part of a plan as text: what happens and why, then its packages, settings, findings and hints."""

from reconciler.diff.findings import FindingCategory, category_of
from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.events import EnvironmentFinished, Status
from reconciler.observe.actual import STARTUP_CODES, Finding, FindingCode
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.escape import sanitize
from reconciler.render.finding_text import finding_lines, phrase_names_path
from reconciler.render.hold_text import hold_text
from reconciler.render.issue_drift import drift_code
from reconciler.render.layout import Segment, entry_lines
from reconciler.render.package_text import INDENT, package_lines
from reconciler.render.phrases import count
from reconciler.render.setting_text import setting_lines
from reconciler.render.style import Palette, Style

# `<-` takes over an environment that envsync did not make, `->` renames one, `=` changes nothing.
ACTION_SYMBOLS: dict[Action, tuple[str, Style]] = {
    Action.NO_OP: ("=", Style.FAINT),
    Action.CREATE: ("+", Style.GOOD),
    Action.UPDATE: ("~", Style.CHANGED),
    Action.REPLACE: ("-/+", Style.REPLACED),
    Action.DELETE: ("-", Style.BAD),
    Action.ADOPT: ("<-", Style.NOTED),
    Action.RENAME: ("->", Style.NOTED),
}
_BLOCKED = ("x", Style.REFUSED)
HELD = ("||", Style.NOTED)  # a pause
_SYMBOL_WIDTH = 3
# `create` already says that an environment is new.
_IMPLIED = frozenset({ReasonCode.NEW})
# For these, `blocked` already says what would happen otherwise.
_WITHOUT_ALTERNATIVE = frozenset({ReasonCode.PREVENT_DESTROY, ReasonCode.EMPTY_MANIFEST, ReasonCode.HELD})
# The blocking reason says the same as these findings; only the one about a symbolic link has more: its target.
_FOREIGN = frozenset(
    {
        FindingCode.FOREIGN_DIRECTORY,
        FindingCode.FOREIGN_VENV,
        FindingCode.FOREIGN_SYMLINK,
        FindingCode.FOREIGN_FILE,
    }
)


def environment_lines(
    environment: EnvironmentPlan, *, name_width: int, palette: Palette, width: int, verbose: int
) -> list[str]:
    """Return an environment's lines, at most `width` columns wide; `verbose` lists all packages, files and values."""
    symbol, style = HELD if environment.hold else ACTION_SYMBOLS[environment.action]
    if environment.blocked:
        symbol, style = _BLOCKED
    columns = [
        Segment(text=symbol.rjust(_SYMBOL_WIDTH), style=style, gap=1),
        Segment(text=sanitize(environment.name), style=Style.STRONG, width=name_width, gap=1),
    ]
    lines = []
    for sentence in _sentences(environment):
        lines += entry_lines(columns, sentence, palette=palette, width=width)
        columns = [Segment(text=" " * _SYMBOL_WIDTH, gap=1), Segment(text="", width=name_width, gap=1)]
    full = verbose > 0
    listed, omitted = _packages(environment, full=full)
    lines += package_lines(listed, palette=palette, width=width, all_files=full)
    if omitted:
        text = f"{count(omitted, 'package')} at the same version with different files (`-v` lists them)"
        tilde = Segment(text="~", style=Style.CHANGED, gap=1)
        lines += entry_lines([tilde], [Segment(text=text)], palette=palette, width=width, indent=INDENT)
    lines += setting_lines(environment.settings, palette=palette, width=width, full=full)
    lines += finding_lines(findings_to_list(environment, full=full), palette=palette, width=width, full=full)
    for note in environment.notes:
        lines += note_lines(note, palette=palette, width=width, indent=INDENT)
    for hint in environment.hints:
        lines += hint_lines(hint, palette=palette, width=width, indent=INDENT)
    return lines


def failure_is_described(environment: EnvironmentPlan, finished: EnvironmentFinished | None) -> bool:
    """Return whether an environment's sentences contain its failure's message: it is what blocks it in the plan."""
    if environment.failure is not None:
        return any(each.code is ReasonCode.LOCK_FAILED for each in environment.blocked)
    return finished is not None and finished.status is Status.BLOCKED and bool(environment.blocked)


def environment_label(environment: EnvironmentPlan) -> str:
    """Return the word for what happens to an environment: `blocked`, `held`, `unchanged` or its action.

    Its first sentence begins with it, and the summary counts by it.
    """
    if environment.blocked:
        return "blocked"
    if environment.hold:
        return "held"
    return "unchanged" if environment.action is Action.NO_OP else environment.action.value


def environment_sentences(environment: EnvironmentPlan, *, labeled: bool = True) -> list[str]:
    """Return what happens and why, sanitized: `update: the lock changed`, or `blocked: ...` and `would update: ...`.

    The first sentence begins with its label only if `labeled`.
    """
    first, *rest = _sentences(environment)
    sentences = [first if labeled else first[1:], *rest]
    return [" ".join(segment.text for segment in sentence) for sentence in sentences]


def findings_to_list(environment: EnvironmentPlan, *, full: bool = False) -> list[Finding]:
    """Return the findings that neither a package's line nor a reason covers. Startup files are always listed.

    `full` includes the target of a symbolic link that a blocking reason covers.
    """
    hidden = _FOREIGN - {FindingCode.FOREIGN_SYMLINK} if full else _FOREIGN
    covered = {each.name for each in environment.packages}
    described = _described_findings(environment)
    return [
        each
        for each in environment.findings
        if each.code in STARTUP_CODES
        or (each.package not in covered and each not in described and each.code not in hidden)
    ]


def note_lines(note: str, *, palette: Palette, width: int, indent: int = 0) -> list[str]:
    """Return a note's lines."""
    label = Segment(text="note:", style=Style.NOTED, gap=1)
    return entry_lines([label], [Segment(text=sanitize(note))], palette=palette, width=width, indent=indent)


def hint_lines(hint: str, *, palette: Palette, width: int, indent: int = 0) -> list[str]:
    """Return a hint's lines."""
    label = Segment(text="hint:", style=Style.NOTED, gap=1)
    return entry_lines([label], [Segment(text=sanitize(hint))], palette=palette, width=width, indent=indent)


def _described_findings(environment: EnvironmentPlan) -> frozenset[Finding]:
    """Return the findings about which `environment-damaged` says everything: one kind, without path and detail."""
    if all(each.code is not ReasonCode.ENVIRONMENT_DAMAGED for each in environment.reasons):
        return frozenset()
    changed = {each.name for each in environment.packages if drift_code(each) is not None}
    damage = [each for each in environment.findings if category_of(each) is not FindingCategory.FILES]
    counted = frozenset(each for each in damage if each.package not in changed)
    several = len({(each.code, each.package) for each in counted}) > 1
    if several or any(each.detail or not phrase_names_path(each) for each in counted):
        return frozenset()
    return counted


def _sentences(environment: EnvironmentPlan) -> list[list[Segment]]:
    """Return what happens and why; for one that is blocked or held also what would happen otherwise."""
    label = f"{environment_label(environment)}:"
    unchanged = environment.action is Action.NO_OP
    held = []
    if environment.hold:
        held = [[Segment(text="held:", style=Style.NOTED), Segment(text=hold_text(environment.hold))]]
    if not environment.blocked and held:
        would = [Segment(text=f"would {environment.action.value}:"), Segment(text=_reasons(environment))]
        return held if unchanged else [*held, would]
    if not environment.blocked:
        contents = _contents(environment) if unchanged else _reasons(environment)
        return [[Segment(text=label), Segment(text=contents)]]
    messages = "; ".join(sanitize(each.message) for each in environment.blocked)
    refusal = [Segment(text=label, style=Style.REFUSED), Segment(text=messages)]
    if unchanged or _WITHOUT_ALTERNATIVE & {each.code for each in environment.blocked}:
        return [refusal, *held]
    return [refusal, *held, [Segment(text=f"would {environment.action.value}:"), Segment(text=_reasons(environment))]]


def _reasons(environment: EnvironmentPlan) -> str:
    """Return the reasons for an action, with interpreter and packages if the environment is new."""
    reasons = [sanitize(each.message) for each in environment.reasons if each.code not in _IMPLIED]
    packages = count(environment.package_count, "package") if environment.complete else "packages unknown"
    python = f"python {sanitize(environment.python_after)}, " if environment.python_after else ""
    contents = f"{python}{packages}"
    match environment.action:
        case Action.CREATE:
            return "; ".join([contents, *reasons])
        case Action.ADOPT:
            return "; ".join([*reasons, contents])
        case _:
            return "; ".join(reasons if environment.complete else [*reasons, "packages unknown"])


def _contents(environment: EnvironmentPlan) -> str:
    """Return what an unchanged environment contains: `python 3.12.1, 2 packages, generation 3`."""
    python = environment.python_after or environment.python_before
    parts = [
        f"python {sanitize(python)}" if python else "",
        count(environment.package_count, "package") if environment.desired or environment.package_count else "",
        f"generation {environment.generation}" if environment.generation else "",
    ]
    return ", ".join(each for each in parts if each) or "nothing to do"


def _packages(environment: EnvironmentPlan, *, full: bool) -> tuple[list[PackageChange], int]:
    """Return the packages to list, and how many others change.

    A new environment lists none, because all of its packages are new. A new interpreter usually needs other wheels of
    the same versions, and those are only counted.
    """
    if full:
        return list(environment.packages), 0
    match environment.action:
        case Action.CREATE:
            return [], 0
        case Action.REPLACE:
            listed = [each for each in environment.packages if not _same_version(each)]
            return listed, len(environment.packages) - len(listed)
        case _:
            return list(environment.packages), 0


def _same_version(change: PackageChange) -> bool:
    pending = change.origin is Origin.PENDING and change.reason is ReasonCode.LOCK_CHANGED
    to_review = change.source is not None and bool(change.source.review)
    return pending and change.action is PackageAction.CHANGE and not to_review
