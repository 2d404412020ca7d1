"""What remains of an environment that was deleted: its last record, and until when `rollback` can restore it."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.canonical_json import Json
from reconciler.errors import DamagedStateError
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json, require_text
from reconciler.state.state_file import read_state_file, write_state_file

FORMAT = 1
_SHORT = dt.timedelta(days=2)  # for less, a date alone is too vague


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A deleted environment: what was applied to it, when it was deleted, and until when its generations are kept."""

    applied: Applied
    deleted: dt.datetime
    keep_until: dt.datetime

    @classmethod
    def now(cls, applied: Applied, keep: dt.timedelta) -> "Deleted":
        """Return an environment that is deleted at this moment and kept for `keep`."""
        moment = dt.datetime.now(dt.UTC).replace(microsecond=0)
        try:
            until = moment + keep
        except OverflowError:  # 99999 weeks: longer than a date can say
            until = dt.datetime.max.replace(tzinfo=dt.UTC, microsecond=0)
        return cls(applied=applied, deleted=moment, keep_until=until)

    def is_expired(self, now: dt.datetime) -> bool:
        """Return whether its generations need not be kept any longer."""
        return now >= self.keep_until

    @property
    def until(self) -> str:
        """Return until when it can be restored: a date (UTC), with the time if it is kept for less than two days."""
        short = self.keep_until - self.deleted < _SHORT
        return f"{self.keep_until:%Y-%m-%d %H:%M} UTC" if short else f"{self.keep_until:%Y-%m-%d}"


def write_deleted(path: Path, deleted: Deleted) -> None:
    """Write the file of a deleted environment atomically; raises OSError."""
    stored: dict[str, Json] = {
        "format": FORMAT,
        "deleted": deleted.deleted.isoformat(),
        "keep_until": deleted.keep_until.isoformat(),
        "applied": applied_to_json(deleted.applied),
    }
    write_state_file(path, stored)


def read_deleted(path: Path, name: str) -> Deleted | None:
    """Return what the file of the deleted environment `name` contains, None if there is none.

    Raises NewerFormatError, DamagedStateError, or StateError if the system does not let us read it.
    """
    hint = f"restore it from a backup, or delete it: `envsync gc` then deletes the generations of `{name}`"
    found = read_state_file(path, FORMAT, hint=hint)
    if found is None:
        return None
    stored = found
    try:
        applied = applied_from_json(stored.get("applied") or {})
        moments = require_time(stored.get("deleted")), require_time(stored.get("keep_until"))
    except ValueError as error:
        raise DamagedStateError(f"`{path}` is damaged: {error}", hint=hint) from error
    if applied.name != name:
        what = f"it is the record of the environment {in_backticks(applied.name)}"
        raise DamagedStateError(f"`{path}` is damaged: {what}", hint=hint)
    return Deleted(applied=applied, deleted=moments[0], keep_until=moments[1])


def require_time(value: object) -> dt.datetime:
    """Return an RFC 3339 time; raises ValueError."""
    try:
        found = dt.datetime.fromisoformat(require_text(value))
    except TypeError as error:
        raise ValueError(str(error)) from error
    if found.tzinfo is None:
        raise ValueError(f"{in_backticks(str(value))} is a time without an offset")
    return found
