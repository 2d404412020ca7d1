"""Compare the three states of one environment, depending on what exists at its path."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from reconciler.backticks import in_backticks
from reconciler.diff.excepted import except_differences
from reconciler.diff.findings import FindingCategory, category_of
from reconciler.diff.hook_changes import changed_by_hook_reasons, split_by_hook
from reconciler.diff.ignored_files import divide_ignored_files
from reconciler.diff.masking import Mask
from reconciler.diff.model import (
    DiffKind,
    EnvironmentDiff,
    Origin,
    PackageAction,
    PackageChange,
    Reason,
    ReasonCode,
    SettingChange,
    Target,
)
from reconciler.diff.packages import distributions_by_name, ignored_packages, moved_sources, package_changes
from reconciler.diff.reasons import (
    drift_reasons,
    finding_reasons,
    generation_reasons,
    gone_reason,
    hook_reasons,
    is_adopted_restored,
    lock_reasons,
    package_reasons,
    pending_reason,
    replace_reasons,
    rollback_reasons,
    setting_reasons,
    source_reasons,
    trial_reasons,
)
from reconciler.diff.repairs import drift_findings, unexplained_findings, with_repairs
from reconciler.diff.settings import setting_changes, settings_of
from reconciler.lock.model import LockedPackage, LockState
from reconciler.observe.actual import ActualEnvironment, Occupant
from reconciler.state.applied import Applied


def environment_diff(
    target: Target,
    actual: ActualEnvironment,
    applied: Applied | None,
    *,
    project: str,
    file: str,
    exceptions: Sequence[str],
    mask: Mask,
) -> EnvironmentDiff:
    """Compare one environment that the manifest declares; `file` is the manifest's name in messages.

    `exceptions` are patterns of packages and files whose differences do not count (`reconciler.diff.excepted`). Of a
    faulty environment only the drift is kept. `mask` masks the settings that are not public.
    """
    diff = _environment_diff(target, actual, applied, project=project, file=file, exceptions=exceptions, mask=mask)
    diff = _without_pending(diff, target) if target.faults else diff
    if exceptions and not diff.excepted:
        return replace(diff, excepted=tuple((each, ()) for each in exceptions))
    return diff


def _environment_diff(
    target: Target,
    actual: ActualEnvironment,
    applied: Applied | None,
    *,
    project: str,
    file: str,
    exceptions: Sequence[str],
    mask: Mask,
) -> EnvironmentDiff:
    ours = applied if applied is not None and applied.project == project else None
    last = ours if ours is not None and ours.generation > 0 else None
    new = pending_reason(ReasonCode.NEW, f"new in {in_backticks(file)}")
    match actual.occupant:
        case Occupant.ABSENT | Occupant.DANGLING:
            return _unpublished_diff(
                target, actual, last, DiffKind.CREATE, gone_reason(actual.occupant) if last else new, mask
            )
        case Occupant.DIRECTORY | Occupant.VENV | Occupant.SYMLINK | Occupant.OTHER:
            if last is not None and is_adopted_restored(last):
                message = f"rolled back from generation {last.generation} to the environment that `--adopt` replaced"
                restored = pending_reason(ReasonCode.ROLLED_BACK, message)
                return _unpublished_diff(target, actual, None, DiffKind.FOREIGN, restored, mask)
            return _unpublished_diff(
                target, actual, last, DiffKind.FOREIGN, gone_reason(actual.occupant) if last else new, mask
            )
        case Occupant.PUBLISHED:
            if last is None:
                return _unpublished_diff(target, actual, None, DiffKind.CREATE, new, mask)
            return _published_diff(target, actual, last, exceptions, mask)
        case _:
            assert_never(actual.occupant)


def _without_pending(diff: EnvironmentDiff, target: Target) -> EnvironmentDiff:
    """Return what is certain of a faulty environment: its drift, and that it is new if its state could be read."""
    readable = all(each.code is not ReasonCode.STATE_UNREADABLE for each in target.faults)
    reasons = tuple(
        each for each in diff.reasons if each.origin is not Origin.PENDING or (each.code is ReasonCode.NEW and readable)
    )
    kind = DiffKind.UPDATE if diff.kind in {DiffKind.REPLACE, DiffKind.RECORD} else diff.kind
    return replace(
        diff,
        kind=kind if reasons or kind is DiffKind.FOREIGN else DiffKind.UNCHANGED,
        reasons=reasons,
        packages=tuple(each for each in diff.packages if each.origin is not Origin.PENDING),
        settings=(),
        ignored=(),
    )


def _unpublished_diff(
    target: Target, actual: ActualEnvironment, last: Applied | None, kind: DiffKind, first: Reason, mask: Mask
) -> EnvironmentDiff:
    """Compare an environment that is not published: everything is installed, or replaces a foreign environment."""
    desired = target.packages or ()
    installed = distributions_by_name(actual.distributions, last)
    ignored = ignored_packages(installed, target.environment.ignored_packages, desired, last)
    foreign = actual.occupant is Occupant.VENV
    counted = {name: each for name, each in installed.items() if foreign and name not in ignored}
    changes: tuple[PackageChange, ...] = ()
    if target.packages is not None:
        changes = package_changes(desired, last, counted, places=target.places, moved=())
    if not foreign:
        changes = tuple(each for each in changes if each.action is not PackageAction.REMOVE)
    reasons: list[Reason] = [first]
    settings: tuple[SettingChange, ...] = ()
    if last is None:
        reasons += lock_reasons(target)
    else:
        settings = setting_changes(last.settings, settings_of(target.environment), mask)
        reasons += _pending_reasons(target, last, changes, settings)
    return EnvironmentDiff(
        name=target.environment.name,
        kind=kind,
        reasons=tuple(reasons),
        packages=changes,
        settings=settings,
        findings=tuple(sorted(set(actual.findings))) if kind is DiffKind.FOREIGN else (),
        ignored=tuple(sorted(ignored)),
        complete=target.packages is not None,
    )


def _published_diff(
    target: Target, actual: ActualEnvironment, last: Applied, exceptions: Sequence[str], mask: Mask
) -> EnvironmentDiff:
    """Compare a published generation.

    If the desired packages are unknown, no package lines are made: drift is only reported by reasons and findings.
    """
    known = target.packages is not None
    desired: tuple[LockedPackage, ...] = last.packages if target.packages is None else target.packages
    installed = distributions_by_name(actual.distributions, last)
    ignored = ignored_packages(installed, target.environment.ignored_packages, desired, last)
    counted = {name: each for name, each in installed.items() if name not in ignored}
    moved = moved_sources(target.editables, last, counted)
    changes = package_changes(desired, last, counted, moved, target.places)
    findings = drift_findings(actual.findings, last.accepted, ignored)
    remaining = except_differences(changes, findings, exceptions)
    changes, findings = remaining.packages, remaining.findings
    moved = {name: each for name, each in moved.items() if any(change.name == name for change in changes)}
    unexplained = unexplained_findings(findings, changes if known else ())
    shown = frozenset(unexplained)  # a set, because there can be thousands
    settings = setting_changes(last.settings, settings_of(target.environment), mask)
    hooks = [*hook_reasons(target, last), *trial_reasons(last)]
    by_hook, others = split_by_hook(changes, unexplained, last)
    # Findings come first: `reconciler.render.issue_drift` lists them one by one, and the generation's reason stays.
    drift = [
        *drift_reasons(others.packages),
        *finding_reasons(others.findings),
        *changed_by_hook_reasons(by_hook),
        *generation_reasons(actual, last),
    ]
    if replace_reasons(target, last):
        kind = DiffKind.REPLACE
    elif changes or drift or not known or any(each.path[0] == "build_env" for each in settings):
        kind = DiffKind.UPDATE
    elif settings or hooks or target.lock_state is not LockState.FRESH:
        kind = DiffKind.RECORD
    else:
        kind = DiffKind.UNCHANGED
    rebuilt = kind in {DiffKind.UPDATE, DiffKind.REPLACE}
    carried, lost = divide_ignored_files(actual, last, desired, target) if rebuilt else ((), ())
    rolled_back = rollback_reasons(last) if kind is not DiffKind.UNCHANGED else []
    return EnvironmentDiff(
        name=target.environment.name,
        kind=kind,
        reasons=(
            *rolled_back,
            *source_reasons(moved),
            *_pending_reasons(target, last, changes, settings),
            *hooks,
            *drift,
        ),
        packages=with_repairs(changes, unexplained, counted) if known else (),
        settings=settings,
        findings=tuple(each for each in findings if each in shown or category_of(each) is not FindingCategory.FILES),
        ignored=tuple(sorted(ignored)) if rebuilt else (),
        carried=carried,
        lost=lost,
        excepted=remaining.excepted,
        complete=known,
    )


def _pending_reasons(
    target: Target, last: Applied, changes: tuple[PackageChange, ...], settings: tuple[SettingChange, ...]
) -> list[Reason]:
    """Return why the manifest or the lock requires a change, the interpreter first."""
    replace = replace_reasons(target, last)
    codes = {"python": ReasonCode.INTERPRETER_CHANGED, "system_site_packages": ReasonCode.SYSTEM_SITE_PACKAGES_CHANGED}
    explained = [name for name, code in codes.items() if any(each.code is code for each in replace)]
    return [
        *replace,
        *lock_reasons(target),
        *package_reasons(changes, target.lock_state),
        *setting_reasons(settings, explained),
    ]
