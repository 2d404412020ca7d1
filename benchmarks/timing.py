"""Runs whole processes and holds them to their word: every exit code, and what the output must say."""

import marshal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO


class WrongAnswerError(Exception):
    """A command that is measured did not do what it is measured for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line (absolute program), its exit code, and a text that its output, or its errors, must contain."""

    argv: tuple[str, ...]
    code: int = 0
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One run of a batch of commands: wall seconds in all, the largest process's peak, each one's standard output."""

    seconds: float
    peak_kib: int
    outputs: tuple[str, ...]


class Starter:
    """The small process that starts what is measured; see `benchmarks.starter`."""

    def __init__(self, asking: IO[bytes], answering: IO[bytes], outputs: Path) -> None:
        self._asking = asking
        self._answering = answering
        self._outputs = outputs

    def run(self, commands: Sequence[Command], at_once: int = 1) -> Timing:
        """Run commands, `at_once` of them side by side. Raises WrongAnswerError."""
        marshal.dump(([list(each.argv) for each in commands], at_once, str(self._outputs)), self._asking)
        self._asking.flush()
        nanoseconds, codes, peak = marshal.load(self._answering)  # noqa: S302  # our own child
        outputs = tuple(self._output(number, "out") for number in range(len(commands)))
        for number, (command, code) in enumerate(zip(commands, codes, strict=True)):
            errors = self._output(number, "err")
            if code != command.code or command.says not in outputs[number] + errors:
                wanted = f"exit {command.code}" + (f" and {command.says!r}" if command.says else "")
                told = f"{outputs[number][-3000:]}{errors[-3000:]}"
                raise WrongAnswerError(f"{' '.join(command.argv)}\nexit {code}, expected {wanted}\n{told}")
        return Timing(seconds=nanoseconds / 1e9, peak_kib=peak, outputs=outputs)

    def _output(self, number: int, kind: str) -> str:
        return (self._outputs / f"{number}.{kind}").read_text(encoding="utf-8", errors="replace")


@contextmanager
def starter(work: Path, environment: Mapping[str, str]) -> Iterator[Starter]:
    """Yield a starter whose commands run in `work` and see `environment` alone."""
    outputs = work / "outputs"
    outputs.mkdir(parents=True, exist_ok=True)
    program = Path(__file__).with_name("starter.py")
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(program)],
        cwd=work,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("no pipe to the starter")
        yield Starter(child.stdin, child.stdout, outputs)
        child.stdin.close()
