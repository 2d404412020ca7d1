"""What blocks a change, why, and what a person can do about it (docs/design.md, "Plan")."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.diff.compare import FOREIGN_OCCUPANTS
from reconciler.diff.findings import SHOWN
from reconciler.diff.model import DiffKind, EnvironmentDiff, Fault, Origin, Reason, ReasonCode, Target
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, Occupant
from reconciler.plan.model import Policy
from reconciler.state.applied import Applied
from reconciler.state.owner import OtherOwner
from reconciler.state.staged import Staged

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
    owner: OtherOwner | None,
    *,
    former: str,
) -> list[Blocker]:
    """Return what blocks the change of an environment that the manifest declares.

    `owner` is who applied it if it was not this manifest, `former` the name that it is renamed from.
    """
    if applied is not None and applied.project != desired.project:
        return [_other_project(applied, former)]
    if owner is not None and owner.project and not policy.take_over:
        return [_former_project(owner)]
    found = [fault_blocker(each) for each in target.faults]
    held = applied is not None and applied.hold is not None  # no rebuild is due, so nothing can be lost
    if target.failure is not None:
        message = f"could not be locked: {target.failure.message}"
        found.append(_blocker(ReasonCode.LOCK_FAILED, message, ""))  # The plan shows the hint with the failure.
    if diff.kind is DiffKind.FOREIGN:
        can = can_adopt(diff, actual, applied, desired.project)
        restored = applied is not None and applied.rolled_back_from == applied.generation
        if not (can and policy.adopt) and not (held and restored):
            cure = "apply with `--adopt` to take it over; the old environment is kept"
            hint = cure if can and not former else MOVE_HINT
            found.append(_not_ours(actual, applied, hint))
    if (
        not held
        and diff.reasons
        and not policy.skip_hooks
        and {each.code for each in diff.reasons} == {ReasonCode.CHANGED_BY_HOOK}
    ):
        hint = (
            f"in `{desired.file.name}`, list what the hook changes in `ignore_files` or `ignore`, or change the hook; "
            "apply with `--skip-hooks` to rebuild without running it"
        )
        message = "a rebuild would run the hook again, which changes the environment"
        reason = Reason(code=ReasonCode.CHANGED_BY_HOOK, origin=Origin.DRIFT, message=message)
        found.append(Blocker(reason=reason, hint=hint))
    if diff.ignored and not (policy.drop_ignored or held):
        found.append(
            _blocker(
                ReasonCode.IGNORED_WOULD_BE_LOST,
                f"would lose packages that `ignore` matches: {list_in_backticks(diff.ignored)}",
                "apply with `--drop-ignored` to remove them, or add them to the manifest",
            )
        )
    if diff.lost and not (policy.drop_ignored or held):
        found.append(
            _blocker(
                ReasonCode.IGNORED_WOULD_BE_LOST,
                f"would lose files that `ignore_files` matches: {list_in_backticks(diff.lost, most=SHOWN)}",
                "copy them to a different place, then apply with `--drop-ignored` to leave them behind",
            )
        )
    return found


def fault_blocker(fault: Fault) -> Blocker:
    """Return the blocker of an environment that cannot be planned."""
    return _blocker(fault.code, fault.message, fault.hint)


def undeclared_blocker(file: str) -> Blocker:
    """Return the blocker of a kept environment that drifted, although nothing declares what it should be."""
    message = f"cannot be repaired, because {in_backticks(file)} no longer declares it"
    return _blocker(ReasonCode.UNDECLARED_DRIFTED, message, "declare it again, or undo the change")


def delete_blockers(
    actual: ActualEnvironment,
    applied: Applied,
    desired: DesiredState,
    policy: Policy,
    owner: OtherOwner | None,
) -> list[Blocker]:
    """Return what blocks the deletion of an environment, by prune or by `policy.destroy`; `owner` as for a change."""
    if applied.project != desired.project:
        return [_other_project(applied)]
    if owner is not None and owner.project and not policy.take_over:
        return [_former_project(owner)]
    found = []
    if owner is not None and owner.manifest and not policy.take_over:
        release = _release_hint(owner)
        hint = (
            f"give each manifest its own `project`; to delete `{applied.name}`, "
            f"run `envsync destroy {applied.name} --take-over`{release}"
        )
        found.append(_blocker(ReasonCode.OTHER_MANIFEST, f"applied from {owner.manifest}", hint))
    if applied.hold is not None:
        hint = f"run `envsync release {applied.name}`, then delete it"
        found.append(_blocker(ReasonCode.HELD, "would be deleted, but it is held", hint))
    requested = applied.name in policy.destroy
    protected = any(each.name == applied.name and each.prevent_destroy for each in desired.environments)
    if applied.prevent_destroy or protected:
        found.append(
            _blocker(
                ReasonCode.PREVENT_DESTROY,
                "would be deleted, but `prevent_destroy` is set",
                f"to delete it, first apply it with `prevent_destroy: false` in {in_backticks(desired.file.name)}",
            )
        )
    if actual.occupant in FOREIGN_OCCUPANTS:
        found.append(_not_ours(actual, applied, MOVE_HINT))
    if not (requested or desired.declared or policy.allow_empty):
        found.append(
            _blocker(
                ReasonCode.EMPTY_MANIFEST,
                f"would be deleted, because {in_backticks(desired.file.name)} declares no environments",
                "apply with `--allow-empty` to delete all of them",
            )
        )
    return found


def _release_hint(owner: OtherOwner) -> str:
    """Return what to do if both manifests are releases of one application, empty without a link to this one."""
    if not owner.link:
        return ""
    return (
        "; if both are releases of one application, always name the manifest by its link, and take over once: "
        f"`envsync apply -f {owner.link} --take-over`"
    )


def publish_blockers(
    name: str,
    applied: Applied | None,
    staged: Staged,
    desired: DesiredState,
    owner: OtherOwner | None,
    *,
    changed: bool,
) -> list[Blocker]:
    """Return what blocks the publish of a staged generation; `changed` is whether what it replaces changed since."""
    for each in (applied, staged.applied):
        if each is not None and each.project != desired.project:
            return [_other_project(each)]
    if owner is not None and owner.project:
        return [_former_project(owner)]
    if name not in desired.declared:
        message = f"{in_backticks(desired.file.name)} no longer declares it"
        return [_blocker(ReasonCode.STAGE_OUTDATED, message, "declare it again, or run `envsync apply`")]
    if changed:
        message = f"`{name}` changed since generation {staged.generation} was staged"
        hint = f"run `envsync plan {name}`, then `envsync apply --stage {name}` to stage it again"
        return [_blocker(ReasonCode.STAGE_OUTDATED, message, hint)]
    return []


def dependents_blocker(name: str, dependents: Sequence[str]) -> Blocker:
    """Return the blocker of a deletion on which other environments depend."""
    listed = list_in_backticks(dependents, most=SHOWN)
    return _blocker(
        ReasonCode.HAS_DEPENDENTS,
        f"{listed} {'depends' if len(dependents) == 1 else 'depend'} on it",
        f"remove `{name}` from the `depends_on` of {listed} and apply that, or delete them too",
    )


def foreign_blocker(actual: ActualEnvironment) -> Blocker:
    """Return the blocker of a rename to a path at which something is that envsync did not make."""
    return _not_ours(actual, None, MOVE_HINT)


def other_manifest_blocker(former: str, owner: OtherOwner) -> Blocker:
    """Return the blocker of a rename of an environment that another manifest applied."""
    hint = "apply with `--take-over` to rename it, or give each manifest its own `project`"
    return _blocker(ReasonCode.OTHER_MANIFEST, f"`{former}` was applied from {owner.manifest}", hint)


def former_name_blocker(name: str, others: Sequence[str]) -> Blocker:
    """Return the blocker of a new environment whose name and path other environments had before."""
    listed = list_in_backticks(others, most=SHOWN)
    hint = f"apply them together: `envsync apply {' '.join((name, *others))}`"
    return _blocker(
        ReasonCode.NAME_IN_USE, f"the scripts of {listed} still contain its path, from before a rename", hint
    )


def waiting_blocker(names: Sequence[str]) -> Blocker:
    """Return the blocker of a deletion that waits for changes that are blocked."""
    return _blocker(
        ReasonCode.DELETES_WAIT, f"not deleted until {list_in_backticks(names, most=SHOWN)} can be applied", ""
    )


def dependency_blocker(name: str, blocked: Sequence[Reason], *, deleting: bool) -> Blocker:
    """Return the blocker that follows from a blocked dependency, or from a blocked dependent of a deletion."""
    codes = {each.code for each in blocked}
    if ReasonCode.LOCK_FAILED in codes:
        return _blocker(ReasonCode.DEPENDENCY_FAILED, f"depends on `{name}`, which could not be locked", "")
    message = f"`{name}` depends on it and is not deleted" if deleting else f"depends on `{name}`, which is blocked"
    failed = ReasonCode.DEPENDENCY_FAILED in codes
    return _blocker(ReasonCode.DEPENDENCY_FAILED if failed else ReasonCode.DEPENDENCY_BLOCKED, message, "")


def _former_project(owner: OtherOwner) -> Blocker:
    return _blocker(
        ReasonCode.OTHER_PROJECT,
        f"`project` was `{owner.project}` when this was applied",
        f"write `project: {owner.project}` again, or apply with `--take-over`",
    )


def _other_project(applied: Applied, former: str = "") -> Blocker:
    named = f"`{former}`" if former else "this name"
    return _blocker(
        ReasonCode.OTHER_PROJECT,
        f"project {in_backticks(applied.project)} owns {named} in the same root",
        "remove `renamed_from`" if former else "choose a different name or a different root",
    )


def _not_ours(actual: ActualEnvironment, applied: Applied | None, hint: str) -> Blocker:
    message = f"{_OCCUPANTS[actual.occupant]} that envsync did not create exists at its path"
    ours = applied is not None and applied.generation > 0 and applied.rolled_back_from != applied.generation
    origin = Origin.DRIFT if ours else Origin.PENDING
    return Blocker(reason=Reason(code=ReasonCode.NOT_OURS, origin=origin, message=message), hint=hint)


def _blocker(code: ReasonCode, message: str, hint: str) -> Blocker:
    return Blocker(reason=Reason(code=code, origin=Origin.PENDING, message=message), hint=hint)
