"""Tests mutants of any module in a copy of the checkout, with the test files that execute the changed function.

Those with the best chance to fail come first: the module's own unit tests, then quick files that execute little else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tests.checkout import Checkout, copied_checkout
from tests.mutation.mutants import Mutant
from tests.mutation.reached import Measured

# A mutant is tested in portions: most fail in the first, and pytest need not collect the others.
PORTION_SECONDS = 20.0
START_SECONDS = 60.0  # before a portion that does not end counts as a failure, besides ten times its usual time


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a mutant was killed; `why` is the first test that failed, or how many files of tests were run."""

    killed: bool
    why: str


def verdicts(chosen: Sequence[Mutant], measured: Mapping[str, Measured], *, budget: float) -> dict[str, Verdict]:
    """Test mutants one at a time, each for about `budget` seconds; print the results and return them by location."""
    found: dict[str, Verdict] = {}
    with copied_checkout() as checkout:
        for number, mutant in enumerate(chosen, start=1):
            found[mutant.location] = verdict = _verdict(checkout, mutant, measured, budget)
            word = "killed" if verdict.killed else "survived"
            print(f"{number}/{len(chosen)} {word} {mutant.location} ({verdict.why})", flush=True)
    return found


def ordered_tests(mutant: Mutant, measured: Mapping[str, Measured]) -> list[str]:
    """Return the test files that execute a mutant, those with the best chance to fail first."""
    function = f"{mutant.file} {mutant.function}"
    reaching = [
        file
        for file, each in measured.items()
        if each.passes and (function in each.functions if mutant.function else _executes(each, mutant.file))
    ]
    unit = PurePosixPath("tests", *PurePosixPath(mutant.file).parts[1:-1]).as_posix() + "/"
    return sorted(
        reaching,
        key=lambda file: (
            not (file.startswith(unit) and unit != "tests/"),
            measured[file].seconds * len(measured[file].functions),
            file,
        ),
    )


def portions(files: Sequence[str], measured: Mapping[str, Measured]) -> list[list[str]]:
    """Return the files in portions that take about `PORTION_SECONDS`; a longer file is a portion of its own."""
    found: list[list[str]] = []
    left = 0.0
    for file in files:
        if not found or measured[file].seconds > left:
            found.append([])
            left = PORTION_SECONDS
        found[-1].append(file)
        left -= measured[file].seconds
    return found


def _executes(each: Measured, file: str) -> bool:
    """Return whether a test file executes any function of a module."""
    return any(name.startswith(f"{file} ") for name in each.functions)


def _verdict(checkout: Checkout, mutant: Mutant, measured: Mapping[str, Measured], budget: float) -> Verdict:
    files = ordered_tests(mutant, measured)
    if not files:
        return Verdict(killed=False, why="no test executes it")
    run, seconds = 0, 0.0
    with checkout.changed(mutant.file, mutant.source):
        for portion in portions(files, measured):
            usual = sum(measured[file].seconds for file in portion)
            if run and seconds + usual > budget:
                return Verdict(killed=False, why=f"{run} of {len(files)} test files, the others take too long")
            tested = checkout.test(portion, seconds=START_SECONDS + 10 * usual)
            if not tested.passed:
                return Verdict(killed=True, why=tested.first_failure)
            run, seconds = run + len(portion), seconds + usual
    return Verdict(killed=False, why=f"{run} test files")
