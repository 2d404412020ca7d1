"""One trial of a power cut: run an operation on its own disk, cut, mount again, and inspect the disk."""

import sys
from collections.abc import Collection
from dataclasses import dataclass

from reconciler.maintenance import Maintenance
from tests.faults.loop_device import LoopDisk, why_not
from tests.faults.operations import Operation
from tests.faults.tracer import CAN_TRACE, Fault, Traced, trace
from tests.faults.trial import OperationTrials, Stage
from tests.faults.verdict import Verdict

_SIZE = 384 * 1024 * 1024  # bytes; the file is sparse, and about 30 MiB are written


def not_run() -> str:
    """Return why such a trial cannot be made on this machine; empty if it can."""
    return why_not() if CAN_TRACE else "the tracer supports only Linux on x86-64"


@dataclass(kw_only=True)
class DiskStage(Stage):
    """A stage on the mounted disk, with manifest, locks, root and the engine's cache."""

    disk: LoopDisk

    def clear(self) -> None:
        self.disk.make(_SIZE)
        (self.work / "tmp").mkdir()

    def save(self) -> None:
        self.disk.save(self.saved)

    def restore(self) -> None:
        self.disk.restore(self.saved)

    def cut_power(self) -> None:
        """Cut the power and mount again, with only the data that reached the disk."""
        self.disk.cut()
        self.disk.unmount()
        self.disk.mount()


class PowerTrials(OperationTrials):
    """The power cuts in one operation, on its own disk; `index` is a URL."""

    def __init__(self, operation: Operation, disk: LoopDisk, index: str) -> None:
        self._disk_stage = DiskStage(directory=disk.place.parent, index=index, disk=disk)
        super().__init__(operation, self._disk_stage)

    def count(self) -> Verdict:
        """Run the operation without a fault and count its calls; it must succeed."""
        verdict = self.run(None)
        if verdict.bad or verdict.code:
            raise RuntimeError(f"without any fault: {verdict}")
        return verdict

    def cut_after(self, *, left_out: Collection[str] = ()) -> Verdict:
        """Cut immediately after the operation exited with 0; the calls of `left_out` did nothing."""
        nothing = Fault(whose="own", at=0, error=0, lasting=True, calls=frozenset(left_out))
        self.stage.restore()
        traced = self._trace(nothing if left_out else None)
        verdict = self._cut(traced)
        if traced.code or bool(left_out) != bool(traced.hit):
            raise RuntimeError(f"{self.operation.name} without {left_out}: {traced.code}, {traced.hit}\n{traced.err}")
        return verdict

    def cut_during(self, fault: Fault) -> Verdict:
        """Cut before the call that `fault` names, and kill; if the call does not happen, cut afterwards."""
        self.stage.restore()
        return self._cut(self._trace(fault, at_once=True))

    def _trace(self, fault: Fault | None, *, at_once: bool = False) -> Traced:
        argv = [sys.executable, "-m", "reconciler", *self.operation.arguments]
        stage = self._disk_stage
        cut = stage.disk.cut if at_once else None
        return trace(
            argv, cwd=stage.work, env=stage.env, output_directory=stage.directory, fault=fault, before_kill=cut
        )

    def _cut(self, traced: Traced) -> Verdict:
        """Cut (again, if it was done before) and judge the disk afterwards. Exit 0 was a promise."""
        self._disk_stage.cut_power()
        verdict = Verdict(operation=self.operation.name, code=traced.code, died=traced.code == -9)
        verdict.words = traced.err.strip()[-600:]
        verdict.hit = f"{traced.hit.name} {self._shown(traced.hit.path)}" if traced.hit else ""
        state, plan = self._observe(verdict)
        if traced.code == 0 and state != "new":
            verdict.torn.append("exit 0, but the environment is the old one")
        if traced.code == 0 and self.operation.settled and plan.code:
            verdict.torn.append(f"exit 0, but the plan is not empty: {plan.out}{plan.err}")
        if not verdict.torn:
            self._run_again(verdict)
            self._apply_next(verdict)
        return verdict

    def _complete_generations(self) -> list[tuple[str, int]]:
        """Return the generations that `envsync history --generations` lists; these must be complete.

        A generation is flushed after it is sealed, and marked as unpublished until it is published. One that is sealed,
        marked and incomplete is used by no command, and the next run deletes it.
        """
        maintenance = Maintenance(root=self.state.layout.root, project="acme", ambient={})
        name = self._present_name()
        return [(name, each.number) for each in maintenance.generations(name)]

    def _apply_next(self, verdict: Verdict) -> None:
        """Apply the manifest; after a rollback or gc, this is the first apply after the cut."""
        extra = ("--allow-empty",) if self.operation.allow_empty else ()
        ran = self._envsync("apply", "--yes", *extra)
        if ran.code:
            verdict.stuck.append(f"apply {ran.code}: {ran.out}{ran.err}")
