"""A disk that is really full, at many moments: a tmpfs with a limited amount of space (Linux, superuser).

python -m tests.faults.full_disk
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults.operations import KEEP_ONE, Operation, operations
from tests.faults.report import table
from tests.faults.tracer import Traced
from tests.faults.trial import OperationTrials, Stage
from tests.faults.verdict import Verdict
from tests.host import Ran, new_host
from tests.installed_pythons import interpreters
from tests.preloaded import run_preloaded

_PLENTY = {"KiB": 64 * 1024, "files": 64 * 1024}
_STEP = {"KiB": 4, "files": 1}  # a tmpfs gives whole pages of 4 KiB
_OPTIONS = {"KiB": "size={}k", "files": "nr_inodes={}"}
_DONE = ("already published", "is published again", "is restored, but", "is already removed")
_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One trial: how much the disk had left for the operation (in `unit`: KiB, or new files), and the verdict."""

    operation: str
    unit: str
    room: int
    verdict: Verdict

    @property
    def failed(self) -> bool:
        """Return whether there was too little."""
        return self.verdict.code != 0


def why_not() -> str:
    """Return why a file system cannot be mounted on this machine; empty if it can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "only the superuser on Linux may mount a file system"
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(_mount_at(Path(place), "size=64k"), capture_output=True, text=True, check=False)
        if done.returncode == 0:
            subprocess.run(["umount", place], check=True)
    return f"no file system can be mounted here: {done.stderr.strip()}" if done.returncode else ""


class _SmallStage(Stage):
    """A stage on its own file system, with root, locks and temporary directory."""

    def clear(self) -> None:
        """Mount a new file system with plenty of space."""
        self.unmount()
        self.work.mkdir(exist_ok=True)
        options = ",".join(_OPTIONS[unit].format(amount) for unit, amount in _PLENTY.items())
        subprocess.run(_mount_at(self.work, options), check=True)
        (self.work / "tmp").mkdir()

    def restore(self) -> None:
        self.clear()
        subprocess.run(["cp", "-a", f"{self.saved}/.", self.work], check=True)

    def resize(self, unit: str, amount: int) -> None:
        """Set how much it may contain, in `unit`; this must not be less than it contains."""
        subprocess.run(_mount_at(self.work, f"remount,{_OPTIONS[unit].format(amount)}"), check=True)

    def used(self, unit: str) -> int:
        """Return how much is used, in `unit`."""
        found = os.statvfs(self.work)
        if unit == "files":
            return found.f_files - found.f_ffree
        return (found.f_blocks - found.f_bfree) * found.f_frsize // _KIB

    def unmount(self) -> None:
        if os.path.ismount(self.work):
            subprocess.run(["umount", "-l", self.work], check=True)


class FullDiskTrials(OperationTrials):
    """The trials of one operation."""

    stage: _SmallStage

    def __init__(self, operation: Operation, stage: Stage) -> None:
        super().__init__(operation, stage)
        self.sufficient: dict[tuple[str, int], bool] = {}  # by unit and amount

    def fill(self, unit: str, room: int) -> Filled:
        """Run the operation with `room` of `unit` left, judge the result, free space and run it again."""
        self.stage.restore()
        before = {number for _, number in self._complete_generations()}  # a rename changes the owner's name
        self.stage.resize(unit, self.stage.used(unit) + room)
        ran = self._envsync(*self.operation.arguments)
        verdict = Verdict(operation=self.operation.name, code=ran.code, words=ran.err.strip()[-600:])
        state, _ = self._observe(verdict)
        verdict.torn = [each for each in verdict.torn if not _is_a_plan_without_space(each, self.stage.work)]
        self._judge_exit(verdict, Traced(code=ran.code, out=ran.out, err=ran.err), state)
        if ran.code and not _says_full(ran.err + ran.out, self.stage.work):
            verdict.unclear.append("the error does not name the full disk and a path")
        if ran.code and self.operation.old != self.operation.new:
            says_done = any(each in ran.err for each in _DONE)
            if says_done != (state == "new"):
                verdict.torn.append(f"it failed, the environment is the {state} one, and the error says otherwise")
        collects = self.operation.arguments[0] == "gc" or (not ran.code and KEEP_ONE in self.operation.manifest)
        if lost := set() if collects else before - {number for _, number in self._complete_generations()}:
            verdict.torn.append(f"generations are lost: {sorted(lost)}")
        self.stage.resize(unit, _PLENTY[unit])
        if not verdict.torn and (ran.code or self.operation.repeatable):
            self._run_again(verdict)
        self.sufficient[unit, room] = not ran.code
        return Filled(operation=self.operation.name, unit=unit, room=room, verdict=verdict)

    def sizes(self, unit: str, points: int) -> Iterator[int]:
        """Yield amounts of `unit` to try: first to find how much it needs, then about `points` below that.

        Each must be tried with `fill` before the next one is requested.
        """
        step, tried = _STEP[unit], set[int]()

        def suffices(steps: int) -> Generator[int, None, bool]:
            tried.add(steps)
            yield steps * step
            return self.sufficient[unit, steps * step]

        fails, enough = -1, 1
        while not (yield from suffices(enough)):
            fails, enough = enough, enough * 4
        while enough - fails > max(1, enough // 16):
            middle = (enough + fails) // 2
            fails, enough = (fails, middle) if (yield from suffices(middle)) else (middle, enough)
        spaced = {enough * number // points for number in range(points + 1)} | {enough + 1}
        yield from (each * step for each in sorted(spaced - tried))

    def _envsync(self, *arguments: str) -> Ran:
        code, out, err = run_preloaded(arguments, cwd=self.stage.work, env=self.stage.env, stdin="")
        return Ran(code=code, out=out, err=err)


def disk_operations(python: str, other: str) -> list[Operation]:
    """Return the operations that succeed if there is space, and a rollback that must not be done twice."""
    found = [each for each in operations(python, other) if not each.code]
    by_name = {each.name: each for each in found}
    old, new = by_name["upgrade"].before[0], by_name["upgrade"].manifest
    newest = f'web:\n  python: "{python}"\n  packages: [gamma]\n'
    again = replace(
        by_name["rollback"],
        name="rollback without --to",
        before=(old, new, newest),
        manifest=newest,
        arguments=("rollback", "web"),
        old=("gamma==0.1",),
        new=by_name["upgrade"].new,
        repeatable=False,
    )
    return [*found, again]


@contextmanager
def full_disk_trials(directory: Path, names: Collection[str] = ()) -> Iterator[list[FullDiskTrials]]:
    """Yield the trials of the operations below `directory` (those in `names`, or all); they share one local index."""
    series = sorted(each for each in interpreters() if each in {"3.11", "3.12", "3.13"})
    stages: list[_SmallStage] = []
    with new_host(directory / "host") as host:
        try:
            made = []
            for each in disk_operations(series[0], series[-1]):
                if not names or each.name in names:
                    stages.append(_SmallStage(directory=directory / each.name, index=host.index.url))
                    made.append(FullDiskTrials(each, stages[-1]))
            yield made
        finally:
            for stage in stages:
                stage.unmount()


def sweep(
    points: int, on_result: Callable[[Filled], None], *, names: Collection[str] = (), until: float = float("inf")
) -> list[Filled]:
    """Try evenly spaced amounts of space and of new files, about `points` of each for each operation.

    The operations take turns, so that all are tried to the same extent. No new trial starts after `until` (monotonic),
    except the first of each.
    """
    done: list[Filled] = []
    with tempfile.TemporaryDirectory(prefix="full-disk-") as place, full_disk_trials(Path(place), names) as trials:
        waiting = deque((each, unit, each.sizes(unit, points)) for each in trials for unit in _STEP)
        turns = len(waiting)
        while waiting and (len(done) < turns or time.monotonic() < until):
            each, unit, rooms = waiting.popleft()
            if (room := next(rooms, None)) is not None:
                done.append(each.fill(unit, room))
                on_result(done[-1])
                waiting.append((each, unit, rooms))
    return done


def section(done: Sequence[Filled], *, reason: str = "") -> str:
    """Return a table with a row for each operation, or the reason why it was not run."""
    if not done:
        return f"not run: {reason or 'no trial was made'}\n"
    head = ("operation", "trials", "failed: disk full", "KiB left", "new files left",
            "neither old nor new, or not said", "unclear errors", "reruns with space that do not converge",
            "leftovers")  # fmt: skip
    lines = []
    for name in dict.fromkeys(each.operation for each in done):
        tried = [each for each in done if each.operation == name]
        failed = [each for each in tried if each.failed]
        rooms = [_range([each.room for each in failed if each.unit == unit]) for unit in _STEP]
        counts = [sum(bool(getattr(each.verdict, what)) for each in tried) for what in _WRONGS]
        lines.append((name, len(tried), len(failed), *rooms, *counts))
    return table(head, lines)


def _range(rooms: Sequence[int]) -> str:
    return f"{min(rooms)} to {max(rooms)}" if rooms else "-"


def main() -> int:
    """Run the sweep and print the section; return 1 if a promise did not hold or nothing could be tried."""
    found = argparse.ArgumentParser(prog="python -m tests.faults.full_disk", description=__doc__)
    names = [each.name for each in disk_operations("", "")]
    found.add_argument("--operation", action="append", choices=names, help="which operations; default: all")
    found.add_argument("--points", type=int, default=40, help="sizes for each operation (default: %(default)s)")
    found.add_argument("--minutes", type=float, default=10.0, help="no new trial after that (default: %(default)s)")
    options = found.parse_args()
    reason = why_not()
    until = time.monotonic() + 60 * options.minutes
    done = [] if reason else sweep(options.points, _print_bad, names=options.operation or (), until=until)
    print(section(done, reason=reason))
    return int(not done or any(each.verdict.bad for each in done))


def _print_bad(filled: Filled) -> None:
    if filled.verdict.bad:
        print(f"{filled.operation}, {filled.room} {filled.unit}\n  {filled.verdict}", file=sys.stderr)


def _mount_at(place: Path, options: str) -> list[str]:
    return [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]


def _says_full(err: str, work: Path) -> bool:
    """Return whether one line reports the full disk and names a path on that disk."""
    full = [line for line in err.splitlines() if "No space left on device" in line or "os error 28" in line]
    return any(str(work) in line or ".envs" in line for line in full)


def _is_a_plan_without_space(torn: str, work: Path) -> bool:
    """Return whether the only problem is that a plan had no space to resolve, because the lock does not exist yet."""
    return torn.startswith("plan 1: ") and _says_full(torn, work)


_WRONGS = ("torn", "unclear", "stuck", "left")

if __name__ == "__main__":
    sys.exit(main())
