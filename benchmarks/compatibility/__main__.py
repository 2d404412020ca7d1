"""`python -m benchmarks.compatibility`: apply requirement sets, and write results.json and docs/compatibility.md."""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from benchmarks.compatibility.results import Results, put_into, read_results, write_results
from benchmarks.compatibility.sets import RequirementSet, read_sets, sample
from benchmarks.compatibility.trial import Outcome, run_trial
from benchmarks.tools import base_interpreter

_HERE = Path(__file__).parent
_DOCUMENT = _HERE.parents[1] / "docs/compatibility.md"


def _arguments() -> argparse.Namespace:
    found = argparse.ArgumentParser(prog="python -m benchmarks.compatibility", description=__doc__)
    found.add_argument("--sample", type=int, default=0, metavar="N", help="only N sets, evenly spread (default: all)")
    found.add_argument("--jobs", type=int, default=1, metavar="N", help="sets at the same time (default: 1)")
    found.add_argument("--only", action="append", metavar="NAME", help="only this set or stack (repeatable)")
    found.add_argument("--failed", action="store_true", help="only the sets that did not apply, or have not run")
    found.add_argument("--large", action="store_true", help="also the sets that need more than 1 GB of downloads")
    found.add_argument("--list", action="store_true", help="list the sets and exit")
    found.add_argument("--python", type=Path, default=base_interpreter(), help="the interpreter for all environments")
    found.add_argument("--work", type=Path, help="directory for environments and packages (default: a temporary one)")
    found.add_argument("--output", type=Path, default=_HERE / "results.json")
    found.add_argument("--document", type=Path, default=_DOCUMENT)
    return found.parse_args()


def main() -> int:
    """Apply the chosen sets; return 1 if one fails that uv can install, otherwise 0."""
    options = _arguments()
    results = read_results(options.output)
    chosen = _chosen(options, results)
    if options.list:
        print("\n".join(f"{each.name}: {', '.join(each.requirements)}" for each in chosen))
        return 0
    with tempfile.TemporaryDirectory(prefix="envsync-compatibility-") as temporary:
        work = options.work or Path(temporary)
        with ThreadPoolExecutor(max_workers=options.jobs) as pool:
            trials = {pool.submit(run_trial, each, work.resolve(), options.python): each for each in chosen}
            for number, trial in enumerate(as_completed(trials), 1):
                outcome = trial.result()
                print(_line(number, len(trials), outcome), flush=True)
                results.add(outcome)
                write_results(results, options.output, options.python)
    if options.document.exists():
        put_into(options.document, results, read_sets(_HERE / "sets.yaml"))
    return int(any(each.result == "fails" for each in results.outcomes.values()))


def _chosen(options: argparse.Namespace, results: Results) -> tuple[RequirementSet, ...]:
    sets = [each for each in read_sets(_HERE / "sets.yaml") if options.large or not each.large]
    if options.only:
        sets = [each for each in sets if {each.name, each.stack} & set(options.only)]
    if options.failed:
        sets = [each for each in sets if results.result_of(each.name) != "applied"]
    return sample(sets, options.sample or len(sets))


def _line(number: int, total: int, outcome: Outcome) -> str:
    failure = f": {outcome.code}: {outcome.message}" if outcome.code else ""
    return f"{number}/{total} {outcome.name} {outcome.result} {outcome.packages} packages {outcome.seconds} s{failure}"


if __name__ == "__main__":
    sys.exit(main())
