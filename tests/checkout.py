"""A copy of the checkout, in which tests run with a changed source, also in the processes that they start.

Tests name the copy in PYTHONPATH when they start a process, because they take the path from their own files.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.repository_files import ROOT, repository_files

_PYTEST = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "--timeout=120")
_MOST_MEMORY = 4 << 30  # bytes, of one process


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """The result of some tests: pytest's exit code, None if they did not end in time, and what it printed."""

    code: int | None
    output: str

    @property
    def passed(self) -> bool:
        """Return whether all tests passed; 5 means that there was none."""
        return self.code in {0, 5}

    @property
    def failures(self) -> list[str]:
        """Return the names of the tests that failed."""
        lines = (line for line in self.output.splitlines() if line.startswith(("FAILED ", "ERROR ")))
        return [line.partition(" ")[2].partition(" - ")[0] for line in lines]

    @property
    def first_failure(self) -> str:
        """Return the name of the test that failed first, or why there is none."""
        return next(iter(self.failures), "it did not end" if self.code is None else f"pytest exits with {self.code}")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of all files of the checkout in `directory`."""

    directory: Path

    def test(
        self,
        files: Sequence[str],
        *,
        seconds: float,
        processor_seconds: float | None = None,
        options: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> Tested:
        """Run test files in the copy, until the first failure and for at most `seconds`.

        `options` of pytest and environment `variables` are added to the usual ones. No process takes more than 4 GiB of
        memory, nor more than `processor_seconds`: a broken program may not end.
        """
        with subprocess.Popen(
            [sys.executable, *_PYTEST, *options, *files],
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(self.directory), **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as run:
            with suppress(ProcessLookupError):
                resource.prlimit(run.pid, resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))
                if processor_seconds is not None:
                    most = int(processor_seconds) + 1
                    resource.prlimit(run.pid, resource.RLIMIT_CPU, (most, most + 5))
            try:
                output, _ = run.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                return Tested(code=None, output="")
            finally:
                with suppress(ProcessLookupError):  # the tests, and whatever a broken program left running
                    os.killpg(run.pid, signal.SIGKILL)
        return Tested(code=run.returncode, output=output)

    def listed(self, names: Sequence[str]) -> str:
        """Write names to a file of the copy, one a line, and return its path."""
        path = self.directory / "names"
        path.write_text("\n".join(names), encoding="utf-8")
        return str(path)

    @contextmanager
    def changed(self, file: str, source: str) -> Iterator[None]:
        """Give `file` another source for the time of the block."""
        path = self.directory / file
        original = path.read_bytes()
        try:
            _write(path, source.encode("utf-8"))
            yield
        finally:
            _write(path, original)


@contextmanager
def copied_checkout() -> Iterator[Checkout]:
    """Yield a copy of the checkout, which any user can read, and delete it afterwards."""
    # A test that was killed may have left a mount, which must not end the run.
    with tempfile.TemporaryDirectory(prefix="envsync-checkout-", ignore_cleanup_errors=True) as made:
        directory = Path(made).resolve()
        directory.chmod(0o755)
        for path in repository_files():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target)
        yield Checkout(directory)


def _write(path: Path, content: bytes) -> None:
    """Write a module; its bytecode is deleted, because a source of the same second and size would not replace it."""
    path.write_bytes(content)
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()
