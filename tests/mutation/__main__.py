"""Changes the code of envsync in one place at a time, and checks that a test fails: a mutation run.

`python -m tests.mutation` inverts each comparison and branch of the pure stages, in memory. `--sample COUNT` runs a
random sample of the mutants of all packages, `--changed REVISION` those of the changed lines: in a copy of the
checkout, with the tests that execute the changed function. `--only TEXT` runs those whose location contains TEXT. Each
survivor needs a reason in tests/mutation/survivors.yaml. The run fails for a survivor without a reason (a sample: if
more than 5 % have none), and in memory for a reason without a survivor; other tests may kill more. It exits with 2 if
the tests fail without a mutant: then a mutant shows nothing.
"""

import argparse
import random
import resource
import sys
from pathlib import Path

import yaml

from tests.mutation.changed_lines import changed_lines, is_changed
from tests.mutation.in_copy import verdicts
from tests.mutation.in_memory import STAGES, survivors_in_memory, tests_pass_unchanged
from tests.mutation.mutants import ROOT, Mutant, mutants_in
from tests.mutation.reached import files_of_tests, load, measure, unmeasured

REASONS = ROOT / "tests" / "mutation" / "survivors.yaml"
TOLERATED = 0.05  # of a sample: survivors without a reason


def main() -> int:
    """Run the chosen mutants; return 1 if too many survive, or a reason has no survivor; 2 if tests fail anyway."""
    options = _options()
    if options.measure:
        measure(
            unmeasured()
            if options.measure == "new"
            else [each for each in files_of_tests() if options.measure == "all" or each.startswith(options.measure)]
        )
        return 0
    reasons: dict[str, str] = yaml.safe_load(REASONS.read_text(encoding="utf-8")) or {}
    chosen = _chosen(options)
    if options.list:
        print("\n".join(each.location for each in chosen))
        return 0
    if not chosen:
        print("no mutant matches")
        return 0 if options.changed else 1
    everywhere = _everywhere(options)
    if everywhere:
        missing = [] if options.measured else unmeasured()
        if missing:
            print(f"measuring {len(missing)} test files, which takes as long as running them")
            measure(missing)
        found = verdicts(chosen, load(), budget=options.budget, jobs=options.jobs)
        alive = {location for location, each in found.items() if not each.killed}
    elif tests_pass_unchanged(chosen):
        alive = {each.location for each in survivors_in_memory(chosen)}
    else:
        print("the tests fail without a mutant: fix them first")
        return 2
    needless = set() if everywhere else {each.location for each in chosen} & reasons.keys() - alive
    return _report(
        alive - reasons.keys(), needless, chosen=len(chosen), killed=len(chosen) - len(alive), options=options
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation run.")
    parser.add_argument("--only", action="append", metavar="TEXT", help="run only mutants whose location contains TEXT")
    parser.add_argument("--list", action="store_true", help="print the locations and run nothing")
    parser.add_argument(
        "--sample", type=int, metavar="COUNT", help="run a random sample of the mutants of all packages"
    )
    parser.add_argument("--seed", type=int, default=0, help="choose another sample")
    parser.add_argument("--changed", metavar="REVISION", help="run the mutants of the lines changed since a revision")
    parser.add_argument("--all-tests", action="store_true", help="with --only: all packages, with all tests")
    parser.add_argument("--again", metavar="FILE", help="run the mutants whose locations FILE contains, one a line")
    parser.add_argument("--budget", type=float, default=120, metavar="SECONDS", help="of tests for each mutant")
    parser.add_argument("--jobs", type=int, default=1, metavar="COUNT", help="test so many mutants at a time")
    parser.add_argument(
        "--measure",
        metavar="FILES",
        help="find out which tests reach what, and end: `all` files, `new` ones, or those below a path",
    )
    parser.add_argument("--measured", action="store_true", help="use only the test files that are measured already")
    return parser.parse_args()


def _everywhere(options: argparse.Namespace) -> bool:
    """Return whether the mutants are those of all packages, tested in a copy."""
    return bool(options.sample or options.changed or options.all_tests or options.again)


def _chosen(options: argparse.Namespace) -> list[Mutant]:
    everywhere = _everywhere(options)
    directories = ("reconciler",) if everywhere else STAGES
    paths = sorted(path for each in directories for path in (ROOT / each).rglob("*.py"))
    wanted: list[str] = options.only or [""]
    found = [
        each for each in mutants_in(paths, decisions=not everywhere) if any(text in each.location for text in wanted)
    ]
    if options.changed:
        lines = changed_lines(options.changed)
        found = [each for each in found if is_changed(each, lines)]
    if options.again:
        again = set(Path(options.again).read_text(encoding="utf-8").splitlines())
        found = [each for each in found if each.location in again]
    if options.sample:
        random.Random(options.seed).shuffle(found)  # noqa: S311
        return [each for each in found[: 2 * options.sample] if _compiles(each)][: options.sample]
    return [each for each in found if _compiles(each)]


def _compiles(mutant: Mutant) -> bool:
    """Return whether the changed source is valid; a removed assignment may leave a `nonlocal` without its variable."""
    try:
        compile(mutant.source, mutant.file, "exec")
    except SyntaxError:
        return False
    return True


def _report(unexplained: set[str], needless: set[str], *, chosen: int, killed: int, options: argparse.Namespace) -> int:
    """Print the survivors without a reason, and the reasons without a survivor; return the exit code."""
    for location in sorted(unexplained):
        print("survivor without a reason:", location)
    for location in sorted(needless):
        print("reason without a survivor:", location)
    share = len(unexplained) / chosen
    print(
        f"{chosen} mutants: {killed} killed, {chosen - killed} survived, {len(unexplained)} unexplained ({share:.1%})"
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{(used.ru_utime + used.ru_stime) / chosen:.1f} seconds of processor time for each mutant")
    return 1 if share > (TOLERATED if options.sample else 0) or needless else 0


if __name__ == "__main__":
    sys.exit(main())
