"""The long run of the state machine: `python -m tests.faults.machine --steps 5000`.

Apply, rollback, gc, destroy, changes of the manifest, manual damage and kills happen to a real host in random order.
After each step the host is compared with a model (`laws.py` has the invariants).
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.real import ground
from tests.faults.rules import Machine

_STEPS_A_HOST = 50
_HOSTS_A_ROUND = 5  # each round has its own seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run did: its `steps` by rule, and its wall time."""

    seed: int
    hosts: int
    steps: Counter[str]
    seconds: float


def run(steps: int, number: int, *, shrink: bool = True, seconds: float = float("inf")) -> Run:
    """Take at least `steps` steps from the seed `number`; raises AssertionError with the steps of a counterexample.

    After `seconds` no new host is begun. The caller must have one thread, because kills fork.
    """
    begun = time.monotonic()
    most = _HOSTS_A_ROUND if seconds == float("inf") else 1
    hosts = 0
    taken: Counter[str] = Counter()
    with ground() as shared:
        while taken.total() < steps and time.monotonic() - begun < seconds:

            class Grounded(Machine):
                ground = shared
                steps = taken

            seed(number + hosts)(Grounded)
            wanted = min(most, -(-(steps - taken.total()) // _STEPS_A_HOST))
            run_state_machine_as_test(Grounded, settings=_settings(wanted, shrink=shrink))
            hosts += wanted
            sys.stderr.write(f"{taken.total()} of {steps} steps, {time.monotonic() - begun:.0f} s\n")
    return Run(seed=number, hosts=hosts, steps=taken, seconds=time.monotonic() - begun)


def _settings(hosts: int, *, shrink: bool) -> settings:
    return settings(
        max_examples=hosts,
        stateful_step_count=_STEPS_A_HOST,
        deadline=None,  # an apply has no time limit here
        database=None,  # the seed reproduces a run
        print_blob=True,
        phases=(Phase.generate, *((Phase.shrink,) if shrink else ())),
        suppress_health_check=list(HealthCheck),  # hosts are slow and large to generate
    )


def section(done: Run) -> str:
    """Return the section of docs/reliability.md for a run without a counterexample."""
    groups: dict[str, Counter[str]] = {}
    for name, count in done.steps.items():
        kind, _, what = name.rpartition(": ")
        groups.setdefault(kind, Counter())[what] = count
    lines = [f"| {name} | {count} |" for name, count in sorted(groups.pop("", Counter()).items())]
    for kind, counts in sorted(groups.items()):
        each = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        lines.append(f"| {kind} ({each}) | {counts.total()} |")
    table = "\n".join(lines)
    return (
        f"{done.steps.total():,} steps on {done.hosts} hosts (seed {done.seed}) without a counterexample, "
        f"{done.seconds / 60:.0f} minutes.\n\n| step | times |\n|---|---:|\n{table}\n"
    )


def main() -> int:
    """Run and print the table; a counterexample ends the run with its traceback and its steps."""
    options = argparse.ArgumentParser(prog="python -m tests.faults.machine", description=__doc__)
    options.add_argument("--steps", type=int, default=5000, help="steps to take (default: %(default)s)")
    options.add_argument("--seed", type=int, default=0, help="the first random seed (default: %(default)s)")
    options.add_argument(
        "--minutes", type=float, default=float("inf"), help="no new host after that (default: no limit)"
    )
    options.add_argument("--no-shrink", action="store_true", help="show the first counterexample without shrinking it")
    chosen = options.parse_args()
    done = run(chosen.steps, chosen.seed, shrink=not chosen.no_shrink, seconds=60 * chosen.minutes)
    sys.stdout.write(section(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
