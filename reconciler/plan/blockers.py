"""What blocks a change, why, and what a person can do about it (docs/design.md, "Plan")."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.diff.compare import FOREIGN_OCCUPANTS
from reconciler.diff.findings import first_of
from reconciler.diff.model import DiffKind, EnvironmentDiff, Origin, Reason, ReasonCode, Target
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, Occupant
from reconciler.plan.model import Policy
from reconciler.state.applied import Applied

_OCCUPANTS = {
    Occupant.DIRECTORY: "a directory",
    Occupant.VENV: "a virtual environment",
    Occupant.SYMLINK: "a symbolic link",
    Occupant.OTHER: "a file",
}


MOVE_HINT = "move it to a different path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """Why a change is blocked, and how to unblock it."""

    reason: Reason
    hint: str


def can_adopt(diff: EnvironmentDiff, actual: ActualEnvironment, applied: Applied | None, project: str) -> bool:
    """Return whether the occupant of the path can be adopted: it is a venv, and no other project owns the name."""
    return (
        diff.kind is DiffKind.FOREIGN
        and actual.occupant is Occupant.VENV
        and (applied is None or applied.project == project)
    )


def change_blockers(
    diff: EnvironmentDiff,
    target: Target,
    actual: ActualEnvironment,
    applied: Applied | None,
    desired: DesiredState,
    policy: Policy,
) -> list[Blocker]:
    """Return what blocks the change of an environment that the manifest declares."""
    if applied is not None and applied.project != desired.project:
        return [_other_project(applied)]
    found = []
    if target.failure is not None:
        message = f"could not be locked: {target.failure.message.removeprefix(f'environments.{diff.name}: ')}"
        found.append(_blocker(ReasonCode.LOCK_FAILED, message, ""))  # The plan shows the hint with the failure.
    if diff.kind is DiffKind.FOREIGN:
        can = can_adopt(diff, actual, applied, desired.project)
        if not (can and policy.adopt):
            hint = "use `--adopt` to adopt it; the old environment is kept" if can else MOVE_HINT
            found.append(_not_ours(actual, applied, hint))
    if diff.reasons and not policy.skip_hooks and {each.code for each in diff.reasons} == {ReasonCode.CHANGED_BY_HOOK}:
        hint = (
            f"in {desired.file.name}, list what the hook changes in `ignore_files` or `ignore`, or change the hook; "
            "`--skip-hooks` rebuilds without running it"
        )
        message = "a rebuild would run the hook again, which changes the environment"
        reason = Reason(code=ReasonCode.CHANGED_BY_HOOK, origin=Origin.DRIFT, message=message)
        found.append(Blocker(reason=reason, hint=hint))
    if diff.ignored and not policy.drop_ignored:
        names = ", ".join(diff.ignored)
        found.append(
            _blocker(
                ReasonCode.IGNORED_WOULD_BE_LOST,
                f"would lose packages that `ignore` matches: {names}",
                "use `--drop-ignored` to remove them, or add them to the manifest",
            )
        )
    if diff.lost and not policy.drop_ignored:
        found.append(
            _blocker(
                ReasonCode.IGNORED_WOULD_BE_LOST,
                f"would lose files that `ignore_files` matches: {first_of(diff.lost)}",
                "copy them to a different place, then use `--drop-ignored` to leave them behind",
            )
        )
    return found


def delete_blockers(
    actual: ActualEnvironment, applied: Applied, desired: DesiredState, policy: Policy
) -> list[Blocker]:
    """Return what blocks the deletion of an environment, by prune or by `policy.destroy`."""
    if applied.project != desired.project:
        return [_other_project(applied)]
    found = []
    requested = applied.name in policy.destroy
    protected = any(each.name == applied.name and each.prevent_destroy for each in desired.environments)
    if applied.prevent_destroy or protected:
        found.append(
            _blocker(
                ReasonCode.PREVENT_DESTROY,
                "would be deleted, but prevent_destroy is set",
                f"apply it once with `prevent_destroy: false` in {desired.file.name}",
            )
        )
    if actual.occupant in FOREIGN_OCCUPANTS:
        found.append(_not_ours(actual, applied, MOVE_HINT))
    if not (requested or desired.declared or policy.allow_empty):
        found.append(
            _blocker(
                ReasonCode.EMPTY_MANIFEST,
                f"would be deleted, because {desired.file.name} declares no environments",
                "use `--allow-empty` to delete all of them",
            )
        )
    return found


def dependency_blocker(name: str, blocked: Sequence[Reason], *, deleting: bool) -> Blocker:
    """Return the blocker that follows from a blocked dependency, or from a blocked dependent of a deletion."""
    codes = {each.code for each in blocked}
    if ReasonCode.LOCK_FAILED in codes:
        return _blocker(ReasonCode.DEPENDENCY_FAILED, f"depends on {name}, which could not be locked", "")
    message = f"{name} depends on it and is not deleted" if deleting else f"depends on {name}, which is blocked"
    failed = ReasonCode.DEPENDENCY_FAILED in codes
    return _blocker(ReasonCode.DEPENDENCY_FAILED if failed else ReasonCode.DEPENDENCY_BLOCKED, message, "")


def _other_project(applied: Applied) -> Blocker:
    return _blocker(
        ReasonCode.OTHER_PROJECT,
        f"project {applied.project} owns this name in the same root",
        "choose a different name or a different root",
    )


def _not_ours(actual: ActualEnvironment, applied: Applied | None, hint: str) -> Blocker:
    message = f"{_OCCUPANTS[actual.occupant]} that envsync did not create exists at its path"
    origin = Origin.DRIFT if applied is not None and applied.generation > 0 else Origin.PENDING
    return Blocker(reason=Reason(code=ReasonCode.NOT_OURS, origin=origin, message=message), hint=hint)


def _blocker(code: ReasonCode, message: str, hint: str) -> Blocker:
    return Blocker(reason=Reason(code=code, origin=Origin.PENDING, message=message), hint=hint)
