"""Processes that run at once: started, killed, waited for with a deadline; one that hangs tells where."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.host import Ran


@dataclass(frozen=True, kw_only=True)
class Member:
    """One process: `role` says what it is in the round; what it prints lies in files."""

    role: str
    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def ran(self) -> Ran:
        """Return what it did; it must have ended."""
        said, told = (each.read_text("utf-8", "replace") for each in (self.out, self.err))
        return Ran(code=self.process.returncode, out=said, err=told)


class Crowd:
    """The processes of one round; their output goes to files below `talk` (one may say much, and nobody listens)."""

    def __init__(self, *, cwd: Path, env: Mapping[str, str], talk: Path) -> None:
        self._cwd, self._env, self._talk = cwd, dict(env), talk
        shutil.rmtree(talk, ignore_errors=True)
        talk.mkdir(parents=True)
        self.members: list[Member] = []

    def start(self, role: str, argv: Sequence[str | Path], **env: str) -> Member:
        """Start one process, `env` on top of what all have."""
        number = len(self.members)
        out, err = self._talk / f"{number}.out", self._talk / f"{number}.err"
        with out.open("wb") as said, err.open("wb") as told:
            process = subprocess.Popen(
                argv, cwd=self._cwd, env={**self._env, **env}, stdin=subprocess.DEVNULL, stdout=said, stderr=told
            )
        member = Member(role=role, process=process, out=out, err=err)
        self.members.append(member)
        return member

    def hung(self, *, until: float) -> list[str]:
        """Wait for all; kill what still runs at `until` (monotonic) and return what each did there."""
        found = []
        for each in self.members:
            try:
                each.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                found.append(f"{each.role} (pid {each.pid}) still runs:\n{stack_of(each.pid)}")
                each.process.kill()
                each.process.wait()
        return found


def stack_of(pid: int) -> str:
    """Return where a process is: its Python stack where py-spy is there, else what the kernel tells."""
    if spy := shutil.which("py-spy"):
        done = subprocess.run([spy, "dump", "--pid", str(pid)], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
    told = []
    for task in sorted(os.listdir(f"/proc/{pid}/task")):
        for part in ("comm", "wchan", "syscall", "stack"):
            try:
                told.append(f"{task} {part}: {Path(f'/proc/{pid}/task/{task}/{part}').read_text().strip()}")
            except OSError as error:
                told.append(f"{task} {part}: {error.strerror}")
    return "\n".join(told)
