"""The staged generation of an environment: complete, but not published yet, because `apply --stage` made it.

Its file lies next to its seal. An environment has at most one, which is newer than
the published generation.
"""

import datetime as dt
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.canonical_json import Json
from reconciler.errors import DamagedStateError, StateError
from reconciler.state.applied import Applied
from reconciler.state.applied_json import require_bool, require_text
from reconciler.state.deleted import require_time
from reconciler.state.layout import Layout
from reconciler.state.state_file import read_state_file, write_state_file
from reconciler.state.store import State

FORMAT = 1
KEEP = dt.timedelta(days=30)
"""How long a staged generation is kept if it is not published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedNote:
    """What the file of a staged generation says.

    `desired` identifies what it was built for (`reconciler.plan.staging.staged_identity`), `prior` what was at the
    environment's path then. `action` and `reasons` (code, origin and sentence) are those of the plan that staged it.
    `drifted` is whether the contents of what it will replace had drifted. `staged` is when it was staged (UTC).
    """

    desired: str
    prior: str
    action: str
    reasons: tuple[tuple[str, str, str], ...]
    drifted: bool
    staged: dt.datetime

    def is_expired(self, now: dt.datetime) -> bool:
        """Return whether the generation has expired."""
        return now >= self.staged + KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A staged generation: its number, what its file says, and what will be applied once it is published."""

    generation: int
    note: StagedNote
    applied: Applied

    @property
    def since(self) -> str:
        """Return when it was staged: `2026-11-30 09:12 UTC`."""
        return f"{self.note.staged:%Y-%m-%d %H:%M} UTC"


def write_staged(layout: Layout, name: str, number: int, note: StagedNote) -> None:
    """Mark a sealed generation as staged, durably, and every older one as no longer staged; raises OSError."""
    stored: dict[str, Json] = {
        "format": FORMAT,
        "desired": note.desired,
        "prior": note.prior,
        "action": note.action,
        "reasons": [list(each) for each in note.reasons],
        "drifted": note.drifted,
        "staged": note.staged.isoformat(),
    }
    write_state_file(layout.generation(name, number).staged, stored)
    unmark_staged(layout, name, below=number)


def unmark_staged(layout: Layout, name: str, *, below: int | None = None) -> None:
    """Remove the marks of the staged generations of `name`, or only of those with a number less than `below`.

    The next run then deletes these generations, because they were never published. A mark that cannot be removed does
    no harm: it does not count if a newer generation is staged or published.
    """
    with suppress(OSError, StateError):
        for number in layout.generation_numbers(name):
            if below is None or number < below:
                with suppress(OSError):
                    layout.generation(name, number).staged.unlink()


def is_staged(state: State, name: str, number: int) -> bool:
    """Return whether a generation must be kept because it is staged; also if its file cannot be read."""
    layout = state.layout
    try:
        if number <= layout.published_number(name) or not layout.generation(name, number).staged.exists():
            return False
        newer = [each for each in layout.generation_numbers(name) if each > number]
        if any(layout.generation(name, each).staged.exists() for each in newer):
            return False
        note = _read(layout.generation(name, number).staged)
    except (OSError, StateError):
        return True
    return note is not None and not note.is_expired(dt.datetime.now(dt.UTC))


def staged_generation(state: State, name: str) -> Staged | None:
    """Return the staged generation of `name`, None if there is none; raises StateError if it cannot be read."""
    layout = state.layout
    published = layout.published_number(name)
    for number in reversed(layout.generation_numbers(name)):
        if number <= published:
            break
        if layout.generation(name, number).staged.exists():
            note = _read(layout.generation(name, number).staged)
            seal = state.seal(name, number)
            if note is None or seal is None or note.is_expired(dt.datetime.now(dt.UTC)):
                return None
            return Staged(generation=number, note=note, applied=replace(seal.applied, seal=seal.digest))
    return None


def staged_generations(state: State, names: Iterable[str]) -> tuple[dict[str, Staged], tuple[str, ...]]:
    """Return the staged generations of `names`, and a sentence about each that cannot be read."""
    found: dict[str, Staged] = {}
    problems = []
    for name in sorted(names):
        try:
            each = staged_generation(state, name)
        except StateError as error:
            message = state.layout.with_short_paths(error.message)
            problems.append(f"the staged generation of `{name}` cannot be published: {message}")
        else:
            if each is not None:
                found[name] = each
    return found, tuple(problems)


def _read(path: Path) -> StagedNote | None:
    """Return what the file of a staged generation says, None if there is none; raises StateError."""
    hint = "run `envsync apply --stage` again to build a new generation"
    found = read_state_file(path, FORMAT, hint=hint)
    if found is None:
        return None
    stored: dict[str, Any] = found
    try:
        return StagedNote(
            desired=require_text(stored["desired"]),
            prior=require_text(stored["prior"]),
            action=require_text(stored["action"]),
            reasons=tuple(
                (require_text(one), require_text(two), require_text(three)) for one, two, three in stored["reasons"]
            ),
            drifted=require_bool(stored["drifted"]),
            staged=require_time(stored["staged"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedStateError(f"`{path}` is damaged: it does not describe a staged generation", hint=hint) from error
