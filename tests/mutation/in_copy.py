"""Tests mutants of any module in copies of the checkout, with the tests that reach the changed place.

Most need no copy of their own: a session (tests/mutation/in_session.py) tests them in memory. The tests with the best
chance to fail come first: the module's own unit tests, then quick ones that reach little else. The tests of a file come
in several parts, so that within the budget every file has its turn. A test that also fails without the mutant does not
count. mypy counts like a test (tests/mutation/type_errors.py).
"""

import ast
import json
import os
import queue
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from tests.checkout import Checkout, copied_checkout
from tests.mutation.measurements import Measured
from tests.mutation.mutants import Mutant
from tests.mutation.type_errors import new_type_errors

PART_SECONDS = 5.0  # of the tests of one file
# A mutant is tested in portions: most fail in the first, and pytest need not collect the others.
PORTION_SECONDS = 20.0
SESSION = (
    *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "--timeout=120", "--capture=no"),
    *("-p", "tests.mutation.in_session"),
)
START_SECONDS = 60.0  # before a portion that does not end counts as a failure, besides ten times its usual time


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a mutant was killed; `why` is the first test that failed, a type error, or how many tests were run."""

    killed: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some tests of a test file that reach a mutant, and how many seconds they usually take."""

    file: str
    tests: tuple[str, ...]
    seconds: float


def verdicts(
    chosen: Sequence[Mutant], measured: Mapping[str, Measured], *, budget: float, jobs: int = 1
) -> dict[str, Verdict]:
    """Test mutants, `jobs` at a time, each for about `budget` seconds; print and return the results by location.

    First all of them in one session, and then the survivors in a copy each.
    """
    found = {}
    for location, verdict in session_verdicts(chosen, budget=budget, jobs=jobs):
        found[location] = verdict
        print("killed" if verdict.killed else "survived in memory", location, f"({verdict.why})", flush=True)
    again = [each for each in chosen if each.location not in found or not found[each.location].killed]
    checkouts: queue.SimpleQueue[Checkout] = queue.SimpleQueue()
    with ExitStack() as stack, ThreadPoolExecutor(jobs) as threads:
        for _ in range(jobs):
            checkouts.put(stack.enter_context(copied_checkout()))
        judge = partial(_judge, before=found, checkouts=checkouts, measured=measured, budget=budget)
        for mutant, verdict in threads.map(judge, again):
            found[mutant.location] = verdict
            print("killed" if verdict.killed else "survived", mutant.location, f"({verdict.why})", flush=True)
    return found


