"""Reads every kind of file with every value at its largest (tests/README.md, "Tests of the tests").

    python -m tests.bounded [--only TEXT] [--case TEXT] [--sample N] [--seed N]

Prints each case that takes more than two seconds of processor time or ends with an error that no command expects, and
exits with 1 if there is one.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.bounded.inputs import INPUTS
from tests.bounded.run import outcome

_MOST_SECONDS = 2.0


def main() -> int:
    """Run the cases that the command line selects."""
    parser = argparse.ArgumentParser(prog="python -m tests.bounded")
    parser.add_argument("--only", default="", help="only inputs whose name contains this text")
    parser.add_argument("--case", default="", help="only cases whose name ends with this text")
    parser.add_argument("--sample", type=int, default=0, help="only so many cases of each input")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=float, default=_MOST_SECONDS, help="seconds of processor time")
    chosen = parser.parse_args()
    failed = total = 0
    for each in INPUTS:
        if chosen.only not in each.name:
            continue
        cases = [case for case in each.texts(each.largest - 100) if case[0].endswith(chosen.case)]
        if chosen.sample:
            cases = random.Random(chosen.seed).sample(cases, min(chosen.sample, len(cases)))  # noqa: S311  # for tests
        slowest = 0.0
        for name, make in cases:
            with tempfile.TemporaryDirectory() as directory:
                seconds, problem = outcome(each.read, Path(directory), make(), most=10 * _MOST_SECONDS)
            slowest = max(slowest, seconds)
            if problem or seconds > chosen.most:
                failed += 1
                print(f"{each.name}: {name}: {seconds:.1f} s {problem}", flush=True)
        total += len(cases)
        print(f"{each.name}: {len(cases)} cases, the slowest took {slowest:.2f} s", flush=True)
    print(f"{total} cases, {failed} of them failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
