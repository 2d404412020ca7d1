"""Why an environment changes, each reason with its sentence (design, section 9)."""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.canonical_json import Json
from reconciler.diff.findings import Concern, concern, count_files, environment_damage
from reconciler.diff.model import LockState, Origin, PackageChange, Reason, ReasonCode, SettingChange, Target
from reconciler.diff.settings import roots
from reconciler.observe.actual import ActualEnvironment, Finding
from reconciler.state.applied import Applied


def pending(code: ReasonCode, message: str) -> Reason:
    """Return a reason of the manifest's or the lock's making."""
    return Reason(code=code, origin=Origin.PENDING, message=message)


def drift(code: ReasonCode, message: str) -> Reason:
    """Return a reason of somebody's hand."""
    return Reason(code=code, origin=Origin.DRIFT, message=message)


def base_reasons(target: Target, applied: Applied) -> list[Reason]:
    """Return what makes a generation unfit altogether: another interpreter, other system site packages."""
    reasons = []
    old, new = applied.interpreter, target.interpreter
    if (old.path, old.version, old.implementation) != new.identity:
        if not new.version:
            message = f"python {old.version} -> none that satisfies {target.environment.python!r}"
        elif old.implementation != new.implementation:
            message = f"{old.implementation} {old.version} -> {new.implementation} {new.version}"
        elif old.version != new.version:
            message = f"python {old.version} -> {new.version}"
        else:
            message = f"python {new.version} is now {new.path}, was {old.path}"
        reasons.append(pending(ReasonCode.INTERPRETER_CHANGED, message))
    wanted = target.environment.system_site_packages
    if wanted != sees_system_packages(applied.settings):
        state = "on" if wanted else "off"
        reasons.append(pending(ReasonCode.SYSTEM_SITE_PACKAGES_CHANGED, f"system site packages switched {state}"))
    return reasons


def sees_system_packages(settings: Mapping[str, Json]) -> bool:
    """Say whether the last applied settings let system site packages in; unset means no."""
    return settings.get("system_site_packages") is True


def lock_reasons(target: Target) -> list[Reason]:
    """Return how the committed lock stands to its inputs, where it does not fit them."""
    match target.lock_state:
        case LockState.MISSING:
            return [pending(ReasonCode.LOCK_MISSING, "not locked yet")]
        case LockState.STALE:
            return [pending(ReasonCode.LOCK_STALE, "the lock is out of date")]
        case LockState.FRESH:
            if target.packages is None and target.interpreter.version:
                return [pending(ReasonCode.LOCK_STALE, "the lock does not tell the packages")]
            return []


def package_reasons(changes: Iterable[PackageChange], lock_state: LockState) -> list[Reason]:
    """Return what the changed packages come to for the lock's side: the lock changed, or a local source did.

    Where the lock is not fresh, `lock_reasons` has said so already.
    """
    moved = [each for each in changes if each.origin is not Origin.DRIFT]
    sources = [each.name for each in moved if each.reason is ReasonCode.SOURCE_CHANGED]
    reasons = []
    if len(sources) < len(moved) and lock_state is LockState.FRESH:
        reasons.append(pending(ReasonCode.LOCK_CHANGED, "the lock changed"))
    if sources:
        reasons.append(pending(ReasonCode.SOURCE_CHANGED, f"the source of {', '.join(sources)} changed"))
    return reasons


def setting_reasons(changes: Sequence[SettingChange], explained: Iterable[str]) -> list[Reason]:
    """Return that settings changed, unless other reasons say all of it already."""
    names = [each for each in roots(changes) if each not in set(explained)]
    return [pending(ReasonCode.SETTINGS_CHANGED, f"settings changed: {', '.join(names)}")] if names else []


def hook_reasons(target: Target, applied: Applied) -> list[Reason]:
    """Return that hooks are still to run which the last apply did not get to the end of."""
    due = applied.hooks_pending and target.environment.hooks.after_publish
    return [pending(ReasonCode.HOOKS_PENDING, "its hooks did not get to their end")] if due else []


def rollback_reasons(applied: Applied) -> list[Reason]:
    """Return that what is published was rolled back to: the difference is then no news, and applying undoes it."""
    if not applied.rolled_back_from:
        return []
    message = f"rolled back from generation {applied.rolled_back_from} to {applied.generation}"
    return [pending(ReasonCode.ROLLED_BACK, message)]


def hand_reasons(changes: Sequence[PackageChange]) -> list[Reason]:
    """Return what somebody's hand did to packages."""
    already = sum(each.reason is ReasonCode.ALREADY_AS_DESIRED for each in changes)
    by_hand = sum(each.origin is not Origin.PENDING for each in changes) - already
    reasons = []
    if by_hand:
        reasons.append(drift(ReasonCode.PACKAGES_DRIFTED, f"{_packages(by_hand)} changed by hand"))
    if already:
        reasons.append(drift(ReasonCode.ALREADY_AS_DESIRED, f"{_packages(already)} already as desired, by hand"))
    return reasons


def finding_reasons(findings: Iterable[Finding]) -> list[Reason]:
    """Return what findings come to: files that somebody changed, an environment that is damaged."""
    listed = tuple(findings)
    files = [each for each in listed if concern(each) is Concern.FILES]
    others = [each for each in listed if concern(each) is not Concern.FILES]
    reasons = []
    if files:
        reasons.append(drift(ReasonCode.FILES_DRIFTED, count_files(files)))
    if others:
        reasons.append(drift(ReasonCode.ENVIRONMENT_DAMAGED, environment_damage(others)))
    return reasons


def generation_reasons(actual: ActualEnvironment, applied: Applied) -> list[Reason]:
    """Return that another generation, or another seal, stands there than the one last applied."""
    if actual.generation != applied.generation:
        message = f"generation {actual.generation} is published, {applied.generation} was applied"
    elif actual.seal != applied.seal:
        message = f"the seal of generation {actual.generation} is not the one applied"
    else:
        return []
    return [drift(ReasonCode.ENVIRONMENT_DAMAGED, message)]


def _packages(number: int) -> str:
    return f"{number} {'package' if number == 1 else 'packages'}"
