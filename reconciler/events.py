"""The events that apply emits while it works, and the result of a run. The core emits them; only `cli` prints."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self, TypeAlias

from reconciler import exit_codes
from reconciler.errors import EnvsyncError

LOCK_FAILED = "lock-failed"  # the `reconciler.diff.model.ReasonCode`, which this layer must not import


class Status(StrEnum):
    """How the run ended for one environment."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    FAILED = "failed"  # before publish, so the previous generation is still published
    HOOK_FAILED = "hook-failed"  # after publish
    BLOCKED = "blocked"
    HELD = "held"  # left alone until it is released
    INTERRUPTED = "interrupted"
    STAGED = "staged"  # built, and not published yet
    LEFT = "left"  # to an apply without `--stage`
    UNHEALTHY = "unhealthy"  # after publish; the new generation stays published
    ROLLED_BACK = "rolled-back"  # after publish, so the previous generation is published again


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The first event; `plan` is the plan's digest, `environments` are those that will be changed, in order."""

    plan: str
    project: str
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step began; `step` is a value of `reconciler.plan.model.StepKind`."""

    environment: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step succeeded; `seconds` is wall time, `detail` a short sentence, or empty."""

    environment: str
    step: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something failed: a stable code, a message, a hint, and the last lines of a child process.

    No text in it is escaped.
    """

    code: str
    message: str
    hint: str
    details: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: EnvsyncError, *, suffix: str = "") -> Self:
        """Return an error as a failure; `suffix` ends its message."""
        return cls(code=error.code, message=error.message + suffix, hint=error.hint or "", details=tuple(error.details))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFinished:
    """One environment is finished; `generation` is the number of the published generation (0: none).

    `staged` is that of the generation that was staged (0: none).

    `reason` is the code of the reason why it is blocked, a value of `reconciler.diff.model.ReasonCode` (empty: it is
    not).
    """

    environment: str
    status: Status
    action: str
    reason: str = ""
    generation: int = 0
    staged: int = 0
    seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A remark that is not a failure, such as a directory that was not deleted."""

    message: str
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The last event: the result of the whole run; `failure` is that of the garbage collection after it."""

    environments: tuple[EnvironmentFinished, ...]
    interrupted: bool = False
    failure: Failure | None = None

    @property
    def exit_code(self) -> int:
        """Return the exit code (docs/design.md, "Exit codes")."""
        if self.interrupted:
            return exit_codes.INTERRUPTED
        statuses = {each.status for each in self.environments}
        # If a hook before a delete fails, the environment is kept: its status is failed, its code is hook-failed.
        codes = {each.failure.code for each in self.environments if each.failure is not None}
        if {Status.HOOK_FAILED, Status.UNHEALTHY, Status.ROLLED_BACK} & (statuses | codes):
            return exit_codes.PARTLY_APPLIED
        if Status.FAILED in statuses or any(each.reason == LOCK_FAILED for each in self.environments):
            done = {Status.APPLIED, Status.STAGED} & statuses
            return exit_codes.PARTLY_APPLIED if done else exit_codes.FAILURE
        incomplete = Status.BLOCKED in statuses or self.failure is not None
        return exit_codes.PARTLY_APPLIED if incomplete else exit_codes.SUCCESS


Event: TypeAlias = RunStarted | StepStarted | StepFinished | EnvironmentFinished | Notice | RunFinished
