"""One event of every kind, and one result of every kind."""

from reconciler.events import (
    EnvironmentFinished,
    Event,
    Failure,
    Notice,
    RunFinished,
    RunStarted,
    Status,
    StepFinished,
    StepStarted,
)

FAILURE = Failure(
    code="probe",
    message="probe `import django` failed with exit code 1",
    hint="run `envsync run web -- python -c 'import django'`",
    details=("Traceback (most recent call last):", '\tFile "<string>", line 1', "ModuleNotFoundError: django"),
)
CREATED = EnvironmentFinished(environment="tools", status=Status.APPLIED, action="create", generation=1, seconds=1.2345)
FAILED = EnvironmentFinished(
    environment="web", status=Status.FAILED, action="update", generation=7, seconds=75.2, failure=FAILURE
)
HOOK_FAILED = EnvironmentFinished(
    environment="jobs", status=Status.HOOK_FAILED, action="replace", generation=2, seconds=2.0, failure=FAILURE
)
BLOCKED = EnvironmentFinished(
    environment="cron",
    status=Status.BLOCKED,
    action="update",
    reason="dependency-failed",
    failure=Failure(code="dependency-failed", message="it depends on `web`", hint=""),
)
INTERRUPTED = EnvironmentFinished(
    environment="test",
    status=Status.INTERRUPTED,
    action="create",
    failure=Failure(code="interrupted", message="interrupted; nothing is half-done", hint=""),
)
UNCHANGED = EnvironmentFinished(environment="same", status=Status.UNCHANGED, action="no-op", generation=4)
DELETED = EnvironmentFinished(environment="old", status=Status.APPLIED, action="delete", seconds=0.04)
ENDS = (CREATED, FAILED, HOOK_FAILED, BLOCKED, INTERRUPTED, UNCHANGED, DELETED)

EVENTS: tuple[Event, ...] = (
    RunStarted(plan="sha256:0", project="acme", environments=tuple(each.environment for each in ENDS)),
    Notice(message="an adoption that was cut short was undone", environment="web"),
    Notice(message="the cache could not be kept"),
    StepStarted(environment="tools", step="build"),
    StepFinished(environment="tools", step="build", seconds=1.0004, detail="14 packages"),
    StepStarted(environment="tools", step="record"),
    StepFinished(environment="tools", step="record", seconds=0.0),
    *ENDS,
    RunFinished(environments=ENDS),
)
