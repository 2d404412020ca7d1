"""Tests mutants of any module in copies of the checkout, with the tests that reach the changed place.

Most need no copy of their own: a session (tests/mutation/in_session.py) tests them in memory. The tests with the best
chance to fail come first: the module's own unit tests, then quick ones that reach little else. The tests of a file come
in several parts, so that within the budget every file has its turn.
"""

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
from tests.mutation.mutants import Mutant
from tests.mutation.places import function_of
from tests.mutation.reached import Measured

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
    """Whether a mutant was killed; `why` is the first test that failed, or how many tests were run."""

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


def reached_places(mutant: Mutant, measured: Mapping[str, Measured]) -> set[str]:
    """Return the names of the places that show a mutant: a test that reaches none of them cannot notice it.

    It is the place of the mutant; all those of its function if that was changed after the measurement; or its module,
    if it is executed at the import.
    """
    if not mutant.place:
        return {mutant.file}
    version = mutant.place.rpartition(" ")[0] + " "
    if any(name.startswith(version) for each in measured.values() for name in each.bits):
        return {mutant.place}
    function = function_of(mutant.place)
    return {name for each in measured.values() for name in each.bits if " " in name and function_of(name) == function}


def ordered_parts(mutant: Mutant, measured: Mapping[str, Measured], *, elsewhere: bool = False) -> list[Part]:
    """Return the tests that reach a mutant, those with the best chance to fail first.

    With `elsewhere` they are those that reach it in a new interpreter.
    """
    names = reached_places(mutant, measured)
    unit = PurePosixPath("tests", *PurePosixPath(mutant.file).parts[1:-1]).as_posix() + "/"
    own = f"{unit}test_{PurePosixPath(mutant.file).name}"
    found: list[tuple[tuple[object, ...], Part]] = []
    for file, each in measured.items():
        reaching = each.reaching(names, elsewhere=elsewhere)
        breadth = sum(test.reached.bit_count() * test.seconds for test in reaching.values())
        for number, part in enumerate(_parts(file, {name: test.seconds for name, test in reaching.items()})):
            is_unit = file.startswith(unit) and unit != "tests/"
            found.append(((file != own, not is_unit, number, breadth, file), part))
    return [part for _, part in sorted(found, key=lambda each: each[0])]


def within(parts: Sequence[Part], budget: float) -> list[Part]:
    """Return the first parts that take about `budget` seconds, at least one."""
    found: list[Part] = []
    for part in parts:
        if found and sum(each.seconds for each in found) + part.seconds > budget:
            break
        found.append(part)
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
    if not parts:
        return mutant, before.get(mutant.location, Verdict(killed=False, why="no test executes it"))
    checkout = checkouts.get()
    try:
        with checkout.changed(mutant.file, mutant.source):
            return mutant, _verdict(checkout, parts, measured, budget)
    finally:
        checkouts.put(checkout)


def _verdict(checkout: Checkout, parts: Sequence[Part], measured: Mapping[str, Measured], budget: float) -> Verdict:
    run = 0
    for portion in portions(within(parts, budget)):
        usual = sum(part.seconds for part in portion)
        files = list(dict.fromkeys(part.file for part in portion))
        wanted = {name for part in portion for name in part.tests}
        left_out = [name for file in files for name in measured[file].tests if name not in wanted]
        tested = checkout.test(
            files,
            seconds=START_SECONDS + 10 * usual,
            processor_seconds=START_SECONDS / 2 + 5 * usual,
            options=("-p", "tests.mutation.selected_tests"),
            variables={"LEFT_OUT_TESTS": checkout.listed(left_out)},
        )
        if not tested.passed:
            return Verdict(killed=True, why=tested.first_failure)
        run += len(wanted)
    left = sum(len(part.tests) for part in parts) - run
    return Verdict(killed=False, why=f"{run} tests in copies" + (f"; {left} others take too long" if left else ""))
