"""What a lock of another tool selects, as its reader returns it: packages of an index by hash, others as in PEP 751."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.backticks import list_in_backticks
from reconciler.errors import LockError

_LOWER_BOUND = re.compile(r"(?:\^|~|>=|==|~=)\s*([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedPackage:
    """A package from an index, whose files are known by their SHA-256 (hexadecimal) and not by their URL.

    `marker` is empty if the package is always installed.
    """

    name: str
    version: str
    marker: str
    hashes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignLock:
    """The chosen packages of a lock. `tables` are complete, as in PEP 751, with absolute paths.

    `python` is the lowest Python version that the lock is for, empty if it does not say.
    """

    pins: tuple[PinnedPackage, ...]
    tables: tuple[Mapping[str, Any], ...]
    python: str


def check_choice(name: str, kind: str, chosen: Collection[str], known: Collection[str]) -> None:
    """Raise LockError unless the lock `name` has all chosen extras or groups; `kind` is the singular noun."""
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        has = f"it has {list_in_backticks(sorted(known))}" if known else "it has none"
        raise LockError(
            f"`{name}` has no {kind} {list_in_backticks(unknown)}; {has}",
            hint=f"correct the {kind}s in the manifest, or make the lock again with its tool",
        )


def sha256_of(files: Any) -> frozenset[str]:
    """Return the SHA-256 of a list of files (`{file, hash}`) of Poetry or PDM; other hashes do not count."""
    found = (each.get("hash") for each in files if isinstance(each, dict)) if isinstance(files, list) else ()
    return frozenset(each.removeprefix("sha256:") for each in found if isinstance(each, str) and each[:7] == "sha256:")


def lowest_python(specifiers: Iterable[str]) -> str:
    """Return the lowest bound of specifiers such as `>=3.11,<4` or `^3.11`; empty if one of them has none."""

    def numbers(version: str) -> list[int]:
        return [int(part) for part in version.split(".")] if version else []

    lowest = (min(_LOWER_BOUND.findall(each), key=numbers, default="") for each in specifiers)
    return min(lowest, key=numbers, default="")
