"""The three-way comparison of packages: desired, last applied, actual (design, section 7)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.diff.versions import same_version, step_between
from reconciler.lock.model import ArchiveFile, IndexFile, LockedPackage, SourceDirectory, VcsCommit
from reconciler.observe.actual import Distribution, OriginKind
from reconciler.state.applied import Applied

SENTENCES: Mapping[ReasonCode, str] = {
    ReasonCode.NEW_IN_LOCK: "new in the lock",
    ReasonCode.NOT_IN_LOCK: "no longer in the lock",
    ReasonCode.LOCK_CHANGED: "lock changed",
    ReasonCode.SOURCE_CHANGED: "source changed",
    ReasonCode.INSTALLED_BY_HAND: "installed by hand",
    ReasonCode.REMOVED_BY_HAND: "removed by hand",
    ReasonCode.CHANGED_BY_HAND: "changed by hand",
    ReasonCode.ALREADY_AS_DESIRED: "already as desired, by hand",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """One package on all three sides, None where it is absent; `installed` is its identity when it was sealed."""

    name: str
    desired: LockedPackage | None
    applied: LockedPackage | None
    installed: str | None
    actual: Distribution | None


def package_changes(
    desired: Iterable[LockedPackage], applied: Applied | None, found: Mapping[str, Distribution]
) -> tuple[PackageChange, ...]:
    """Return every package that differs, sorted by name; without `applied` what is found is compared with `desired`."""
    wanted = {each.name: each for each in desired}
    had = {each.name: each for each in applied.packages} if applied else {}
    installed = applied.installed if applied else {}
    changes = []
    for name in sorted(wanted.keys() | had.keys() | installed.keys() | found.keys()):
        want, have, sealed, stands = wanted.get(name), had.get(name), installed.get(name), found.get(name)
        pending = want != have
        drifted = sealed != (stands.identity if stands else None)
        if not (pending or drifted):
            continue  # before anything is made of it: nearly every package of nearly every run
        sides = Sides(name=name, desired=want, applied=have, installed=sealed, actual=stands)
        if applied is None:
            if not as_desired(want, stands):
                changes.append(_change(sides, Origin.PENDING, _first_reason(sides)))
        elif pending and drifted:
            changes.append(_both(sides))
        elif pending:
            changes.append(_change(sides, Origin.PENDING, _pending_reason(sides)))
        else:
            changes.append(_change(sides, Origin.DRIFT, _drift_reason(sides)))
    return tuple(changes)


def by_key(distributions: Iterable[Distribution], applied: Applied | None) -> dict[str, Distribution]:
    """Return one distribution a name: of duplicates the one that was sealed, else the first by place and version."""
    found: dict[str, Distribution] = {}
    for each in sorted(distributions, key=lambda one: (one.key, one.place, one.version)):
        sealed = applied.installed.get(each.key) if applied else None
        if each.key not in found or each.identity == sealed:
            found[each.key] = each
    return found


def somebody_elses(
    found: Collection[str], patterns: Iterable[str], desired: Iterable[LockedPackage], applied: Applied | None
) -> frozenset[str]:
    """Return the names that an `ignore` pattern covers and that neither the lock nor the last apply brought in."""
    ours = {each.name for each in desired} | {each.name for each in (applied.packages if applied else ())}
    normalized = [each.lower().replace("_", "-").replace(".", "-") for each in patterns]
    return frozenset(name for name in found if name not in ours and any(fnmatchcase(name, each) for each in normalized))


def as_desired(desired: LockedPackage | None, actual: Distribution | None) -> bool:
    """Say whether what stands there is what the lock wants, by version, kind of source, and recorded commit or hash."""
    if desired is None or actual is None:
        return desired is None and actual is None
    if desired.version is not None and not same_version(desired.version, actual.version):
        return False
    origin = actual.origin
    match desired.source:
        case IndexFile():
            return origin.kind is OriginKind.INDEX
        case ArchiveFile(sha256=sha256):
            return origin.kind is OriginKind.ARCHIVE and origin.hash in {"", f"sha256={sha256}"}
        case VcsCommit(commit=commit):
            return origin.kind is OriginKind.VCS and origin.commit in {"", commit}
        case SourceDirectory(editable=editable):
            return origin.kind is (OriginKind.EDITABLE if editable else OriginKind.DIRECTORY)


def _both(sides: Sides) -> PackageChange:
    if as_desired(sides.desired, sides.actual):
        return _change(sides, Origin.DRIFT, ReasonCode.ALREADY_AS_DESIRED)
    reason = _pending_reason(sides)
    return _change(sides, Origin.BOTH, reason, f"{SENTENCES[reason]}, and {SENTENCES[_drift_reason(sides)]}")


def _change(sides: Sides, origin: Origin, reason: ReasonCode, message: str = "") -> PackageChange:
    desired, actual, applied = sides.desired, sides.actual, sides.applied
    before = actual.version if actual else None
    after = desired.version if desired else None
    if desired and actual:
        if reason is ReasonCode.ALREADY_AS_DESIRED:
            action = PackageAction.REPAIR
        elif desired.version is None:
            action = PackageAction.UNKNOWN
        else:
            action = step_between(actual.version, desired.version)
    elif desired:
        action = PackageAction.INSTALL
    else:
        action = PackageAction.REMOVE
        if actual is None and applied is not None:
            before = applied.version  # taken out by hand already: what it was is all there is to show
    return PackageChange(
        name=sides.name,
        action=action,
        origin=origin,
        reason=reason,
        message=message or SENTENCES[reason],
        before=before,
        after=after,
    )


def _pending_reason(sides: Sides) -> ReasonCode:
    """Return how the lock moved since it was last applied."""
    match sides.applied, sides.desired:
        case None, _:
            return ReasonCode.NEW_IN_LOCK
        case _, None:
            return ReasonCode.NOT_IN_LOCK
        case LockedPackage(source=SourceDirectory() as old), LockedPackage(source=SourceDirectory() as new):
            moved = old.path != new.path or old.editable != new.editable
            return ReasonCode.LOCK_CHANGED if moved else ReasonCode.SOURCE_CHANGED
        case _:
            return ReasonCode.LOCK_CHANGED


def _first_reason(sides: Sides) -> ReasonCode:
    """Return why an environment that was never applied differs: the lock against what somebody else put there."""
    if sides.actual is None:
        return ReasonCode.NEW_IN_LOCK
    return ReasonCode.NOT_IN_LOCK if sides.desired is None else ReasonCode.LOCK_CHANGED


def _drift_reason(sides: Sides) -> ReasonCode:
    """Return what somebody's hand did since the generation was sealed."""
    if sides.actual is None:
        return ReasonCode.REMOVED_BY_HAND
    return ReasonCode.INSTALLED_BY_HAND if sides.installed is None else ReasonCode.CHANGED_BY_HAND