def session_verdicts(chosen: Sequence[Mutant], *, budget: float, jobs: int) -> Iterator[tuple[str, Verdict]]:
    """Test mutants in one session of pytest, if that is possible; yield the results by location."""
    with copied_checkout() as checkout:
        request = checkout.directory / "session"
        locations = [each.location for each in chosen]
        request.write_text(json.dumps({"locations": locations, "budget": budget, "jobs": jobs}), encoding="utf-8")
        with subprocess.Popen(
            [sys.executable, *SESSION],
            cwd=checkout.directory,
            env={**os.environ, "PYTHONPATH": str(checkout.directory), "SESSION": str(request)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as run:
            assert run.stdout
            output = []
            for line in run.stdout:
                if not line.startswith('{"location"'):
                    output.append(line)
                    continue
                result = json.loads(line)
                why = result["failed"] or f"{result['tests']} tests"
                yield result["location"], Verdict(killed=bool(result["failed"]), why=why)
        if run.returncode != 0:
            raise RuntimeError(f"the session exits with {run.returncode}:\n{''.join(output)}")


def ordered_parts(mutant: Mutant, measured: Mapping[str, Measured], *, elsewhere: bool = False) -> list[Part]:
    """Return the tests that reach a mutant, those with the best chance to fail first.

    With `elsewhere` they are those that reach it in a new interpreter, at an import, or while tests are collected. If
    no test reached the function before it changed, they are those that reach its module.
    """
    wide = not any(each.reaching(mutant) for each in measured.values())
    return _ordered_parts(mutant, measured, elsewhere=elsewhere, wide=wide)


def _ordered_parts(mutant: Mutant, measured: Mapping[str, Measured], *, elsewhere: bool, wide: bool) -> list[Part]:
    own = str(_unit_tests(mutant) / f"test_{PurePosixPath(mutant.file).name}")
    found: list[tuple[tuple[object, ...], Part]] = []
    for file, each in measured.items():
        reaching = each.reaching(mutant, elsewhere=elsewhere, wide=wide)
        breadth = sum(test.reached.bit_count() * test.seconds for test in reaching.values())
        for number, part in enumerate(_parts(file, {name: test.seconds for name, test in reaching.items()})):
            found.append(((file != own, not is_unit_test(file, mutant), number, breadth, file), part))
    return [part for _, part in sorted(found, key=lambda each: each[0])]


def is_unit_test(file: str, mutant: Mutant) -> bool:
    """Return whether a test file has unit tests of the package that a mutant changes."""
    return PurePosixPath(file).parent == _unit_tests(mutant)


def _unit_tests(mutant: Mutant) -> PurePosixPath:
    return PurePosixPath("tests", *PurePosixPath(mutant.file).parts[1:-1])


def within(parts: Sequence[Part], budget: float) -> list[Part]:
    """Return the parts that take about `budget` seconds together: the first one, and each other that still fits."""
    found: list[Part] = []
    left = budget
    for part in parts:
        if not found or part.seconds <= left:
            found.append(part)
            left -= part.seconds
    return found


def portions(parts: Sequence[Part]) -> list[list[Part]]:
    """Return the parts in portions that take about `PORTION_SECONDS`; a longer part is a portion of its own."""
    found: list[list[Part]] = []
    left = 0.0
    for part in parts:
        if not found or part.seconds > left:
            found.append([])
            left = PORTION_SECONDS
        found[-1].append(part)
        left -= part.seconds
    return found


def _parts(file: str, seconds: Mapping[str, float]) -> list[Part]:
    """Return the tests of a file in parts of about `PART_SECONDS`."""
    found: list[list[str]] = []
    left = 0.0
    for name, usual in seconds.items():
        if not found or usual > left:
            found.append([])
            left = PART_SECONDS
        found[-1].append(name)
        left -= usual
    return [Part(file=file, tests=tuple(names), seconds=sum(seconds[name] for name in names)) for names in found]


def _judge(
    mutant: Mutant,
    *,
    before: Mapping[str, Verdict],
    checkouts: "queue.SimpleQueue[Checkout]",
    measured: Mapping[str, Measured],
    budget: float,
) -> tuple[Mutant, Verdict]:
    """Test a mutant in a copy: if it survived the session, only with the tests that reach it in a new interpreter."""
    parts = ordered_parts(mutant, measured, elsewhere=mutant.location in before)
    checkout = checkouts.get()
    try:
        if errors := new_type_errors(checkout, mutant):
            return mutant, Verdict(killed=True, why=f"mypy: {errors[0]}")
        if not parts:
            return mutant, before.get(mutant.location, Verdict(killed=False, why="no test executes it"))
        return mutant, _verdict(checkout, mutant, parts, measured, budget)
    finally:
        checkouts.put(checkout)


def _verdict(
    checkout: Checkout, mutant: Mutant, parts: Sequence[Part], measured: Mapping[str, Measured], budget: float
) -> Verdict:
    run = 0
    failing: set[str] = set()  # also without the mutant
    waiting = portions(within(parts, budget))
    while waiting:
        portion = waiting[0]
        usual = sum(part.seconds for part in portion)
        files = list(dict.fromkeys(part.file for part in portion))
        wanted = {name for part in portion for name in part.tests} - failing
        left_out = failing.union(*(measured[file].tests for file in files)) - wanted
        run_tests = partial(
            checkout.test,
            seconds=START_SECONDS + 10 * usual,
            processor_seconds=START_SECONDS / 2 + 5 * usual,
            options=("-p", "tests.mutation.selected_tests"),
            variables={"LEFT_OUT_TESTS": checkout.listed(sorted(left_out))},
        )
        with checkout.changed(mutant.file, mutant.source):
            tested = run_tests(files)
        if tested.passed:
            run += len(wanted)
            waiting.pop(0)
            continue
        failure = tested.first_failure
        unchanged = ast.unparse(ast.parse(mutant.path.read_text(encoding="utf-8")))
        with checkout.changed(mutant.file, unchanged):
            if run_tests([failure] if failure in tested.failures else files).passed:
                return Verdict(killed=True, why=failure)
        if failure not in tested.failures or failure in failing:  # not one test: the whole portion shows nothing
            waiting.pop(0)
        failing.add(failure)
    left = sum(len(part.tests) for part in parts) - run
    return Verdict(killed=False, why=f"{run} tests in copies" + (f"; {left} others take too long" if left else ""))
