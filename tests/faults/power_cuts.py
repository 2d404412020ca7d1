"""Make power cuts, two at the same time; each operation has its own process and its own disk."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from tests.faults.even_sample import halving_order
from tests.faults.loop_device import loop_disk
from tests.faults.operations import operations
from tests.faults.power_trial import PowerTrials
from tests.faults.tracer import Fault
from tests.faults.verdict import Verdict
from tests.host import new_host
from tests.installed_pythons import interpreters


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One cut and its verdict; `left_out` names the system call that was left out, if any."""

    operation: str
    verdict: Verdict
    left_out: str = ""

    @property
    def wrong(self) -> bool:
        """Return whether the result is not the promised one: damage, or no damage although a sync was left out."""
        return not self.verdict.torn if self.left_out else self.verdict.bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The numbers of cuts in one operation, after exit 0 and before it, and one for each call that is left out.

    `before` names further calls to cut before, as `Fault.only` does (`syncfs 1`), each at its first and second time.
    """

    operation: str
    after: int = 0
    during: int = 0
    before: Sequence[str] = ()
    left_out: Sequence[str] = ()


def power_cuts(
    directory: Path,
    wanted: Sequence[Wanted],
    on_result: Callable[[Cut], None] = lambda _: None,
    *,
    jobs: int = 2,
    seconds: float = float("inf"),
) -> list[Cut]:
    """Make the cuts and return them in the order of `wanted`; call `on_result` with those of each finished operation.

    With `seconds`, each operation has an equal part of this time: then it begins no new cut, but makes at least one.
    Call `not_run` first, to check that this machine can make them.
    """
    # Spawned processes, because the trials fork and the index is a thread of this process.
    with new_host(directory / "host") as host, ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        part = seconds * jobs / max(1, len(wanted))
        running = [pool.submit(_cuts, each, directory / each.operation, host.index.url, part) for each in wanted]
        for each in as_completed(running):
            for cut in each.result():
                on_result(cut)
        return [cut for each in running for cut in each.result()]


def _cuts(wanted: Wanted, directory: Path, index: str, seconds: float) -> list[Cut]:
    until = time.monotonic() + seconds
    series = sorted(each for each in interpreters() if each in {"3.11", "3.12", "3.13"})
    name = wanted.operation
    operation = next(each for each in operations(series[0], series[-1]) if each.name == name)
    with loop_disk(directory) as disk:
        trials = PowerTrials(operation, disk, index)
        done: list[Cut] = []
        for left_out, cut in _planned(wanted, trials):
            if done and time.monotonic() > until:
                break
            done.append(Cut(operation=name, verdict=cut(), left_out=left_out))
    return done


def _planned(wanted: Wanted, trials: PowerTrials) -> Iterator[tuple[str, Callable[[], Verdict]]]:
    """Yield the cuts, each with the call that is left out: first one of each kind, then the others, spread evenly."""
    after = [partial(trials.cut_after) for _ in range(wanted.after)]
    yield from (("", each) for each in after[:1])
    for call in wanted.left_out:
        yield call, partial(trials.cut_after, left_out=(call,))
    for only, at in product(wanted.before, (1, 2)):
        yield "", partial(trials.cut_during, Fault(whose="own", at=at, only=only))
    during = list(_points(trials.count(), wanted.during)) if wanted.during else []
    yield from (("", partial(trials.cut_during, during[number])) for number in halving_order(len(during)))
    yield from (("", each) for each in after[1:])


def _points(counted: Verdict, count: int) -> Iterator[Fault]:
    """Yield kills at `count` calls: two thirds at its own, the others at those of its children, if it has any."""
    own, children = (len(each) for each in counted.calls)
    inside = count // 3 if children else 0
    for number in range(count - inside):
        yield Fault(whose="own", at=1 + own * (2 * number + 1) // (2 * (count - inside)))
    for number in range(inside):
        yield Fault(whose="children", at=1 + children * (2 * number + 1) // (2 * inside), parent=True)
