"""What apply emits while it works, and what it comes to in the end. The core emits; only `render` prints."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self, TypeAlias

from reconciler.errors import EnvsyncError


class Status(StrEnum):
    """How one environment, or a whole run, ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    FAILED = "failed"  # before publish: what was live is live
    HOOK_FAILED = "hook-failed"  # published, but a hook failed
    BLOCKED = "blocked"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The first event; `environments` are those that will be worked on, in order."""

    plan: str
    project: str
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step of `reconciler.plan.model.StepKind` began."""

    environment: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step ended well; `seconds` is wall time, `detail` a short sentence (may be empty)."""

    environment: str
    step: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something failed: a stable code, a message, a hint, and a child's last lines, all unescaped."""

    code: str
    message: str
    hint: str = ""
    details: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: EnvsyncError, *, late: str = "") -> Self:
        """Return what an error says; `late` is added to its message."""
        return cls(code=error.code, message=error.message + late, hint=error.hint or "", details=tuple(error.details))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFinished:
    """One environment is done with; `generation` is the one published now (0: none)."""

    environment: str
    status: Status
    action: str
    generation: int = 0
    seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something worth telling that is nobody's failure (a leftover cleared away, a cache that could not be kept)."""

    message: str
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The last event: the whole run's result; `failure` is of the garbage collection after it, and none of theirs."""

    environments: tuple[EnvironmentFinished, ...]
    interrupted: bool = False
    failure: Failure | None = None

    @property
    def exit_code(self) -> int:
        """Return the exit code of design section 9: 0 done, 1 nothing succeeded, 4 some did, 130 interrupted."""
        if self.interrupted:
            return 130
        statuses = {each.status for each in self.environments}
        # A hook before a delete that fails leaves the environment as it was: it has failed, and a hook has.
        failures = {each.failure.code for each in self.environments if each.failure is not None}
        if Status.HOOK_FAILED in statuses | failures:
            return 4
        if Status.FAILED in statuses:
            return 4 if Status.APPLIED in statuses else 1
        return 4 if Status.BLOCKED in statuses or self.failure is not None else 0


Event: TypeAlias = RunStarted | StepStarted | StepFinished | EnvironmentFinished | Notice | RunFinished
