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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.operations import operations
from tests.faults.tracer import Traced
from tests.faults.trial import OperationTrials, Stage
from tests.faults.verdict import Verdict
from tests.host import Ran, new_host
from tests.installed_pythons import interpreters

NAMES = ("create", "upgrade")
_PLENTY = 64 * 1024
_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One trial: how many KiB of space the disk had left for the operation, and the verdict."""

    operation: str
    room: int
    verdict: Verdict

    @property
    def failed(self) -> bool:
        """Return whether the space was not sufficient."""
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
        subprocess.run(_mount_at(self.work, f"size={_PLENTY}k"), check=True)
        (self.work / "tmp").mkdir()

    def restore(self) -> None:
        self.clear()
        subprocess.run(["cp", "-a", f"{self.saved}/.", self.work], check=True)

    def resize(self, size: int) -> None:
        """Set its size to `size` KiB, which must not be smaller than its contents."""
        subprocess.run(_mount_at(self.work, f"remount,size={size}k"), check=True)

    def used(self) -> int:
        """Return how many KiB are used."""
        found = os.statvfs(self.work)
        return (found.f_blocks - found.f_bfree) * found.f_frsize // _KIB

    def unmount(self) -> None:
        if os.path.ismount(self.work):
            subprocess.run(["umount", "-l", self.work], check=True)


class FullDiskTrials(OperationTrials):
    """The trials of one operation."""

    stage: _SmallStage

    def need(self) -> int:
        """Return how many KiB the operation needs with plenty of space, without its temporary files."""
        self.stage.restore()
        before = self.stage.used()
        ran = self._envsync(*self.operation.arguments)
        if ran.code:
            raise RuntimeError(f"{self.operation.name}, with plenty of space: {ran.out}{ran.err}")
        return self.stage.used() - before

    def fill(self, room: int) -> Filled:
        """Run the operation with `room` KiB of space, judge the result, free space and run it again."""
        self.stage.restore()
        self.stage.resize(self.stage.used() + room)
        ran = self._envsync(*self.operation.arguments)
        verdict = Verdict(operation=self.operation.name, code=ran.code, words=ran.err.strip()[-600:])
        state, _ = self._observe(verdict)
        verdict.torn = [each for each in verdict.torn if not _is_a_plan_without_space(each, self.stage.work)]
        self._judge_exit(verdict, Traced(code=ran.code, out=ran.out, err=ran.err), state)
        if ran.code and not _says_full(ran.err, self.stage.work):
            verdict.unclear.append("the error does not name the full disk and a path")
        published = state == "new" and "is already published" in ran.err  # a failure after publish says so
        if ran.code and state != "old" and not published:
            verdict.torn.append("it failed, and the environment is not the old one")
        self.stage.resize(_PLENTY)
        if not verdict.torn:
            self._run_again(verdict)
        return Filled(operation=self.operation.name, room=room, verdict=verdict)

    def _envsync(self, *arguments: str) -> Ran:
        argv = [sys.executable, "-m", "reconciler", *arguments]
        done = subprocess.run(
            argv, cwd=self.stage.work, env=self.stage.env, capture_output=True, text=True, check=False, timeout=120
        )
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


@contextmanager
def full_disk_trials(directory: Path, names: Sequence[str] = NAMES) -> Iterator[list[FullDiskTrials]]:
    """Yield the trials of each operation below `directory`; they share one local index."""
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


def sweep(points: int, on_result: Callable[[Filled], None], *, until: float = float("inf")) -> list[Filled]:
    """Try evenly spaced amounts of space, `points` + 2 for each operation; start none after `until` (monotonic)."""
    done: list[Filled] = []
    with tempfile.TemporaryDirectory(prefix="full-disk-") as place, full_disk_trials(Path(place)) as trials:
        for each in trials:
            need = each.need()
            for number in range(points + 2):
                if time.monotonic() > until:
                    break
                done.append(each.fill(need * number // points))
                on_result(done[-1])
    return done


def section(done: Sequence[Filled], *, reason: str = "") -> str:
    """Return a table with a row for each operation, or the reason why it was not run."""
    if not done:
        return f"not run: {reason or 'no trial was made'}\n"
    head = ("operation", "sizes", "failed: disk full", "KiB left, least to most", "old one not complete",
            "unclear errors", "reruns with space that do not converge", "leftovers")  # fmt: skip
    lines = [head, ("---", *("---:" for _ in head[1:]))]
    for name in dict.fromkeys(each.operation for each in done):
        tried = [each for each in done if each.operation == name]
        failed = [each for each in tried if each.failed]
        rooms = f"{failed[0].room} to {failed[-1].room}" if failed else "-"
        counts = [sum(bool(getattr(each.verdict, what)) for each in tried) for what in _WRONGS]
        lines.append((name, str(len(tried)), str(len(failed)), rooms, *(str(count) for count in counts)))
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main() -> int:
    """Run the sweep and print the section; return 1 if a promise did not hold or nothing could be tried."""
    found = argparse.ArgumentParser(prog="python -m tests.faults.full_disk", description=__doc__)
    found.add_argument("--points", type=int, default=40, help="sizes for each operation (default: %(default)s)")
    found.add_argument("--minutes", type=float, default=10.0, help="no new trial after that (default: %(default)s)")
    options = found.parse_args()
    reason = why_not()
    done = [] if reason else sweep(options.points, _print_bad, until=time.monotonic() + 60 * options.minutes)
    print(section(done, reason=reason))
    return int(not done or any(each.verdict.bad for each in done))


def _print_bad(filled: Filled) -> None:
    if filled.verdict.bad:
        print(f"{filled.operation}, {filled.room} KiB\n  {filled.verdict}", file=sys.stderr)


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
