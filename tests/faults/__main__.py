"""The long sweep: `python -m tests.faults` tries every point and prints its section of docs/reliability.md."""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.even_sample import evenly
from tests.faults.faults import child_errors, child_kills, errors, kills
from tests.faults.operations import operations
from tests.faults.peers import PEERS
from tests.faults.report import report
from tests.faults.sweep import Trial, Workers, workers
from tests.faults.verdict import Verdict
from tests.installed_pythons import interpreters
from tests.own_state import use_own_state

PARTS = ("kills", "child-kills", "errors", "child-errors", "peers")
_WITH_CHILDREN = ("create", "upgrade")


def _arguments() -> argparse.Namespace:
    names = [each.name for each in operations("", "")]
    found = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    found.add_argument("--part", action="append", choices=PARTS, help="which faults; default: all")
    found.add_argument("--operation", action="append", choices=[*names, *PEERS], help="which operations; default: all")
    found.add_argument("--step", type=int, default=2, help="kill before every N-th call (default: %(default)s)")
    found.add_argument("--error-step", type=int, default=3, help="fail every N-th call (default: %(default)s)")
    found.add_argument("--child-step", type=int, default=12, help="the same in children (default: %(default)s)")
    found.add_argument("--peer-points", type=int, default=40, help="kills of each other tool (default: %(default)s)")
    found.add_argument("--minutes", type=float, default=14.0, help="then an even sample (default: %(default)s)")
    found.add_argument("--jobs", type=int, default=2, help="trials at the same time (default: %(default)s)")
    return found.parse_args()


def main() -> int:
    """Run the sweep; return 1 if a promise of envsync did not hold."""
    options = _arguments()
    use_own_state()
    parts: tuple[str, ...] = tuple(options.part or PARTS)
    own = [each.name for each in operations("", "") if not options.operation or each.name in options.operation]
    peers = [each for each in PEERS if "peers" in parts and (not options.operation or each in options.operation)]
    begun = time.monotonic()
    done: list[tuple[Trial, Verdict]] = []
    with tempfile.TemporaryDirectory(prefix="faults-") as place, workers(Path(place), options.jobs) as crew:
        counted = _count(crew, own if parts != ("peers",) else [], peers)
        trials = _trials(counted, options, parts, peers)
        print(f"{len(trials)} trials", file=sys.stderr)

        def on_result(trial: Trial, verdict: Verdict) -> None:
            done.append((trial, verdict))
            if verdict.bad and trial.operation not in PEERS:
                print(f"{trial.operation} {trial.kind} {trial.fault}\n  {verdict}", file=sys.stderr)
            if len(done) % 25 == 0:
                print(f"{len(done)} of {len(trials)}, {time.monotonic() - begun:.0f} s", file=sys.stderr)

        sample = evenly(trials, lambda each: (each.operation, each.children, each.kind == "kill"))
        crew.run(sample, on_result, until=begun + 60 * options.minutes)
        pip = _pip_version(Path(place))
    series = sorted(each for each in interpreters() if each in {"3.11", "3.12", "3.13"})
    pythons = " and ".join(dict.fromkeys((series[0], series[-1])))
    text = report(trials, done, seconds=time.monotonic() - begun, python=pythons, pip=pip)
    print(text, end="")
    return int(any(verdict.bad for trial, verdict in done if trial.operation not in PEERS))


def _count(crew: Workers, own: list[str], peers: list[str]) -> dict[str, Verdict]:
    """Run each operation once without a fault and count its calls; it must end as intended."""
    counted: dict[str, Verdict] = {}

    def on_result(trial: Trial, verdict: Verdict) -> None:
        if verdict.bad or verdict.code != verdict.intended:
            raise RuntimeError(f"without any fault: {verdict}")
        counted[trial.operation] = verdict

    crew.run([Trial(operation=name, kind="count", fault=None) for name in (*own, *peers)], on_result)
    return counted


def _trials(
    counted: dict[str, Verdict], options: argparse.Namespace, parts: tuple[str, ...], peers: list[str]
) -> list[Trial]:
    found = []
    for name, verdict in counted.items():
        if name in peers:
            step = max(1, len(verdict.calls[0]) // options.peer_points)
            found += [Trial(operation=name, kind="kill", fault=each) for each in kills(verdict, step)]
            continue
        if "kills" in parts:
            found += [Trial(operation=name, kind="kill", fault=each) for each in kills(verdict, options.step)]
        if "errors" in parts:
            made = errors(verdict, options.error_step)
            found += [Trial(operation=name, kind=kind, fault=each) for kind, each in made]
        if name in _WITH_CHILDREN and "child-kills" in parts:
            for each in child_kills(verdict, options.child_step):
                found.append(Trial(operation=name, kind="kill", fault=each, children=True))
        if name in _WITH_CHILDREN and "child-errors" in parts:
            for kind, each in child_errors(verdict, options.child_step):
                found.append(Trial(operation=name, kind=kind, fault=each, children=True))
    order = {name: number for number, name in enumerate((*(each.name for each in operations("", "")), *PEERS))}
    return sorted(found, key=lambda trial: (order[trial.operation], trial.children))


def _pip_version(place: Path) -> str:
    """Return the version of the pip that was tried, or `not run`."""
    for python in place.glob("*/pip install/work/venv/bin/python"):
        done = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, text=True, check=True)
        return done.stdout.split()[1]
    return "not run"


if __name__ == "__main__":
    sys.exit(main())
