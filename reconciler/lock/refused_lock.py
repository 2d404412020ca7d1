"""The error of a lock that is refused, with the place in its file; see `reconciler.lock.refusals`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.errors import LockError, Place, RefusedLockError
from reconciler.fs.read import read_regular
from reconciler.lock.model import Lock
from reconciler.lock.refusals import Refusal, lock_refusals
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.input_files import LARGEST_LOCK
from reconciler.manifest.source_text import KeyPath


def require_allowed(lock: Lock, environment: DesiredEnvironment, desired: DesiredState) -> None:
    """Raise RefusedLockError if the manifest does not allow what a lock, which was read from its file, contains."""
    refusals = list(lock_refusals(lock.document.get("packages", []), environment, desired, lock.path.parent))
    if refusals:
        try:
            text = read_regular(lock.path, limit=LARGEST_LOCK, follow=True).decode("utf-8")
        except (OSError, UnicodeDecodeError):  # it was replaced since it was read: the place is not known
            text = ""
        raise _refused(refusals, str(lock.path), _place(str(lock.path), text, refusals[0].path))


def require_allowed_resolution(
    packages: Sequence[Mapping[str, Any]], environment: DesiredEnvironment, desired: DesiredState, base: Path
) -> None:
    """Raise LockError if a lock that was just made contains what would be refused when it is read."""
    for refusal in lock_refusals(packages, environment, desired, base):
        raise LockError(refusal.message, hint=refusal.hint)


def require_allowed_source(
    packages: Sequence[Mapping[str, Any]], environment: DesiredEnvironment, desired: DesiredState, text: str
) -> None:
    """Raise RefusedLockError for the lock of another tool with this text; `packages` have absolute paths."""
    source = environment.lock
    refusals = list(lock_refusals(packages, environment, desired, Path("/"), names_indexes=False))
    if refusals and source is not None:
        name = str(packages[int(refusals[0].path[1])]["name"])
        place = _place_of_text(source.relative, text, refusals[0].text, name)
        raise _refused(refusals, source.relative, place)


def _refused(refusals: list[Refusal], file: str, place: Place | None) -> RefusedLockError:
    """Return the error for the first refusal, with the number of the others."""
    first, others = refusals[0], len(refusals) - 1
    more = f" (and {others} more refused)" if others else ""
    return RefusedLockError(f"{place or file}: {first.message}{more}", hint=first.hint)


def _place(file: str, text: str, path: KeyPath) -> Place | None:
    """Return the place of a key in the text of a TOML file, or of the closest table that contains it."""
    from reconciler.manifest.toml_places import toml_places  # only for an error, to start quickly

    places = toml_places(text)
    while path and path not in places:
        path = path[:-1]
    if not path:
        return None
    line, column, width = places[path]
    return Place(file=file, line=line, column=column, width=width)


def _place_of_text(file: str, text: str, wanted: str, name: str) -> Place | None:
    """Return where a value is in a lock of another tool, or else where the package's name is; None if nowhere."""
    for each in (wanted, f'"{name}"'):
        at = text.find(each) if each else -1
        if at >= 0:
            start = text.rfind("\n", 0, at) + 1
            return Place(file=file, line=text.count("\n", 0, at) + 1, column=at - start + 1, width=len(each))
    return None
