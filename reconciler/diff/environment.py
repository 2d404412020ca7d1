"""One environment's three sides compared, by what stands at its path."""

from typing import assert_never

from reconciler.diff.findings import Concern, beyond, concern, drifted, with_repairs
from reconciler.diff.model import (
    EnvironmentDiff,
    LockState,
    PackageAction,
    PackageChange,
    Presence,
    Reason,
    ReasonCode,
    SettingChange,
    Target,
)
from reconciler.diff.packages import by_key, package_changes, somebody_elses
from reconciler.diff.reasons import (
    base_reasons,
    drift,
    finding_reasons,
    generation_reasons,
    hand_reasons,
    hook_reasons,
    lock_reasons,
    package_reasons,
    pending,
    rollback_reasons,
    setting_reasons,
)
from reconciler.diff.settings import setting_changes, settings_of
from reconciler.lock.model import LockedPackage
from reconciler.observe.actual import ActualEnvironment, Occupant
from reconciler.state.applied import Applied


def environment_diff(
    target: Target, actual: ActualEnvironment, applied: Applied | None, *, project: str, file: str
) -> EnvironmentDiff:
    """Compare one environment that the manifest asks for; `file` is the manifest's name, for the sentences."""
    ours = applied if applied is not None and applied.project == project else None
    last = ours if ours is not None and ours.generation > 0 else None
    new = pending(ReasonCode.NEW, f"new in {file}")
    match actual.occupant:
        case Occupant.ABSENT | Occupant.DANGLING:
            gone = drift(ReasonCode.GONE, "was applied, and is gone")
            return _unbuilt(target, actual, last, Presence.CREATE, gone if last else new)
        case Occupant.DIRECTORY | Occupant.VENV | Occupant.SYMLINK | Occupant.OTHER:
            replaced = drift(ReasonCode.GONE, "was applied, and something else stands in its place")
            return _unbuilt(target, actual, last, Presence.FOREIGN, replaced if last else new)
        case Occupant.PUBLISHED:
            if last is None:
                return _unbuilt(target, actual, None, Presence.CREATE, new)
            return _standing(target, actual, last)
        case _:
            assert_never(actual.occupant)


def _unbuilt(
    target: Target, actual: ActualEnvironment, last: Applied | None, presence: Presence, first: Reason
) -> EnvironmentDiff:
    """Compare where nothing of ours stands: everything is installed, or would take a foreign environment's place."""
    wanted = target.packages or ()
    installed = by_key(actual.distributions, last)
    ignored = somebody_elses(installed, target.environment.ignore, wanted, last)
    foreign = actual.occupant is Occupant.VENV
    shown = {name: each for name, each in installed.items() if foreign and name not in ignored}
    changes: tuple[PackageChange, ...] = ()
    if target.packages is not None:
        changes = package_changes(wanted, last, shown)
    if not foreign:
        changes = tuple(each for each in changes if each.action is not PackageAction.REMOVE)
    reasons: list[Reason] = [first]
    settings: tuple[SettingChange, ...] = ()
    if last is None:
        reasons += lock_reasons(target)
    else:
        settings = setting_changes(last.settings, settings_of(target.environment))
        reasons += _pending_reasons(target, last, changes, settings)
    return EnvironmentDiff(
        name=target.environment.name,
        presence=presence,
        reasons=tuple(reasons),
        packages=changes,
        settings=settings,
        findings=tuple(sorted(set(actual.findings))) if presence is Presence.FOREIGN else (),
        ignored=tuple(sorted(ignored)),
        complete=target.packages is not None,
    )


def _standing(target: Target, actual: ActualEnvironment, last: Applied) -> EnvironmentDiff:
    """Compare a published generation of ours.

    Where the packages are unknown there are no lines of packages: drift is told by its reasons, files by themselves.
    """
    known = target.packages is not None
    wanted: tuple[LockedPackage, ...] = last.packages if target.packages is None else target.packages
    installed = by_key(actual.distributions, last)
    ignored = somebody_elses(installed, target.environment.ignore, wanted, last)
    counted = {name: each for name, each in installed.items() if name not in ignored}
    changes = package_changes(wanted, last, counted)
    findings = drifted(actual.findings, last.accepted, ignored)
    unexplained = beyond(findings, changes if known else ())
    settings = setting_changes(last.settings, settings_of(target.environment))
    hooks = hook_reasons(target, last)
    by_hand = [*hand_reasons(changes), *finding_reasons(unexplained), *generation_reasons(actual, last)]
    if base_reasons(target, last):
        presence = Presence.REPLACE
    elif changes or by_hand or not known:
        presence = Presence.UPDATE
    elif settings or hooks or target.lock_state is not LockState.FRESH:
        presence = Presence.RECORD
    else:
        presence = Presence.UNCHANGED
    rebuilt = presence in {Presence.UPDATE, Presence.REPLACE}
    rolled_back = rollback_reasons(last) if presence is not Presence.UNCHANGED else []
    return EnvironmentDiff(
        name=target.environment.name,
        presence=presence,
        reasons=(*rolled_back, *_pending_reasons(target, last, changes, settings), *hooks, *by_hand),
        packages=with_repairs(changes, unexplained, counted) if known else (),
        settings=settings,
        findings=tuple(each for each in findings if each in unexplained or concern(each) is not Concern.FILES),
        ignored=tuple(sorted(ignored)) if rebuilt else (),
        complete=known,
    )


def _pending_reasons(
    target: Target, last: Applied, changes: tuple[PackageChange, ...], settings: tuple[SettingChange, ...]
) -> list[Reason]:
    """Return what moved on the manifest's and the lock's side, the interpreter first."""
    base = base_reasons(target, last)
    told = {"python": ReasonCode.INTERPRETER_CHANGED, "system_site_packages": ReasonCode.SYSTEM_SITE_PACKAGES_CHANGED}
    explained = [name for name, code in told.items() if any(each.code is code for each in base)]
    return [
        *base,
        *lock_reasons(target),
        *package_reasons(changes, target.lock_state),
        *setting_reasons(settings, explained),
    ]
