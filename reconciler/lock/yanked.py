"""The versions in a lock that their index had yanked (PEP 592) when they were locked: `[tool.envsync] yanked`."""

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.backticks import in_backticks
from reconciler.lock.model import Lock, LockedPackage


def yanked_in(packages: Iterable[Mapping[str, Any]], reported: Mapping[str, str]) -> dict[str, str]:
    """Return those of the `reported` versions (`name==version` to reason) that `packages` of a document has, sorted."""
    from packaging.utils import canonicalize_name  # planning does not need it

    locked = {f"{canonicalize_name(each['name'])}=={each.get('version')}" for each in packages}
    return {pin: reason for pin, reason in sorted(reported.items()) if pin in locked}


def yanked_notes(lock: Lock | None, packages: Iterable[LockedPackage] | None = None) -> tuple[str, ...]:
    """Return a sentence for each yanked version of a lock; only for those of `packages`, if they are given."""
    own = lock.document.get("tool", {}).get("envsync", {}) if lock is not None else {}
    yanked = own.get("yanked", {}) if isinstance(own, dict) else {}
    selected = None if packages is None else {f"{each.name}=={each.version}" for each in packages}
    return tuple(
        f"{in_backticks(pin)} was yanked from its index" + (f": {reason}" if reason else "")
        for pin, reason in (yanked.items() if isinstance(yanked, dict) else ())
        if isinstance(reason, str) and (selected is None or pin in selected)
    )
