"""What must not be done, why, and what a person can do about it (design, section 7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.diff.compare import FOREIGN
from reconciler.diff.model import EnvironmentDiff, Origin, Presence, Reason, ReasonCode, Target
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, Occupant
from reconciler.plan.model import Policy
from reconciler.state.applied import Applied

STANDS = {
    Occupant.DIRECTORY: "a directory",
    Occupant.VENV: "a virtual environment",
    Occupant.SYMLINK: "a link to elsewhere",
    Occupant.OTHER: "a file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing in a change's way, and the way around it."""

    reason: Reason
    hint: str


def adoptable(diff: EnvironmentDiff, actual: ActualEnvironment, applied: Applied | None, project: str) -> bool:
    """Say whether what stands at the path can be taken over: a venv, at a name that no other project owns."""
    return (
        diff.presence is Presence.FOREIGN
        and actual.occupant is Occupant.VENV
        and (applied is None or applied.project == project)
    )


def change_obstacles(
    diff: EnvironmentDiff,
    target: Target,
    actual: ActualEnvironment,
    applied: Applied | None,
    desired: DesiredState,
    policy: Policy,
) -> list[Obstacle]:
    """Return what keeps an environment that the manifest asks for from being made."""
    if applied is not None and applied.project != desired.project:
        return [_other_project(applied)]
    found = []
    if target.failure is not None:
        message = f"could not be locked: {target.failure.message.removeprefix(f'environments.{diff.name}: ')}"
        found.append(_obstacle(ReasonCode.LOCK_FAILED, message, ""))  # its hint goes with its details
    if diff.presence is Presence.FOREIGN:
        can = adoptable(diff, actual, applied, desired.project)
        if not (can and policy.adopt):
            hint = "--adopt takes it over, and keeps the old one for rollback" if can else "move it away"
            found.append(_not_ours(actual, applied, hint))
    if diff.ignored and not policy.drop_ignored:
        names = ", ".join(diff.ignored)
        found.append(
            _obstacle(
                ReasonCode.IGNORED_WOULD_BE_LOST,
                f"would lose what is there under `ignore`: {names}",
                "--drop-ignored lets them go; or put them into the manifest",
            )
        )
    return found


def delete_obstacles(
    actual: ActualEnvironment, applied: Applied, desired: DesiredState, policy: Policy
) -> list[Obstacle]:
    """Return what keeps an environment from being deleted, `policy.destroy` asking for it or not."""
    if applied.project != desired.project:
        return [_other_project(applied)]
    found = []
    requested = applied.name in policy.destroy
    asked = any(each.name == applied.name and each.prevent_destroy for each in desired.environments)
    if applied.prevent_destroy or asked:
        found.append(
            _obstacle(
                ReasonCode.PREVENT_DESTROY,
                "would be deleted, and prevent_destroy is set",
                f"apply it once with prevent_destroy: false in {desired.file.name}",
            )
        )
    if actual.occupant in FOREIGN:
        found.append(_not_ours(actual, applied, "move it away"))
    if not (requested or desired.declared or policy.allow_empty):
        found.append(
            _obstacle(
                ReasonCode.EMPTY_MANIFEST,
                f"would be deleted, and {desired.file.name} has no environments at all",
                "--allow-empty deletes all of them",
            )
        )
    return found


def dependency_obstacle(name: str, blocked: Sequence[Reason], *, deleting: bool) -> Obstacle:
    """Return the obstacle that another environment's being blocked is: a dependency, or for a delete a dependent."""
    codes = {each.code for each in blocked}
    if ReasonCode.LOCK_FAILED in codes:
        return _obstacle(ReasonCode.DEPENDENCY_FAILED, f"depends on {name}, which could not be locked", "")
    message = f"{name} depends on it, and stays" if deleting else f"depends on {name}, which is blocked"
    failed = ReasonCode.DEPENDENCY_FAILED in codes
    return _obstacle(ReasonCode.DEPENDENCY_FAILED if failed else ReasonCode.DEPENDENCY_BLOCKED, message, "")


def _other_project(applied: Applied) -> Obstacle:
    return _obstacle(
        ReasonCode.OTHER_PROJECT,
        f"project {applied.project} owns this name in the same root",
        "choose another name, or another root",
    )


def _not_ours(actual: ActualEnvironment, applied: Applied | None, hint: str) -> Obstacle:
    message = f"{STANDS[actual.occupant]} that envsync did not make stands at its path"
    origin = Origin.DRIFT if applied is not None and applied.generation > 0 else Origin.PENDING
    return Obstacle(reason=Reason(code=ReasonCode.NOT_OURS, origin=origin, message=message), hint=hint)


def _obstacle(code: ReasonCode, message: str, hint: str) -> Obstacle:
    return Obstacle(reason=Reason(code=code, origin=Origin.PENDING, message=message), hint=hint)
