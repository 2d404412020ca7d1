"""Changes the code of envsync in one place at a time, and checks that a test fails: a mutation run.

`python -m tests.mutation` inverts each comparison and branch of the pure stages, in memory. `--sample COUNT` runs a
random sample of the mutants of all packages, `--changed REVISION` those of the changed lines: in a copy of the
checkout, with the tests that execute the changed function. `--only TEXT` runs those whose location contains TEXT. Each
survivor needs a reason in tests/mutation/survivors.yaml. The run fails for a survivor without a reason (a sample: if
more than 5 % have none), and in memory for a reason without a survivor; other tests may kill more. It exits with 2 if
the tests fail without a mutant: then a mutant shows nothing. At the end the survivors are listed by package and by kind
of change, and `--out FILE` writes their locations for `--again FILE`.
"""

import argparse
import itertools
import random
import re
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import yaml

from tests.mutation.changed_lines import changed_lines, is_changed
from tests.mutation.in_copy import verdicts
from tests.mutation.in_memory import STAGES, survivors_in_memory, tests_pass_unchanged
from tests.mutation.measurements import files_of_tests, load, unmeasured
from tests.mutation.mutants import ROOT, Mutant, mutants_in
from tests.mutation.reached import measure

REASONS = ROOT / "tests" / "mutation" / "survivors.yaml"
TOLERATED = 0.05  # of a sample: survivors without a reason


def main() -> int:
    """Run the chosen mutants; return 1 if too many survive, or a reason has no survivor; 2 if tests fail anyway."""
    options = _options()
    if options.measure:
        measure(_to_measure(options.measure), options.jobs)
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
            print(f"measuring {len(missing)} test files, which takes as long as running them", flush=True)
            measure(missing, options.jobs)
        if earlier := len(unmeasured(exactly=True)):
            print(f"{earlier} test files reach code that changed since they were measured: `--measure all` is exact")
        found = verdicts(chosen, load(), budget=options.budget, jobs=options.jobs)
        alive = {location for location, each in found.items() if not each.killed}
    elif tests_pass_unchanged(chosen):
        alive = {each.location for each in survivors_in_memory(chosen)}
    else:
        print("the tests fail without a mutant: fix them first")
        return 2
    if options.out:
        unexplained = sorted(alive - reasons.keys())
        Path(options.out).write_text("".join(f"{each}\n" for each in unexplained), encoding="utf-8")
    needless = set() if everywhere else {each.location for each in chosen} & reasons.keys() - alive
    unexplained_mutants = [each for each in chosen if each.location in alive - reasons.keys()]
    return _report(unexplained_mutants, needless, chosen=len(chosen), killed=len(chosen) - len(alive), options=options)


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
    parser.add_argument("--out", metavar="FILE", help="write the locations of the survivors without a reason to FILE")
    parser.add_argument(
        "--budget", type=float, default=120, metavar="SECONDS", help="of processor time, for the tests of each mutant"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="COUNT", help="test so many mutants, or measure so many files, at a time"
    )
    parser.add_argument(
        "--measure",
        metavar="FILES",
        help="find out which tests reach what, and end: of `new` files (those that changed, also in their cases and "
        "helpers), of `all` (also those that reach changed code), or of those below a path",
    )
    parser.add_argument("--measured", action="store_true", help="measure nothing first: use what is known")
    return parser.parse_args()


def _to_measure(which: str) -> list[str]:
    if which in {"new", "all"}:
        return unmeasured(exactly=which == "all")
    return [each for each in files_of_tests() if each.startswith(which)]


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


@cache
def _has_nonlocal(path: Path) -> bool:
    return re.search(r"^\s+nonlocal ", path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def _compiles(mutant: Mutant) -> bool:
    """Return whether the changed source is valid: a removed assignment may leave a `nonlocal` without its variable."""
    if not _has_nonlocal(mutant.path):
        return True
    try:
        compile(mutant.source, mutant.file, "exec")
    except SyntaxError:
        return False
    return True


def _report(
    unexplained: list[Mutant], needless: set[str], *, chosen: int, killed: int, options: argparse.Namespace
) -> int:
    """Print the survivors without a reason, and the reasons without a survivor; return the exit code."""
    for line in grouped(unexplained):
        print(line)
    for location in sorted(needless):
        print("reason without a survivor:", location)
    share = len(unexplained) / chosen
    print(
        f"{chosen} mutants: {killed} killed, {chosen - killed} survived, {len(unexplained)} unexplained ({share:.1%})"
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{(used.ru_utime + used.ru_stime) / chosen:.1f} seconds of processor time for each mutant")
    return 1 if share > (TOLERATED if options.sample else 0) or needless else 0


def grouped(survivors: Iterable[Mutant]) -> Iterator[str]:
    """Yield the survivors as lines by package, and how many there are of each kind of change."""
    ordered = sorted(survivors, key=lambda each: (_package(each), each.location))
    for package, group in itertools.groupby(ordered, _package):
        found = list(group)
        yield f"{package}: {_survive(len(found))}"
        for each in found:
            yield f"  survivor without a reason: {each.location}"
    for kind, number in Counter(each.change.kind for each in ordered).most_common():
        yield f"{kind}: {_survive(number)}"


def _survive(number: int) -> str:
    return f"{number} {'survives' if number == 1 else 'survive'}"


def _package(mutant: Mutant) -> str:
    return mutant.file.rpartition("/")[0]


if __name__ == "__main__":
    sys.exit(main())
