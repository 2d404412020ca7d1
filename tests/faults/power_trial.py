"""One trial of a power cut: run an operation on a disk of its own, cut, mount again, and look what is there."""

import sys
from collections.abc import Collection
from dataclasses import dataclass

from reconciler.maintenance import Upkeep
from tests.faults.loop_device import LoopDisk, why_not
from tests.faults.operations import Operation
from tests.faults.tracer import CAN_TRACE, Fault, Traced, trace
from tests.faults.trial import OperationTrials, Stage
from tests.faults.verdict import Verdict

_SIZE = 384 * 1024 * 1024  # sparse: some 30 MiB of it are written


def not_run() -> str:
    """Return why there can be no such trial on this machine, empty where there can be."""
    return why_not() if CAN_TRACE else "the tracer knows Linux on x86-64 alone"


@dataclass(kw_only=True)
class DiskStage(Stage):
    """A stage whose `work` is the mounted disk: manifest, locks, root and the engine's cache lie on it."""

    disk: LoopDisk

    def clear(self) -> None:
        self.disk.make(_SIZE)
        (self.work / "tmp").mkdir()

    def save(self) -> None:
        self.disk.save(self.saved)

    def restore(self) -> None:
        self.disk.restore(self.saved)

    def cut_power(self) -> None:
        """Cut the power and start again from what reached the disk."""
        self.disk.cut()
        self.disk.unmount()
        self.disk.mount()


class PowerTrials(OperationTrials):
    """The power cuts in one operation, on a disk for it alone; `index` is a URL."""

    def __init__(self, operation: Operation, disk: LoopDisk, index: str) -> None:
        self._disk_stage = DiskStage(directory=disk.place.parent, index=index, disk=disk)
        super().__init__(operation, self._disk_stage)

    def count(self) -> Verdict:
        """Run the operation without any fault, counting its calls; it must end well."""
        verdict = self.run(None)
        if verdict.bad or verdict.code:
            raise RuntimeError(f"without any fault: {verdict}")
        return verdict

    def cut_after(self, *, left_out: Collection[str] = ()) -> Verdict:
        """Cut at once when the operation ended with 0; of its own calls those of `left_out` did nothing."""
        nothing = Fault(whose="own", at=0, error=0, lasting=True, calls=frozenset(left_out))
        self.stage.restore()
        traced = self._trace(nothing if left_out else None)
        verdict = self._cut(traced)
        if traced.code or bool(left_out) != bool(traced.hit):
            raise RuntimeError(f"{self.operation.name} without {left_out}: {traced.code}, {traced.hit}\n{traced.err}")
        return verdict

    def cut_during(self, fault: Fault) -> Verdict:
        """Cut before the call that `fault` names, and kill; where there is no such call, this is a cut afterwards."""
        self.stage.restore()
        return self._cut(self._trace(fault, at_once=True))

    def _trace(self, fault: Fault | None, *, at_once: bool = False) -> Traced:
        argv = [sys.executable, "-m", "reconciler", *self.operation.arguments]
        stage = self._disk_stage
        cut = stage.disk.cut if at_once else None
        return trace(argv, cwd=stage.work, env=stage.env, talk=stage.directory, fault=fault, before_kill=cut)

    def _cut(self, traced: Traced) -> Verdict:
        """Cut (again, where it was done), and judge what is there afterwards: exit 0 was a promise."""
        self._disk_stage.cut_power()
        verdict = Verdict(operation=self.operation.name, code=traced.code, died=traced.code == -9)
        verdict.words = traced.err.strip()[-600:]
        verdict.hit = f"{traced.hit.name} {self._shown(traced.hit.path)}" if traced.hit else ""
        state, plan = self._look(verdict)
        if traced.code == 0 and state != "new":
            verdict.torn.append("exit 0 was given, and it is the old one")
        if traced.code == 0 and self.operation.settled and plan.code:
            verdict.torn.append(f"exit 0 was given, and the plan is not empty: {plan.out}{plan.err}")
        if not verdict.torn:
            self._again(verdict)
            self._apply_next(verdict)
        return verdict

    def _promised(self) -> list[int]:
        """Return the generations that `envsync history` lists.

        A generation is flushed after its seal, and marked until it is published: one that is sealed, marked and not
        whole was promised to nobody, and the next run clears it away.
        """
        upkeep = Upkeep(root=self.state.layout.root, project="acme", ambient={})
        return [each.number for each in upkeep.generations("web")]

    def _apply_next(self, verdict: Verdict) -> None:
        """Apply the manifest: where the operation was no apply, this is the first one after the cut."""
        extra = ("--allow-empty",) if self.operation.allow_empty else ()
        ran = self._envsync("apply", "--yes", *extra)
        if ran.code:
            verdict.stuck.append(f"apply {ran.code}: {ran.out}{ran.err}")
