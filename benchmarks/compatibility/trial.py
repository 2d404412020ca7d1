"""Apply one requirement set in an empty root, then check and verify it; try a set that fails with uv alone."""

import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from benchmarks.compatibility.sets import RequirementSet
from benchmarks.tools import clean_environment

_CAUSE = re.compile(r" *(error|cause|[A-Za-z]*(Error|Exception)): ")  # the lines that say what went wrong
_LONGEST = 1800.0  # seconds for one command


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of a set: `applied`, `fails` (uv installs it) or `uninstallable` (uv cannot install it either).

    `seconds` is how long the apply took, `packages` how many it installed. `code` and `message` are those of the
    failure, `notes` the notes of the plan afterwards.
    """

    name: str
    result: str
    seconds: float = 0.0
    packages: int = 0
    code: str = ""
    message: str = ""
    notes: tuple[str, ...] = ()


def run_trial(chosen: RequirementSet, work: Path, interpreter: Path) -> Outcome:
    """Return the outcome of one set; its directory below `work` is deleted, the shared package cache is kept."""
    directory = work / chosen.name
    shutil.rmtree(directory, ignore_errors=True)  # of a run that was ended
    directory.mkdir(parents=True)
    try:
        return _Trial(chosen, directory, interpreter, work).run()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class _Trial:
    def __init__(self, chosen: RequirementSet, directory: Path, interpreter: Path, work: Path) -> None:
        self._set, self._directory, self._interpreter = chosen, directory, interpreter
        self._env = clean_environment(work / "home", work / "tools")  # the package cache is below that home

    def run(self) -> Outcome:
        name = self._set.name
        listed = "".join(f"      - {json.dumps(each)}\n" for each in self._set.requirements)
        (self._directory / "envs.yaml").write_text(
            f"version: 1\nproject: compatibility\ncache: user\nenvironments:\n  {name}:\n"
            f"    python: {self._interpreter}\n    packages:\n{listed}",
            encoding="utf-8",
        )
        began = time.monotonic()
        applied = self._envsync("apply", "--yes", "--output", "json", "--timeout", "1500")
        seconds = round(time.monotonic() - began, 1)
        if applied.returncode:
            code, message = _failure(applied.stdout.replace(str(self._directory.parent), "WORK"))
            result = "fails" if self._uv_installs() else "uninstallable"
            return Outcome(name=name, result=result, seconds=seconds, code=code, message=message)
        for command in (("plan", "--output", "json", "--detailed-exitcode"), ("verify", "--output", "json")):
            done = self._envsync(*command)
            if done.returncode:
                return Outcome(name=name, result="fails", seconds=seconds, code=command[0], message=done.stdout[-2000:])
            if command[0] == "plan":
                [environment] = json.loads(done.stdout)["environments"]
        return Outcome(
            name=name,
            result="applied",
            seconds=seconds,
            packages=environment["package_count"],
            notes=tuple(environment["notes"]),
        )

    def _envsync(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._command(str(Path(sys.executable).with_name("envsync")), *arguments)

    def _uv_installs(self) -> bool:
        """Return whether `uv pip install` into an empty environment succeeds."""
        venv = self._directory / "of-uv"
        self._command(find_uv_bin(), "venv", "-q", "-p", str(self._interpreter), str(venv))
        python = str(venv / "bin/python")
        return not self._command(
            find_uv_bin(), "pip", "install", "-q", "-p", python, *self._set.requirements
        ).returncode

    def _command(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv,
            cwd=self._directory,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST,
            stdin=subprocess.DEVNULL,
        )


def _failure(output: str) -> tuple[str, str]:
    """Return code and message of the first failure in a stream of events, or of an error document."""
    for line in output.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        failure = found.get("failure") or (found if "code" in found and "message" in found else None)
        if failure:
            causes = [line.strip() for line in failure.get("details") or () if _CAUSE.match(line)]
            return failure["code"], "; ".join([failure["message"], *causes])
    return "unknown", output[-2000:]
