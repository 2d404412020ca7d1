"""Why an environment changes: each reason with its sentence."""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.canonical_json import Json
from reconciler.diff.findings import FindingCategory, category_of, count_files, environment_damage
from reconciler.diff.model import Origin, PackageChange, Reason, ReasonCode, SettingChange, Target
from reconciler.diff.settings import changed_setting_names
from reconciler.lock.model import LockState
from reconciler.observe.actual import ActualEnvironment, Finding, Occupant
from reconciler.state.applied import Applied
from reconciler.state.owner import OtherOwner


def pending_reason(code: ReasonCode, message: str) -> Reason:
    """Return the reason for a pending change."""
    return Reason(code=code, origin=Origin.PENDING, message=message)


def drift_reason(code: ReasonCode, message: str) -> Reason:
    """Return the reason for drift."""
    return Reason(code=code, origin=Origin.DRIFT, message=message)


def gone_reason(occupant: Occupant) -> Reason:
    """Return the drift of an environment that was applied, but is not at its path; `occupant` is what is there."""
    missing = occupant in {Occupant.ABSENT, Occupant.DANGLING}
    found = "is missing" if missing else "something else is at its path"
    return drift_reason(ReasonCode.GONE, f"was applied, but {found}")


def is_adopted_restored(applied: Applied) -> bool:
    """Return whether a rollback put back what `--adopt` had replaced, which is then at the path on purpose."""
    return applied.rolled_back_from == applied.generation > 0


def replace_reasons(target: Target, applied: Applied) -> list[Reason]:
    """Return why the generation must be replaced: a different interpreter, or different system site packages."""
    reasons = []
    old, new = applied.interpreter, target.interpreter
    if new.version and (old.path, old.version, old.implementation) != new.identity:
        if old.implementation != new.implementation:
            message = f"{old.implementation} {old.version} -> {new.implementation} {new.version}"
        elif old.version != new.version:
            message = f"python {old.version} -> {new.version}"
        else:
            message = f"python {new.version} is now {in_backticks(new.path)}, was {in_backticks(old.path)}"
        reasons.append(pending_reason(ReasonCode.INTERPRETER_CHANGED, message))
    requested = target.environment.system_site_packages
    if requested != sees_system_packages(applied.settings):
        state = "on" if requested else "off"
        reasons.append(
            pending_reason(ReasonCode.SYSTEM_SITE_PACKAGES_CHANGED, f"system site packages switched {state}")
        )
    return reasons


def sees_system_packages(settings: Mapping[str, Json]) -> bool:
    """Return whether the last applied settings give access to system site packages; unset means no."""
    return settings.get("system_site_packages") is True


def lock_reasons(target: Target) -> list[Reason]:
    """Return why the committed lock must be updated; nothing if it is up to date."""
    match target.lock_state:
        case LockState.MISSING:
            return [pending_reason(ReasonCode.LOCK_MISSING, "not locked yet")]
        case LockState.STALE:
            return [pending_reason(ReasonCode.LOCK_STALE, "the lock is out of date")]
        case LockState.UNREADABLE:
            return []
        case LockState.FRESH:
            if target.packages is None:
                return [pending_reason(ReasonCode.LOCK_STALE, "the lock does not determine the packages")]
            return []


def package_reasons(changes: Iterable[PackageChange], lock_state: LockState) -> list[Reason]:
    """Return whether the lock or local sources changed, judged by the changed packages.

    A lock that is not fresh is not reported again: `lock_reasons` does that.
    """
    updated = [each for each in changes if each.origin is not Origin.DRIFT]
    sources = [each.name for each in updated if each.reason is ReasonCode.SOURCE_CHANGED]
    moved = sum(each.reason is ReasonCode.SOURCE_MOVED for each in updated)  # `source_reasons` reports them
    reasons = []
    if len(sources) + moved < len(updated) and lock_state is LockState.FRESH:
        reasons.append(pending_reason(ReasonCode.LOCK_CHANGED, "the lock changed"))
    if sources:
        message = f"the source of {list_in_backticks(sources)} changed"
        reasons.append(pending_reason(ReasonCode.SOURCE_CHANGED, message))
    return reasons


