"""What remains of an environment that was deleted: its last record, and until when `rollback` can restore it."""

import datetime as dt
import json
from dataclasses import dataclass

from reconciler.backticks import in_backticks
from reconciler.canonical_json import Json, canonical_text
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json, require_text

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


def deleted_text(deleted: Deleted) -> str:
    """Return the contents of a deleted environment's file."""
    stored: dict[str, Json] = {
        "format": FORMAT,
        "deleted": deleted.deleted.isoformat(),
        "keep_until": deleted.keep_until.isoformat(),
        "applied": applied_to_json(deleted.applied),
    }
    return canonical_text(stored) + "\n"


def parse_deleted(content: bytes, name: str) -> Deleted:
    """Return what a deleted environment's file contains; raises ValueError if it is not the one of `name`."""
    stored = json.loads(content)
    if not isinstance(stored, dict) or not stored.keys() >= {"format", "deleted", "keep_until", "applied"}:
        raise ValueError("not a record of a deleted environment")
    if stored["format"] != FORMAT:
        raise ValueError(
            f"its format is {in_backticks(str(stored['format']))}, but this version of envsync reads format {FORMAT}"
        )
    applied = applied_from_json(stored["applied"])
    if applied.name != name:
        raise ValueError(f"it is the record of the environment {in_backticks(applied.name)}")
    return Deleted(applied=applied, deleted=_time(stored["deleted"]), keep_until=_time(stored["keep_until"]))


def _time(value: object) -> dt.datetime:
    """Return an RFC 3339 time; raises ValueError."""
    try:
        found = dt.datetime.fromisoformat(require_text(value))
    except TypeError as error:
        raise ValueError(str(error)) from error
    if found.tzinfo is None:
        raise ValueError(f"{in_backticks(str(value))} is a time without an offset")
    return found
