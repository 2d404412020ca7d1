"""`python -m benchmarks`: prepare, measure, and write results.json and the tables in docs/performance.md."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.environments import Setup, remove
from benchmarks.kernel import drop_names
from benchmarks.operation import measure
from benchmarks.operations import FULL, QUICK, Prepare, Sizes, operations
from benchmarks.package_sets import read_package_sets
from benchmarks.results import Result, Results, new_results, read_results, result_of
from benchmarks.table import put_into, render
from benchmarks.timing import starter
from benchmarks.tools import base_interpreter, clean_environment, install_tools, tools_of_this_environment

_HERE = Path(__file__).parent
_DOCUMENT = _HERE.parent / "docs/performance.md"


def _arguments() -> argparse.Namespace:
    found = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    found.add_argument(
        "--only", action="append", metavar="OPERATION", help="run only this one (repeatable); keeps other results"
    )
    found.add_argument("--list", action="store_true", help="list the operations and exit")
    found.add_argument("--rounds", type=int, help="rounds that count (default: 9, with --quick 3)")
    found.add_argument("--sizes", metavar="N,N", help="environments per operation (default: 1,10,100,1000)")
    found.add_argument(
        "--quick",
        action="store_true",
        help="test the harness: small sizes, 3 rounds, only the tools of this environment",
    )
    found.add_argument(
        "--work", type=Path, help="directory for environments, on a real disk (default: next to the repository)"
    )
    found.add_argument("--keep", action="store_true", help="reuse prepared environments in --work, and keep them")
    found.add_argument("--packages", type=Path, default=_HERE / "packages.yaml", help="packages to install")
    found.add_argument("--index", default="", metavar="URL", help="package index (default: that of the tools)")
    found.add_argument("--output", type=Path, default=_HERE / "results.json", help="default: benchmarks/results.json")
    found.add_argument("--document", type=Path, default=_DOCUMENT, help="default: docs/performance.md")
    return found.parse_args()


def main() -> int:
    """Run the benchmarks; return 0 whether or not the aims are met, and 2 for an unknown operation."""
    options = _arguments()
    catalogue = operations(_sizes(options))
    if options.list:
        print("\n".join(catalogue))
        return 0
    chosen = options.only or list(catalogue)
    unknown = [name for name in chosen if name not in catalogue]
    if unknown:
        print(f"unknown operation: {', '.join(unknown)}; --list prints all operations", file=sys.stderr)
        return 2
    options.rounds = options.rounds or (3 if options.quick else 9)
    with _prepared_setup(options) as setup:
        results = _begin(options, setup)
        for name in chosen:
            began = time.monotonic()
            results.add(_result(name, catalogue[name], setup, options), order=list(catalogue))
            results.write(options.output)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(render(results))
    put_into(options.document, results)
    return 0


def _result(name: str, prepare: Prepare, setup: Setup, options: argparse.Namespace) -> Result:
    """Prepare and measure one operation; the result of one that cannot run here says why."""
    if options.quick and name.startswith("cold"):  # it would slow down everything else on the machine
        return Result(name=name, title=name, not_run="not run with --quick")
    operation = prepare(setup)
    if operation is None:
        return Result(name=name, title=name, not_run="needs root, on Linux")
    if not options.quick:
        drop_names()  # of the previous operation; a warm-up round follows
    return result_of(operation, measure(operation, setup.starter, options.rounds, warm_up=not options.quick))


def _sizes(options: argparse.Namespace) -> Sizes:
    if options.quick:
        return QUICK
    if not options.sizes:
        return FULL
    counts = tuple(sorted({int(each) for each in options.sizes.split(",")}))
    return replace(FULL, counts=counts, check_counts=tuple(each for each in counts if each <= max(FULL.check_counts)))


def _begin(options: argparse.Namespace, setup: Setup) -> Results:
    """Return the results to add to: the existing ones if only some operations run."""
    fresh = new_results(setup.tools, options.rounds)
    if options.only and options.output.exists():
        fresh.operations = read_results(options.output).operations
    return fresh


@contextmanager
def _prepared_setup(options: argparse.Namespace) -> Iterator[Setup]:
    """Yield a work directory with the tools in it, which is removed afterwards unless `--keep` is given."""
    beside = _HERE.parents[1]
    work = options.work.resolve() if options.work else Path(tempfile.mkdtemp(prefix="envsync-benchmarks-", dir=beside))
    work.mkdir(parents=True, exist_ok=True)
    if any(work.iterdir()) and not options.keep:
        raise SystemExit(f"{work} is not empty; add --keep to reuse its environments, or name a different directory")
    rounds = Path(tempfile.mkdtemp(prefix="rounds-", dir=work))
    try:
        sets = read_package_sets(options.packages)
        tools = tools_of_this_environment() if options.quick else install_tools(work / "tools", base_interpreter())
        with starter(work, clean_environment(work / "home", work / "tools")) as running:
            yield Setup(work=work, rounds=rounds, tools=tools, sets=sets, starter=running, index=options.index)
    finally:
        remove(rounds if options.keep else work)


if __name__ == "__main__":
    sys.exit(main())
