"""What `rollback`, `hold` or `release` did to one environment, which no plan describes."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.state.hold import Hold


class ChangeKind(StrEnum):
    """What was done."""

    ROLLBACK = "rollback"  # an older generation replaces the published one
    RESTORE = "restore"  # a generation is published where none was: the environment was deleted, or its path
    RESTORE_ADOPTED = "restore-adopted"  # what `--adopt` replaced is back at the path, and is not managed now
    HOLD = "hold"  # what is published stays published
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedEnvironment:
    """One environment after the change.

    `generation` is the number of the published generation (0: none). `replaced` is the generation that a
    rollback replaced and kept (0: none). `rebuilt_from` is the generation from whose lock it was rebuilt (0: an apply
    built it). `hold` is why applies leave the environment alone now (None: they do not), `released` the hold that
    ended.
    """

    name: str
    action: ChangeKind
    generation: int
    replaced: int = 0
    rebuilt_from: int = 0
    hold: Hold | None = None
    released: Hold | None = None
