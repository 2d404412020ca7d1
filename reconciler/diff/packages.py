"""The three-way comparison of packages: desired, last applied, actual (docs/design.md, "Plan")."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.diff.package_source import has_source
from reconciler.diff.source_change import hosts_sentence, source_change
from reconciler.lock.model import LockedPackage, SourceDirectory
from reconciler.observe.actual import Distribution, OriginKind
from reconciler.state.applied import Applied
from reconciler.versions import compare_versions, same_version

NO_PLACES: Mapping[str, str] = MappingProxyType({})
_SENTENCES: Mapping[ReasonCode, str] = {
    ReasonCode.NEW_IN_LOCK: "new in the lock",
    ReasonCode.NOT_IN_LOCK: "no longer in the lock",
    ReasonCode.LOCK_CHANGED: "lock changed",
    ReasonCode.SOURCE_CHANGED: "source changed",
    ReasonCode.SOURCE_MOVED: "source moved",
    ReasonCode.INSTALLED_BY_HAND: "installed manually",
    ReasonCode.REMOVED_BY_HAND: "removed manually",
    ReasonCode.CHANGED_BY_HAND: "changed manually",
    ReasonCode.ALREADY_AS_DESIRED: "changed manually, already as desired",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageStates:
    """One package in the desired, applied and actual state; None if absent.

    `installed` is its identity when sealed, `moved` whether it must be installed from a different directory.
    """

    name: str
    desired: LockedPackage | None
    applied: LockedPackage | None
    installed: str | None
    actual: Distribution | None
    moved: bool


def package_changes(
    desired: Iterable[LockedPackage],
    applied: Applied | None,
    found: Mapping[str, Distribution],
    moved: Collection[str],
    places: Mapping[str, str],
) -> tuple[PackageChange, ...]:
    """Return every package that differs, sorted by name.

    Without `applied`, the distributions found are compared with `desired` only. `moved` are the names of the editable
    packages that must be installed from a different directory (`moved_sources`). `places` are the paths of local
    sources (`Target.places`).
    """
    wanted = {each.name: each for each in desired}
    had = {each.name: each for each in applied.packages} if applied else {}
    installed = applied.installed if applied else {}
    changes = []
    for name in sorted(wanted.keys() | had.keys() | installed.keys() | found.keys()):
        want, have, sealed, present = wanted.get(name), had.get(name), installed.get(name), found.get(name)
        pending = want != have or name in moved
        drifted = sealed != (present.identity if present else None)
        if not (pending or drifted):
            continue  # Early, because this is the case of nearly every package in nearly every run.
        states = PackageStates(
            name=name, desired=want, applied=have, installed=sealed, actual=present, moved=name in moved
        )
        if applied is None:
            if not matches_desired(want, present, places.get(name, "")):
                changes.append(_package_change(states, pending=_first_reason(states)))
        elif pending and drifted and matches_desired(want, present, places.get(name, "")):
            changes.append(_package_change(states, drift=ReasonCode.ALREADY_AS_DESIRED))
        else:
            pending_reason = _pending_reason(states) if pending else None
            drift_reason = _drift_reason(states) if drifted else None
            changes.append(_package_change(states, pending=pending_reason, drift=drift_reason))
    return tuple(changes)


def moved_sources(
    editables: Mapping[str, str], applied: Applied, found: Mapping[str, Distribution]
) -> dict[str, tuple[str, str]]:
    """Return by name the editable packages whose directory is a different one now: the installed and the desired one.

    `editables` are the directories that they must be installed from (`Target.editables`). One whose origin differs from
    the sealed one has drifted, and is not listed.
    """
    return {
        name: (found[name].location, directory)
        for name, directory in editables.items()
        if name in found
        and found[name].origin.kind is OriginKind.EDITABLE
        and found[name].identity == applied.installed.get(name)
        and found[name].location != directory
    }


def distributions_by_name(distributions: Iterable[Distribution], applied: Applied | None) -> dict[str, Distribution]:
    """Return one distribution for each name.

    Of duplicates, it is the one that was sealed; if none was, the first by place and version.
    """
    found: dict[str, Distribution] = {}
    for each in sorted(distributions, key=lambda one: (one.key, one.place, one.version)):
        sealed = applied.installed.get(each.key) if applied else None
        if each.key not in found or each.identity == sealed:
            found[each.key] = each
    return found


def ignored_packages(
    found: Collection[str], patterns: Iterable[str], desired: Iterable[LockedPackage], applied: Applied | None
) -> frozenset[str]:
    """Return the names that an `ignore` pattern matches and that neither the lock nor the last apply installed."""
    ours = {each.name for each in desired} | {each.name for each in (applied.packages if applied else ())}
    normalized = [each.lower().replace("_", "-").replace(".", "-") for each in patterns]
    return frozenset(name for name in found if name not in ours and any(fnmatchcase(name, each) for each in normalized))


def matches_desired(desired: LockedPackage | None, actual: Distribution | None, place: str) -> bool:
    """Return whether the installed distribution is the one in the lock: its version and its source (`has_source`)."""
    if desired is None or actual is None:
        return desired is None and actual is None
    if desired.version is not None and not same_version(desired.version, actual.version):
        return False
    return has_source(actual.origin, desired.source, place)


def _package_change(
    states: PackageStates, *, pending: ReasonCode | None = None, drift: ReasonCode | None = None
) -> PackageChange:
    """Return the change; `pending` is how the lock changed, `drift` what was changed manually, at least one of them."""
    origin = Origin.BOTH if pending and drift else Origin.DRIFT if drift else Origin.PENDING
    reasons = [each for each in (pending, drift) if each is not None]
    desired, actual, applied = states.desired, states.actual, states.applied
    before = actual.version if actual else None
    after = desired.version if desired else None
    if desired and actual:
        if drift is ReasonCode.ALREADY_AS_DESIRED:
            action = PackageAction.REPAIR
        elif desired.version is None:
            action = PackageAction.UNKNOWN
        else:
            action = version_action(actual.version, desired.version)
    elif desired:
        action = PackageAction.INSTALL
    else:
        action = PackageAction.REMOVE
        if actual is None and applied is not None:
            before = applied.version  # It was already removed manually: only the applied version can be shown.
    source = None
    if pending and desired and applied:
        same = desired.version == applied.version
        source = source_change(applied.source, desired.source, same_version=same)
    hosts = hosts_sentence(source)
    return PackageChange(
        name=states.name,
        action=action,
        origin=origin,
        reason=reasons[0],
        message=", and ".join(f"{_SENTENCES[each]}{hosts if each is pending else ''}" for each in reasons),
        source=source,
        drift_reason=drift,
        before=before,
        after=after,
    )


def version_action(before: str, after: str) -> PackageAction:
    """Return upgrade, downgrade, or change. Equal versions and versions that PEP 440 cannot order are a change."""
    match compare_versions(before, after):
        case -1:
            return PackageAction.UPGRADE
        case 1:
            return PackageAction.DOWNGRADE
        case _:
            return PackageAction.CHANGE


def _pending_reason(states: PackageStates) -> ReasonCode:
    """Return how the lock changed since it was last applied."""
    if states.moved:
        return ReasonCode.SOURCE_MOVED
    match states.applied, states.desired:
        case None, _:
            return ReasonCode.NEW_IN_LOCK
        case _, None:
            return ReasonCode.NOT_IN_LOCK
        case LockedPackage(source=SourceDirectory() as old), LockedPackage(source=SourceDirectory() as new):
            moved = old.path != new.path or old.editable != new.editable
            return ReasonCode.LOCK_CHANGED if moved else ReasonCode.SOURCE_CHANGED
        case _:
            return ReasonCode.LOCK_CHANGED


def _first_reason(states: PackageStates) -> ReasonCode:
    """Return how the lock differs from what is installed in an environment that was never applied."""
    if states.actual is None:
        return ReasonCode.NEW_IN_LOCK
    if states.desired is None:
        return ReasonCode.NOT_IN_LOCK
    from_directory = states.actual.origin.kind in {OriginKind.DIRECTORY, OriginKind.EDITABLE}
    same_kind = from_directory and isinstance(states.desired.source, SourceDirectory)
    return ReasonCode.SOURCE_CHANGED if same_kind else ReasonCode.LOCK_CHANGED


def _drift_reason(states: PackageStates) -> ReasonCode:
    """Return what changed manually since the generation was sealed."""
    if states.actual is None:
        return ReasonCode.REMOVED_BY_HAND
    return ReasonCode.INSTALLED_BY_HAND if states.installed is None else ReasonCode.CHANGED_BY_HAND
