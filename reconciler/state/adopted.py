"""An adopted environment: the directory that `--adopt` replaced, kept as a generation with a number of its own.

It lies in `.envsync/adopted/<name>/<number>/venv`. Next to it, `adopted.json` says when it was replaced and until when
it is kept at least, and the identity mark which directory it is. Its scripts contain the environment's path, so it
works only there: a rollback moves it back.
"""

import datetime as dt
from dataclasses import dataclass

from reconciler.canonical_json import Json
from reconciler.errors import StateError
from reconciler.state.applied_json import require_text
from reconciler.state.layout import Generation
from reconciler.state.state_file import read_state_file, write_state_file

FORMAT = 1
_HINT = "move the directory to a different place, or restore the file from a backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """When a directory was adopted, and until when it is kept in any case (both UTC)."""

    adopted: dt.datetime
    keep_until: dt.datetime

    @classmethod
    def now(cls, keep: dt.timedelta) -> "Adopted":
        """Return an adoption at this moment, whose directory is kept at least for `keep`."""
        moment = dt.datetime.now(dt.UTC).replace(microsecond=0)
        try:
            until = moment + keep
        except OverflowError:  # 99999 weeks: longer than a date can say
            until = dt.datetime.max.replace(tzinfo=dt.UTC, microsecond=0)
        return cls(adopted=moment, keep_until=until)


def write_adopted(generation: Generation, adopted: Adopted) -> None:
    """Write `adopted.json` atomically; raises OSError."""
    stored: dict[str, Json] = {
        "format": FORMAT,
        "adopted": adopted.adopted.isoformat(),
        "keep_until": adopted.keep_until.isoformat(),
    }
    write_state_file(generation.adoption, stored)


def read_adopted(generation: Generation) -> Adopted | None:
    """Return what `adopted.json` says, None if there is none; raises StateError if it cannot be read."""
    found = read_state_file(generation.adoption, FORMAT, hint=_HINT)
    if found is None:
        return None
    try:
        times = [_time(found.get(key)) for key in ("adopted", "keep_until")]
    except (ValueError, TypeError) as error:
        raise StateError(f"`{generation.adoption}` is damaged: {error}", hint=_HINT) from error
    return Adopted(adopted=times[0], keep_until=times[1])


def _time(value: object) -> dt.datetime:
    """Return an RFC 3339 time; raises ValueError or TypeError."""
    found = dt.datetime.fromisoformat(require_text(value))
    if found.tzinfo is None:
        raise ValueError(f"{found.isoformat()} is a time without an offset")
    return found
