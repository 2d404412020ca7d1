"""One environment's block of a plan: its line, and below it packages, settings, findings, hints."""

from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.observe.actual import Finding, FindingCode
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.escape import shown
from reconciler.render.finding_text import finding_lines
from reconciler.render.layout import Piece, lay_out
from reconciler.render.package_text import INDENT, package_lines
from reconciler.render.setting_text import setting_lines
from reconciler.render.style import Palette, Style

# The symbol of each action: `<-` takes over what somebody else made, `x` is not done, `=` stays as it is.
SYMBOLS: dict[Action, tuple[str, Style]] = {
    Action.NO_OP: ("=", Style.FAINT),
    Action.CREATE: ("+", Style.GOOD),
    Action.UPDATE: ("~", Style.CHANGED),
    Action.REPLACE: ("-/+", Style.REPLACED),
    Action.DELETE: ("-", Style.BAD),
    Action.ADOPT: ("<-", Style.NOTED),
}
_BLOCKED = ("x", Style.REFUSED)
_SYMBOL_WIDTH = 3
# Reasons that the action itself says already, or that the sentence of what will be there does.
_SAID = frozenset({ReasonCode.NEW})
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
    """Return an environment's lines; with `verbose` all of its packages, files and values."""
    symbol, style = _BLOCKED if environment.blocked else SYMBOLS[environment.action]
    head = [
        Piece(text=symbol.rjust(_SYMBOL_WIDTH), style=style, gap=1),
        Piece(text=shown(environment.name), style=Style.STRONG, width=name_width, gap=1),
    ]
    lines = []
    for tail in _sentences(environment):
        lines += lay_out(head, tail, palette=palette, width=width)
        head = [Piece(text=" " * _SYMBOL_WIDTH, gap=1), Piece(text="", width=name_width, gap=1)]
    whole = verbose > 0
    listed, folded = _packages(environment, whole=whole)
    lines += package_lines(listed, palette=palette, width=width, all_files=whole)
    if folded:
        text = f"{_count(folded, 'package')} of the same version in other files (-v lists them)"
        tilde = Piece(text="~", style=Style.CHANGED, gap=1)
        lines += lay_out([tilde], [Piece(text=text)], palette=palette, width=width, indent=INDENT)
    lines += setting_lines(environment.settings, palette=palette, width=width, whole=whole)
    findings = told_findings(environment, whole=whole)
    said = {each.message for each in environment.reasons}
    lines += finding_lines(findings, said=said, palette=palette, width=width, whole=whole)
    for hint in environment.hints:
        lines += hint_lines(hint, palette=palette, width=width, indent=INDENT)
    return lines


def environment_sentences(environment: EnvironmentPlan) -> list[str]:
    """Return what happens and why, fit to be shown: `update: the lock changed`, or `blocked: ...` and what would."""
    return [" ".join(piece.text for piece in pieces) for pieces in _sentences(environment)]


def told_findings(environment: EnvironmentPlan, *, whole: bool = False) -> list[Finding]:
    """Return the findings that no package's line tells; `whole` with what the blocked reason tells already."""
    covered = {each.name for each in environment.packages}
    return [
        each for each in environment.findings if each.package not in covered and (whole or each.code not in _FOREIGN)
    ]


def hint_lines(hint: str, *, palette: Palette, width: int, indent: int = 0) -> list[str]:
    """Return a hint's lines."""
    label = Piece(text="hint:", style=Style.NOTED, gap=1)
    return lay_out([label], [Piece(text=shown(hint))], palette=palette, width=width, indent=indent)


def _sentences(environment: EnvironmentPlan) -> list[list[Piece]]:
    """Return what happens and why; for a blocked environment why not, and then what would have."""
    wanted = [Piece(text=f"{environment.action.value}:"), Piece(text=_why(environment))]
    if environment.action is Action.NO_OP:
        wanted = [Piece(text="unchanged:"), Piece(text=_stands(environment))]
    if not environment.blocked:
        return [wanted]
    messages = "; ".join(shown(each.message) for each in environment.blocked)
    refusal = [Piece(text="blocked:", style=Style.REFUSED), Piece(text=messages)]
    told = {ReasonCode.PREVENT_DESTROY, ReasonCode.EMPTY_MANIFEST}
    if environment.action is Action.NO_OP or told & {each.code for each in environment.blocked}:
        return [refusal]
    return [refusal, [Piece(text="would"), *wanted]]


def _why(environment: EnvironmentPlan) -> str:
    """Return an action's reasons, and what will be there where it is new."""
    reasons = [shown(each.message) for each in environment.reasons if each.code not in _SAID]
    packages = _count(environment.package_count, "package") if environment.complete else "packages unknown"
    python = f"python {shown(environment.python_after)}, " if environment.python_after else ""
    contents = f"{python}{packages}"
    match environment.action:
        case Action.CREATE:
            return "; ".join([contents, *reasons])
        case Action.ADOPT:
            return "; ".join([*reasons, contents])
        case _:
            return "; ".join(reasons if environment.complete else [*reasons, "packages unknown"])


def _stands(environment: EnvironmentPlan) -> str:
    python = environment.python_after or environment.python_before
    parts = [
        f"python {shown(python)}" if python else "",
        _count(environment.package_count, "package") if environment.desired or environment.package_count else "",
        f"generation {environment.generation}" if environment.generation else "",
    ]
    return ", ".join(each for each in parts if each) or "nothing to do"


def _packages(environment: EnvironmentPlan, *, whole: bool) -> tuple[list[PackageChange], int]:
    """Return the packages to list, and how many are only counted.

    A new environment has them all, which says little. Another interpreter takes other files of many a package.
    """
    if whole:
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
    return pending and change.action is PackageAction.CHANGE


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
