# pyright: strict
"""A user's script: report drift every night, and apply pending changes if nothing else differs.

It is run, and checked by mypy and pyright in their strictest modes, by `tests/api/test_api.py`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import reconciler
from reconciler import (
    Action,
    ApplyOptions,
    Depth,
    EnvironmentFinished,
    EnvironmentPlan,
    Event,
    Origin,
    PlanOptions,
    Policy,
    RunFinished,
    Selection,
    Status,
)


def drifted(plan: reconciler.Plan) -> Iterator[EnvironmentPlan]:
    """Yield the environments that were changed outside envsync."""
    for environment in plan.environments:
        if any(reason.origin is not Origin.PENDING for reason in environment.reasons):
            yield environment


def show(event: Event) -> None:
    """Print a line for each environment that is done."""
    if isinstance(event, EnvironmentFinished) and event.status is Status.APPLIED:
        print(f"{event.environment}: generation {event.generation}")


def nightly(manifest: Path, *labels: str) -> int:
    """Return the exit code: 0 if everything matches the manifest in the end, 2 for drift, 1 for a failure."""
    chosen = Selection(labels=dict(label.split("=", 1) for label in labels))
    options = PlanOptions(depth=Depth.FILES, policy=Policy(prune=False), resolve=False)
    proposal = reconciler.load(manifest).plan(chosen, options)
    for environment in drifted(proposal.plan):
        findings = ", ".join(finding.path or finding.code.value for finding in environment.findings)
        changes = ", ".join(f"{each.name}: {each.before} -> {each.after}" for each in environment.packages)
        print(f"{environment.name}: {environment.action.value}: {findings or changes}")
        return 2
    if all(environment.action is Action.NO_OP for environment in proposal.plan.environments):
        return 0
    result: RunFinished = proposal.apply(ApplyOptions(parallelism=2), on_event=show, timeout=30.0)
    return 1 if result.exit_code else 0


if __name__ == "__main__":
    try:
        sys.exit(nightly(Path(sys.argv[1]), *sys.argv[2:]))
    except reconciler.ManifestError as error:
        for problem in error.problems:
            print(f"{problem.place}: {problem.message}", file=sys.stderr)
        sys.exit(3)
    except reconciler.EnvsyncError as error:
        print(f"{error.code}: {error.message}\n{error.hint or ''}", file=sys.stderr)
        sys.exit(1)
