"""Processes that run at the same time: start them, kill them, wait with a deadline, and show where one hangs."""

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
    """One process; `role` is what it does in the round. Its output is in files."""

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
        """Return its exit code and output; it must have ended."""
        stdout, stderr = (each.read_text("utf-8", "replace") for each in (self.out, self.err))
        return Ran(code=self.process.returncode, out=stdout, err=stderr)


class Crowd:
    """The processes of one round. Their output goes to files below `output_directory`, because a pipe could fill up."""

    def __init__(self, *, cwd: Path, env: Mapping[str, str], output_directory: Path) -> None:
        self._cwd, self._env, self._output_directory = cwd, dict(env), output_directory
        shutil.rmtree(output_directory, ignore_errors=True)
        output_directory.mkdir(parents=True)
        self.members: list[Member] = []

    def start(self, role: str, argv: Sequence[str | Path], **env: str) -> Member:
        """Start one process, with `env` added to the variables of all."""
        number = len(self.members)
        out, err = self._output_directory / f"{number}.out", self._output_directory / f"{number}.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                argv, cwd=self._cwd, env={**self._env, **env}, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            )
        member = Member(role=role, process=process, out=out, err=err)
        self.members.append(member)
        return member

    def hung(self, *, until: float) -> list[str]:
        """Wait for all; kill those that still run at `until` (monotonic) and return where each of them was."""
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
    """Return where a process is: its Python stack if py-spy is installed, otherwise what the kernel shows."""
    if spy := shutil.which("py-spy"):
        done = subprocess.run([spy, "dump", "--pid", str(pid)], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
    lines = []
    for task in sorted(os.listdir(f"/proc/{pid}/task")):
        for part in ("comm", "wchan", "syscall", "stack"):
            try:
                lines.append(f"{task} {part}: {Path(f'/proc/{pid}/task/{task}/{part}').read_text().strip()}")
            except OSError as error:
                lines.append(f"{task} {part}: {error.strerror}")
    return "\n".join(lines)
