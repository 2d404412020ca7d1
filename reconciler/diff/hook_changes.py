"""Which differences from the last applied state an environment's own hooks made (docs/design.md, "Apply")."""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.backticks import list_in_backticks
from reconciler.diff.findings import SHOWN
from reconciler.diff.model import Origin, PackageChange, Reason, ReasonCode
from reconciler.diff.reasons import drift_reason
from reconciler.observe.actual import Finding
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Packages and findings that differ."""

    packages: tuple[PackageChange, ...]
    findings: tuple[Finding, ...]


def split_by_hook(
    packages: Iterable[PackageChange], findings: Iterable[Finding], last: Applied
) -> tuple[Changes, Changes]:
    """Return the differences that the hooks made, and the others.

    A path that a hook wrote counts as changed by the hook whatever its contents are now: a log that grows is still the
    hook's. Its package counts if only drift changed it.
    """
    of_packages: dict[bool, list[PackageChange]] = {True: [], False: []}
    of_findings: dict[bool, list[Finding]] = {True: [], False: []}
    for change in packages:
        of_packages[change.origin is Origin.DRIFT and change.name in last.hook_packages].append(change)
    for finding in findings:
        of_findings[finding.path in last.hook_paths].append(finding)
    by_hook, others = (
        Changes(packages=tuple(of_packages[each]), findings=tuple(of_findings[each])) for each in (True, False)
    )
    return by_hook, others


def changed_by_hook_reasons(by_hook: Changes) -> list[Reason]:
    """Return that a hook changed the environment, with the first three packages or files."""
    named = hook_changes_text([each.name for each in by_hook.packages], [each.path for each in by_hook.findings])
    return [drift_reason(ReasonCode.CHANGED_BY_HOOK, f"a hook changed the environment: {named}")] if named else []


def hook_changes_text(packages: Iterable[str], paths: Iterable[str]) -> str:
    """Return the first three of packages and paths, and how many more there are; empty if there are none."""
    return list_in_backticks([*sorted(set(packages)), *sorted(set(paths))], most=SHOWN)
