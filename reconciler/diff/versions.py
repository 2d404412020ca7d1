"""How two versions of one package stand to each other (PEP 440)."""

from reconciler.diff.model import PackageAction


def same_version(one: str, other: str) -> bool:
    """Say whether two versions are the same release: `1.0` is `1.0.0`; unknown forms must be the same text."""
    return one == other or _order(one, other) == 0


def step_between(before: str, after: str) -> PackageAction:
    """Return upgrade, downgrade, or change: the last for equal versions and for those PEP 440 cannot order."""
    match _order(before, after):
        case -1:
            return PackageAction.UPGRADE
        case 1:
            return PackageAction.DOWNGRADE
        case _:
            return PackageAction.CHANGE


def _order(one: str, other: str) -> int | None:
    """Return -1, 0 or 1 as `one` is below, equal to or above `other`; None where PEP 440 knows no order."""
    # Imported here: a plan with nothing to do never gets this far, and must not pay for it.
    from packaging.version import InvalidVersion, Version

    try:
        first, second = Version(one), Version(other)
    except InvalidVersion:
        return None
    return (first > second) - (first < second)
