"""A disk that is truly full, at many moments: a tmpfs that leaves an apply so much room and no more (Linux, root).

python -m tests.faults.full_disk
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.operations import operations
from tests.faults.tracer import Traced
from tests.faults.trial import OperationTrials, Stage
from tests.faults.verdict import Verdict
from tests.host import Ran, new_host
from tests.interpreters import interpreters

NAMES = ("create", "upgrade")
_PLENTY = 64 * 1024
_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One trial: how many KiB the disk had left for the operation, and what it came to."""

    operation: str
    room: int
    verdict: Verdict

    @property
    def failed(self) -> bool:
        """Say whether the room was not enough."""
        return self.verdict.code != 0


def why_not() -> str:
    """Return why a file system cannot be mounted here, nothing where it can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "only root on Linux may mount a file system"
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(_mount_at(Path(place), "size=64k"), capture_output=True, text=True, check=False)
        if done.returncode == 0:
            subprocess.run(["umount", place], check=True)
    return f"no file system can be mounted here: {done.stderr.strip()}" if done.returncode else ""


class _SmallStage(Stage):
    """The operation's directory, its root, locks and temporary directory with it, is a file system of its own."""

    def clear(self) -> None:
        """Mount it anew, with plenty of room."""
        self.unmount()
        self.work.mkdir(exist_ok=True)
        subprocess.run(_mount_at(self.work, f"size={_PLENTY}k"), check=True)
        (self.work / "tmp").mkdir()

    def restore(self) -> None:
        self.clear()
        subprocess.run(["cp", "-a", f"{self.saved}/.", self.work], check=True)

    def resize(self, size: int) -> None:
        """Make it `size` KiB large; never smaller than what is in it."""
        subprocess.run(_mount_at(self.work, f"remount,size={size}k"), check=True)

    def used(self) -> int:
        """Return how many KiB are in it."""
        found = os.statvfs(self.work)
        return (found.f_blocks - found.f_bfree) * found.f_frsize // _KIB

    def unmount(self) -> None:
        if os.path.ismount(self.work):
            subprocess.run(["umount", "-l", self.work], check=True)


class FullDiskTrials(OperationTrials):
    """The trials of one operation."""

    stage: _SmallStage

    def need(self) -> int:
        """Return how many KiB the operation takes where there is plenty, its temporary files not counted."""
        self.stage.restore()
        before = self.stage.used()
        ran = self._envsync(*self.operation.arguments)
        if ran.code:
            raise RuntimeError(f"{self.operation.name}, with plenty of room: {ran.out}{ran.err}")
        return self.stage.used() - before

    def fill(self, room: int) -> Filled:
        """Run the operation with `room` KiB, judge what follows, make room and run it again."""
        self.stage.restore()
        self.stage.resize(self.stage.used() + room)
        ran = self._envsync(*self.operation.arguments)
        verdict = Verdict(operation=self.operation.name, code=ran.code, words=ran.err.strip()[-600:])
        state, _ = self._look(verdict)
        verdict.torn = [each for each in verdict.torn if not _is_a_plan_without_space(each, self.stage.work)]
        self._judge_exit(verdict, Traced(code=ran.code, out=ran.out, err=ran.err), state)
        if ran.code and not _says_full(ran.err, self.stage.work):
            verdict.unclear.append("no word of the space, or of where")
        late = state == "new" and "after it was published" in ran.err  # what fails after that says so
        if ran.code and state != "old" and not late:
            verdict.torn.append("it failed, and the old one does not stand")
        self.stage.resize(_PLENTY)
        if not verdict.torn:
            self._again(verdict)
        return Filled(operation=self.operation.name, room=room, verdict=verdict)

    def _envsync(self, *arguments: str) -> Ran:
        argv = [sys.executable, "-m", "reconciler", *arguments]
        done = subprocess.run(
            argv, cwd=self.stage.work, env=self.stage.env, capture_output=True, text=True, check=False, timeout=120
        )
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


@contextmanager
def full_disk_trials(directory: Path, names: Sequence[str] = NAMES) -> Iterator[list[FullDiskTrials]]:
    """Yield the trials of each operation below `directory`, all served by one local index."""
    series = sorted(each for each in interpreters() if each in {"3.11", "3.12", "3.13"})
    stages: list[_SmallStage] = []
    with new_host(directory / "host") as host:
        try:
            made = []
            for each in operations(series[0], series[-1]):
                if each.name in names:
                    stages.append(_SmallStage(directory=directory / each.name, index=host.index.url))
                    made.append(FullDiskTrials(each, stages[-1]))
            yield made
        finally:
            for stage in stages:
                stage.unmount()


def sweep(points: int, told: Callable[[Filled], None], *, until: float = float("inf")) -> list[Filled]:
    """Fill the disk at `points` moments of each operation, evenly, and once beyond; none begun after `until`."""
    done: list[Filled] = []
    with tempfile.TemporaryDirectory(prefix="full-disk-") as place, full_disk_trials(Path(place)) as trials:
        for each in trials:
            need = each.need()
            for number in range(points + 2):
                if time.monotonic() > until:
                    break
                done.append(each.fill(need * number // points))
                told(done[-1])
    return done


def section(done: Sequence[Filled], *, reason: str = "") -> str:
    """Return the table, a row for each operation, or why there is none."""
    if not done:
        return f"not run: {reason or 'no trial was made'}\n"
    head = ("operation", "sizes", "failed for want of space", "KiB left, least to most", "old one not whole",
            "unclear errors", "reruns with room that do not converge", "leftovers")  # fmt: skip
    lines = [head, ("---", *("---:" for _ in head[1:]))]
    for name in dict.fromkeys(each.operation for each in done):
        tried = [each for each in done if each.operation == name]
        failed = [each for each in tried if each.failed]
        rooms = f"{failed[0].room} to {failed[-1].room}" if failed else "-"
        counts = [sum(bool(getattr(each.verdict, what)) for each in tried) for what in _WRONGS]
        lines.append((name, str(len(tried)), str(len(failed)), rooms, *(str(count) for count in counts)))
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main() -> int:
    """Run the sweep and print the section; return 1 where a promise did not hold, or nothing could be tried."""
    found = argparse.ArgumentParser(prog="python -m tests.faults.full_disk", description=__doc__)
    found.add_argument("--points", type=int, default=40, help="sizes for each operation (default: %(default)s)")
    found.add_argument("--minutes", type=float, default=10.0, help="no new trial after that (default: %(default)s)")
    options = found.parse_args()
    reason = why_not()
    done = [] if reason else sweep(options.points, _tell, until=time.monotonic() + 60 * options.minutes)
    print(section(done, reason=reason))
    return int(not done or any(each.verdict.bad for each in done))


def _tell(filled: Filled) -> None:
    if filled.verdict.bad:
        print(f"{filled.operation}, {filled.room} KiB\n  {filled.verdict}", file=sys.stderr)


def _mount_at(place: Path, options: str) -> list[str]:
    return [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]


def _says_full(err: str, work: Path) -> bool:
    """Return whether one line says that there is no space, and names a path on that disk."""
    full = [line for line in err.splitlines() if "No space left on device" in line or "os error 28" in line]
    return any(str(work) in line or ".envs" in line for line in full)


def _is_a_plan_without_space(torn: str, work: Path) -> bool:
    """Return whether no more is wrong than that a plan had no room to resolve in: its lock is still to be made."""
    return torn.startswith("plan 1: ") and _says_full(torn, work)


_WRONGS = ("torn", "unclear", "stuck", "left")

if __name__ == "__main__":
    sys.exit(main())
