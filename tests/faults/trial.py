"""One trial: restore the host, run the operation with a fault, inspect, run it again, inspect again."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.apply.verify_seal import verify_generation
from reconciler.observe.actual import Depth, FindingCode
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State
from tests.faults.command import command
from tests.faults.faults import ERRORS
from tests.faults.leftovers import leftovers
from tests.faults.operations import ABSENT, Operation
from tests.faults.tracer import Fault, Traced, trace
from tests.faults.verdict import Verdict
from tests.host import Ran, base_environment


@dataclass(kw_only=True)
class Stage:
    """A directory for the trials of one operation; `work` is restored before each trial.

    It is restored at the same path, because a venv contains its own path.
    """

    directory: Path
    index: str
    work: Path = field(init=False)
    saved: Path = field(init=False)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.work, self.saved = self.directory / "work", self.directory / "saved"

    @property
    def env(self) -> Mapping[str, str]:
        return {**base_environment(), "TMPDIR": str(self.work / "tmp")}

    def clear(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "tmp").mkdir(parents=True)

    def save(self) -> None:
        subprocess.run(["cp", "-a", self.work, self.saved], check=True)

    def restore(self) -> None:
        shutil.rmtree(self.work)
        subprocess.run(["cp", "-a", self.saved, self.work], check=True)


class OperationTrials:
    """The trials of one operation of envsync."""

    def __init__(self, operation: Operation, stage: Stage) -> None:
        self.operation, self.stage = operation, stage
        self.state = State.at(stage.work / ".envs")
        stage.clear()
        for manifest in operation.before:
            self._manifest(manifest)
            ran = self._envsync("apply", "--yes", "--no-gc")
            if ran.code:
                raise RuntimeError(f"{operation.name}: {ran.out}{ran.err}")
        for arguments in operation.prepared:
            ran = self._envsync(*arguments)
            if ran.code:
                raise RuntimeError(f"{operation.name}: {ran.out}{ran.err}")
        for path, text in operation.written:
            (self.state.layout.environment("web") / path).write_text(text, encoding="utf-8")
        self._manifest(operation.manifest)
        for arguments in operation.ready:
            ran = self._envsync(*arguments)
            if ran.code:
                raise RuntimeError(f"{operation.name}: {ran.out}{ran.err}")
        stage.save()

    def run(self, fault: Fault | None) -> Verdict:
        """Run the operation with `fault` (None: only count its calls) and judge the result."""
        self.stage.restore()
        argv = [sys.executable, "-m", "reconciler", *self.operation.arguments]
        traced = trace(
            argv, cwd=self.stage.work, env=self.stage.env, output_directory=self.stage.directory, fault=fault
        )
        verdict = Verdict(operation=self.operation.name, code=traced.code, died=traced.code == -9)
        verdict.intended = self.operation.code
        verdict.words = traced.err.strip()[-600:]
        verdict.hit = f"{traced.hit.name} {self._shown(traced.hit.path)}" if traced.hit else ""
        if fault is None:
            verdict.calls = [[each.name for each in traced.calls[whose]] for whose in ("own", "children")]
        state, _ = self._observe(verdict)
        if not verdict.died:
            self._judge_exit(verdict, traced, state)
        if not verdict.torn:
            self._run_again(verdict)
        return verdict

    def _observe(self, verdict: Verdict) -> tuple[str, Ran]:
        """Return `old` or `new` for the environment, and the plan's result; add any other state to `torn`."""
        found: tuple[str, ...] = ABSENT
        name = self._present_name()
        if os.path.lexists(self.state.layout.environment(name)):
            frozen = self._envsync("freeze", name)
            found = tuple(frozen.out.splitlines())
            verified = self._envsync("verify", "--depth", "hashes")
            if frozen.code or verified.code:
                verdict.torn.append(f"freeze {frozen.code}, verify {verified.code}: {verified.out}{verified.err}")
            for path, text in self.operation.written:
                kept = self.state.layout.environment("web") / path
                if not kept.is_file() or kept.read_text(encoding="utf-8") != text:
                    verdict.torn.append(f"an ignored file is lost: {path}")
        if self._is_lost():
            verdict.torn.append(
                "a complete generation exists, but the environment is neither owned nor can be restored"
            )
        if found not in (self.operation.old, self.operation.new):
            verdict.torn.append(f"neither old nor new: {found}")
        extra = ("--allow-empty",) if self.operation.allow_empty else ()
        plan = self._envsync("plan", "--detailed-exitcode", *extra)
        if plan.code not in {0, 2, self.operation.code}:
            verdict.torn.append(f"plan {plan.code}: {plan.err}")
        inodes = InodeHashes.load(self.state.layout.inode_hashes)
        for owner, number in self._complete_generations():
            compared = verify_generation(self.state, owner, number, inodes, Depth.HASHES)
            if self._rename_is_unfinished():  # its scripts name the former path, which is not yet a link to the new one
                others = tuple(each for each in compared.findings if each.code is not FindingCode.MOVED)
                compared = replace(compared, findings=others)
            if not compared.intact:
                verdict.torn.append(f"generation {number} is sealed, but not complete")
        if self.operation.renamed and not self.state.layout.environment("web").exists():
            homes = {self.state.layout.generation(*each).home for each in self._complete_generations()}
            if name == "web" or "web" in homes:
                verdict.torn.append("the path `web` points to nothing")
        if found == self.operation.new and self.operation.held and not self._is_held(name):
            verdict.torn.append("it is published, but not held")
        renamed = name == (self.operation.renamed or "web")
        return ("new" if found == self.operation.new and renamed else "old"), plan

    def _is_held(self, name: str) -> bool:
        """Return whether the environment is held for the operation's reason."""
        applied = self.state.applied(name)
        return applied is not None and applied.hold is not None and applied.hold.reason == self.operation.held

    def _present_name(self) -> str:
        """Return the name of the environment: the one it is renamed to, as soon as that is published."""
        renamed = self.operation.renamed
        return renamed if renamed and self.state.layout.published_number(renamed) else "web"

    def _is_lost(self) -> bool:
        """Return whether a generation that was published is kept by nothing, so that the next collection deletes it."""
        if "--deleted" in self.operation.arguments:
            return False
        name = self._present_name()
        generations = [self.state.layout.generation(*each) for each in self._complete_generations()]
        published = [each for each in generations if not each.unpublished.exists()]
        # A rename that was interrupted is finished by the next run: until then, either name may be the owner.
        names = {name, "web", self.operation.renamed or "web"}
        return bool(published) and not any(self.state.applied(each) or self.state.deleted(each) for each in names)

    def _complete_generations(self) -> list[tuple[str, int]]:
        """Return the generations that must be complete, each with its owner's name: all that have a seal.

        A rename that failed after its point of no return has given some to the new name, which is not published yet.
        """
        names, layout = {self._present_name()}, self.state.layout
        if self._rename_is_unfinished():
            names |= {"web", self.operation.renamed}
        found = [(name, each) for name in names for each in layout.generation_numbers(name)]
        return sorted(each for each in found if self.state.seal(*each))

    def _rename_is_unfinished(self) -> bool:
        renamed = self.operation.renamed
        return bool(renamed) and self.state.layout.rename_journal(renamed).is_symlink()

    def _judge_exit(self, verdict: Verdict, traced: Traced, state: str) -> None:
        """Judge exit code and message: an error exits with 1 or 4 and says what failed and where."""
        said = f"{traced.err}error: {traced.out}" if self.operation.arguments[0] == "gc" else traced.err  # gc reports
        if "Traceback" in traced.err:
            verdict.unclear.append("traceback")
        if traced.code == 0 and state != "new":
            verdict.unclear.append("exit 0, but nothing was done")
        if traced.code not in {0, 1, 4}:
            verdict.unclear.append(f"exit {traced.code}")
        words = ("error: ", " failed in ", " rolled back in ", ", but ")
        errors = [line for line in said.splitlines() if any(each in line for each in words)]
        if traced.code and not errors:
            verdict.unclear.append("no error message")
        verdict.unclear += [f"neither path nor step: {line}" for line in errors if not _names_a_place(line)]

    def _run_again(self, verdict: Verdict) -> None:
        """Run the operation again; it must reach the new state and leave nothing behind."""
        again = self._envsync(*self.operation.arguments)
        published = "already published" in again.err or "no generation older" in again.err
        done = again.code == self.operation.code or (self.operation.arguments[0] == "rollback" and published)
        if not done:
            verdict.stuck.append(f"rerun {again.code}: {again.out}{again.err}")
        later = Verdict(operation="")
        state, plan = self._observe(later)
        if state != "new" or later.torn:
            verdict.stuck.append(f"not new after the rerun: {later.torn}")
        if self.operation.settled and plan.code != 0:
            verdict.stuck.append(f"the plan is not empty: {plan.out}{plan.err}")
        verdict.left = self._leftovers()

    def _leftovers(self) -> list[str]:
        """Return the files and generations that a successful run never leaves."""
        found = leftovers(self.state, self.stage.work, ("web", self.operation.renamed or "web"))
        numbers = self.state.layout.generation_numbers("web")
        if self.operation.kept is not None and len(numbers) != self.operation.kept:
            found.append(f"{len(numbers)} generations instead of {self.operation.kept}")
        return sorted(found)

    def _envsync(self, *arguments: str) -> Ran:
        return command(arguments, cwd=self.stage.work, env=self.stage.env, output_directory=self.stage.directory)

    def _manifest(self, environments: str) -> None:
        body = "".join(f"  {line}\n" for line in environments.splitlines()) or "  {}\n"
        text = (
            f"version: 1\nproject: acme\nindexes: [{{name: local, url: {self.stage.index!r}}}]\nenvironments:\n{body}"
        )
        (self.stage.work / "envs.yaml").write_text(text, encoding="utf-8")

    def _shown(self, path: str) -> str:
        return path.replace(str(self.stage.work), "").lstrip("/")


def _names_a_place(line: str) -> bool:
    """Return whether an error says more than the system; `web: failed in 0.3s: Access denied` does not."""
    message = line.partition("error: ")[2] or line.partition("s: ")[2]
    return message not in {os.strerror(number) for number, _ in ERRORS.values()}
