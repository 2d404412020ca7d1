"""Run whole processes and check each exit code, and what the output must contain."""

import marshal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO


class WrongAnswerError(Exception):
    """A measured command had the wrong exit code or output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line (absolute program), its expected exit code, and a text that its output or errors must contain."""

    argv: tuple[str, ...]
    code: int = 0
    contains: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One run of a batch of commands: total wall seconds, peak of the largest process, and the standard outputs."""

    seconds: float
    peak_kib: int
    outputs: tuple[str, ...]


class Starter:
    """The small process that starts the measured commands; see `benchmarks.starter`."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes], outputs: Path) -> None:
        self._requests = requests
        self._answers = answers
        self._outputs = outputs

    def run(self, commands: Sequence[Command], at_once: int = 1) -> Timing:
        """Run commands, `at_once` at a time. Raise WrongAnswerError if one has the wrong exit code or output."""
        marshal.dump(([list(each.argv) for each in commands], at_once, str(self._outputs)), self._requests)
        self._requests.flush()
        nanoseconds, codes, peak = marshal.load(self._answers)  # noqa: S302  # our own child
        outputs = tuple(self._output(number, "out") for number in range(len(commands)))
        for number, (command, code) in enumerate(zip(commands, codes, strict=True)):
            errors = self._output(number, "err")
            if code != command.code or command.contains not in outputs[number] + errors:
                wanted = f"exit {command.code}" + (f" and {command.contains!r}" if command.contains else "")
                reported = f"{outputs[number][-3000:]}{errors[-3000:]}"
                raise WrongAnswerError(f"{' '.join(command.argv)}\nexit {code}, expected {wanted}\n{reported}")
        return Timing(seconds=nanoseconds / 1e9, peak_kib=peak, outputs=outputs)

    def _output(self, number: int, kind: str) -> str:
        return (self._outputs / f"{number}.{kind}").read_text(encoding="utf-8", errors="replace")


@contextmanager
def starter(work: Path, environment: Mapping[str, str]) -> Iterator[Starter]:
    """Yield a starter whose commands run in `work` with only the variables of `environment`."""
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