def source_reasons(moved: Mapping[str, tuple[str, str]]) -> list[Reason]:
    """Return that editable packages are installed from one directory, but the manifest means a different one."""
    return [
        pending_reason(
            ReasonCode.SOURCE_MOVED,
            f"`{name}` is installed from {in_backticks(old)}, but the manifest means {in_backticks(new)}",
        )
        for name, (old, new) in sorted(moved.items())
    ]


def setting_reasons(changes: Sequence[SettingChange], explained: Iterable[str]) -> list[Reason]:
    """Return which settings changed, without those that other reasons explain."""
    names = [each for each in changed_setting_names(changes) if each not in set(explained)]
    message = f"settings changed: {list_in_backticks(names)}"
    return [pending_reason(ReasonCode.SETTINGS_CHANGED, message)] if names else []


def hook_reasons(target: Target, applied: Applied) -> list[Reason]:
    """Return that hooks must run again, because the last apply did not finish them."""
    due = applied.hooks_pending and target.environment.hooks.after_publish
    return [pending_reason(ReasonCode.HOOKS_PENDING, "its hooks did not finish")] if due else []


def trial_reasons(applied: Applied) -> list[Reason]:
    """Return the reason that the trial of the published generation is not over."""
    if not applied.trial_since:
        return []
    return [pending_reason(ReasonCode.ON_TRIAL, f"on trial since {applied.trial_since}")]


def rollback_reasons(applied: Applied) -> list[Reason]:
    """Return that the published generation is the result of a rollback, which explains why it differs."""
    if not applied.rolled_back_from:
        return []
    if applied.rolled_back_because:
        what = f"generation {applied.rolled_back_from} was rolled back to {applied.generation}"
        return [pending_reason(ReasonCode.TRIAL_FAILED, f"{what}: {applied.rolled_back_because}")]
    message = f"rolled back from generation {applied.rolled_back_from} to {applied.generation}"
    if applied.rebuilt_from:
        message += f", which was rebuilt from generation {applied.rebuilt_from}"
    return [pending_reason(ReasonCode.ROLLED_BACK, message)]


def take_over_reason(owner: OtherOwner) -> Reason:
    """Return that the record must name this manifest, or its present `project`, as the owner."""
    former = f"`project` changed from `{owner.project}`" if owner.project else f"taken over from {owner.manifest}"
    return pending_reason(ReasonCode.TAKEN_OVER, former)


def drift_reasons(changes: Sequence[PackageChange]) -> list[Reason]:
    """Return how many packages changed manually."""
    already = sum(each.reason is ReasonCode.ALREADY_AS_DESIRED for each in changes)
    changed = sum(each.origin is not Origin.PENDING for each in changes) - already
    reasons = []
    if changed:
        reasons.append(drift_reason(ReasonCode.PACKAGES_DRIFTED, f"{_packages(changed)} changed manually"))
    if already:
        reasons.append(
            drift_reason(ReasonCode.ALREADY_AS_DESIRED, f"{_packages(already)} changed manually, already as desired")
        )
    return reasons


def finding_reasons(findings: Iterable[Finding]) -> list[Reason]:
    """Return whether findings show drifted files, and whether they show a damaged environment."""
    listed = tuple(findings)
    files = [each for each in listed if category_of(each) is FindingCategory.FILES]
    others = [each for each in listed if category_of(each) is not FindingCategory.FILES]
    reasons = []
    if files:
        reasons.append(drift_reason(ReasonCode.FILES_DRIFTED, count_files(files)))
    if others:
        reasons.append(drift_reason(ReasonCode.ENVIRONMENT_DAMAGED, environment_damage(others)))
    return reasons


def generation_reasons(actual: ActualEnvironment, applied: Applied) -> list[Reason]:
    """Return that the published generation, or its seal, differs from the one last applied.

    A seal that could not be read is not compared.
    """
    if actual.generation != applied.generation:
        message = f"generation {actual.generation} is published, but {applied.generation} was applied"
    elif actual.seal and actual.seal != applied.seal:
        message = f"the seal of generation {actual.generation} differs from the one applied"
    else:
        return []
    return [drift_reason(ReasonCode.ENVIRONMENT_DAMAGED, message)]


def _packages(number: int) -> str:
    return f"{number} {'package' if number == 1 else 'packages'}"
