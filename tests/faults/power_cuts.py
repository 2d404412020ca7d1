"""Makes power cuts, each operation in a process of its own and on a disk of its own, two at a time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from tests.faults.loop_device import loop_disk
from tests.faults.operations import operations
from tests.faults.power_trial import PowerTrials
from tests.faults.tracer import Fault
from tests.faults.verdict import Verdict
from tests.host import new_host
from tests.interpreters import interpreters


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One cut and what it came to; `left_out` names the system call that did nothing, if one was left out."""

    operation: str
    verdict: Verdict
    left_out: str = ""

    @property
    def wrong(self) -> bool:
        """Return whether it came out otherwise than promised: damage, or none although the sync was left out."""
        return not self.verdict.torn if self.left_out else self.verdict.bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many cuts to make in one operation, after exit 0 and before it, and one for each call to be left out.

    `before` names further calls to cut before, as `Fault.only` does (`syncfs 1`), each the first and the second time.
    """

    operation: str
    after: int = 0
    during: int = 0
    before: Sequence[str] = ()
    left_out: Sequence[str] = ()


def power_cuts(
    directory: Path, wanted: Sequence[Wanted], told: Callable[[Cut], None] = lambda _: None, *, jobs: int = 2
) -> list[Cut]:
    """Make the cuts, in the order of `wanted`; `told` is called with each when its operation is through.

    Ask `not_run` first whether this machine can.
    """
    # Processes, and not forked ones: the trials fork, and the index is a thread of this one.
    with new_host(directory / "host") as host, ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_cuts, each, directory / each.operation, host.index.url) for each in wanted]
        for each in as_completed(running):
            for cut in each.result():
                told(cut)
        return [cut for each in running for cut in each.result()]


def _cuts(wanted: Wanted, directory: Path, index: str) -> list[Cut]:
    series = sorted(each for each in interpreters() if each in {"3.11", "3.12", "3.13"})
    name = wanted.operation
    operation = next(each for each in operations(series[0], series[-1]) if each.name == name)
    with loop_disk(directory) as disk:
        trials = PowerTrials(operation, disk, index)
        done = [Cut(operation=name, verdict=trials.cut_after()) for _ in range(wanted.after)]
        if wanted.during:
            points = _points(trials.count(), wanted.during)
            done += [Cut(operation=name, verdict=trials.cut_during(each)) for each in points]
        for only, at in product(wanted.before, (1, 2)):
            done.append(Cut(operation=name, verdict=trials.cut_during(Fault(whose="own", at=at, only=only))))
        for call in wanted.left_out:
            done.append(Cut(operation=name, verdict=trials.cut_after(left_out=(call,)), left_out=call))
    return done


def _points(counted: Verdict, count: int) -> Iterator[Fault]:
    """Yield kills at `count` calls: two of three its own, the others its children's where it has any."""
    own, children = (len(each) for each in counted.calls)
    inside = count // 3 if children else 0
    for number in range(count - inside):
        yield Fault(whose="own", at=1 + own * (2 * number + 1) // (2 * (count - inside)))
    for number in range(inside):
        yield Fault(whose="children", at=1 + children * (2 * number + 1) // (2 * inside), parent=True)
