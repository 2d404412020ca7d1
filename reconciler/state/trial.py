"""The trial of a published generation: which one to return to, until its hooks and its health check have succeeded.

The file is written before the generation is published, so that a killed run leaves a trial that the next one finishes.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from reconciler.canonical_json import Json
from reconciler.errors import DamagedStateError
from reconciler.state.applied import Applied
from reconciler.state.applied_json import applied_from_json, applied_to_json
from reconciler.state.deleted import require_time
from reconciler.state.state_file import read_state_file, write_state_file

FORMAT = 1
MOST_RUNS = 3
"""How many runs may begin to check a generation. If none of them lives until it ends, the generation has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial: when it began (UTC), how many runs have begun to check, and what was applied before (None: nothing)."""

    since: dt.datetime
    runs: int
    previous: Applied | None


def write_trial(path: Path, trial: Trial) -> None:
    """Write the file of a trial atomically; raises OSError."""
    stored: dict[str, Json] = {
        "format": FORMAT,
        "since": trial.since.isoformat(),
        "runs": trial.runs,
        "previous": None if trial.previous is None else applied_to_json(trial.previous),
    }
    write_state_file(path, stored)


def read_trial(path: Path) -> Trial | None:
    """Return the trial that a file describes, None if there is none.

    Raises NewerFormatError, DamagedStateError, or StateError if the system does not let us read it.
    """
    hint = "delete the file: the generation then counts as one that passed"
    found = read_state_file(path, FORMAT, hint=hint)
    if found is None:
        return None
    stored = found
    runs, previous = stored.get("runs"), stored.get("previous")
    try:
        if not isinstance(runs, int) or isinstance(runs, bool):
            raise TypeError("`runs` is not a number")  # noqa: TRY301  # handled as every other damage
        return Trial(
            since=require_time(stored.get("since")),
            runs=runs,
            previous=None if previous is None else applied_from_json(previous),
        )
    except (TypeError, ValueError) as error:
        raise DamagedStateError(f"`{path}` is damaged: {error}", hint=hint) from error
