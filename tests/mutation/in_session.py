"""A plugin for pytest that tests mutants in one session: tests are collected once, and every mutant has a forked child.

The child replaces the code of the changed function in memory, also for the commands that functional tests run
(tests/preloaded.py). A new interpreter imports the unchanged module: tests/mutation/in_copy.py runs the tests that
start one, or that reach the function at an import or while tests are collected. The file that `SESSION` names has the
request. The results are written to standard output as JSON lines (see `session_verdicts` there).
"""

import ast
import atexit
import functools
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import socket
import sys
import time
import types
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import preloaded
from tests.mutation.in_copy import START_SECONDS, is_unit_test, ordered_parts, within
from tests.mutation.measurements import edited, load
from tests.mutation.mutants import ROOT, Mutant, mutants_in

_MOST_MEMORY = 4 << 30  # bytes
END = "end"


@dataclass(slots=True, kw_only=True)
class _Child:
    """A process that runs the tests of a mutant; it writes the place of each in the list before it starts it.

    At the end it writes `END`. `usual` are the seconds that each test usually takes.
    """

    mutant: Mutant
    tests: Sequence[str]
    usual: Sequence[float]
    answer: int
    directory: Path
    running: int = 0
    ended: bool = False
    since: float = field(default_factory=time.monotonic)

    @property
    def is_late(self) -> bool:
        """Return whether a test takes much longer than usual."""
        self._read()
        return time.monotonic() - self.since > START_SECONDS + 10 * self.usual[self.running]

    def result(self) -> str:
        """Return the name of the test that failed or did not end, empty if all passed; the process has ended."""
        self._read()
        os.close(self.answer)
        shutil.rmtree(self.directory, ignore_errors=True)
        return "" if self.ended else self.tests[self.running]

    def _read(self) -> None:
        with suppress(BlockingIOError):
            while text := os.read(self.answer, 1 << 16):
                self.since = time.monotonic()
                *_, last = text.decode().split()
                self.ended = last == END
                self.running = self.running if self.ended else int(last)


class Session:
    """Tests the mutants of a session; `parts` are the tests of each mutant, the best ones first."""

    def __init__(self, locations: list[str], budget: float, jobs: int) -> None:
        self.jobs = jobs
        wanted = set(locations)
        files = sorted({ROOT / each.split()[0] for each in wanted})
        self.measured = load()
        self.mutants = [each for each in mutants_in(files) if each.location in wanted]
        self.parts = {
            each.location: within(ordered_parts(each, self.measured), budget) for each in self.mutants if each.place
        }
        self.edited = edited()
        self.seconds = {name: test.seconds for each in self.measured.values() for name, test in each.tests.items()}
        self.items: dict[str, pytest.Item] = {}
        self.new: dict[str, list[str]] = {}  # tests that were not measured, such as new cases, by their file
        self.running: dict[int, _Child] = {}
        self.passing: dict[str, bool] = {}
        self.failed = ""
        self.results = os.dup(1)

    @property
    def files(self) -> list[str]:
        """Return the test files that are needed."""
        return sorted({file for each in self.mutants for file in self._files_for(each)})

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for path in sorted((ROOT / "reconciler").rglob("*.py")):
            if path.stem != "__main__":
                importlib.import_module(
                    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                )
        self.items = {each.nodeid: each for each in session.items}
        for name in self.items:
            file = name.partition("::")[0]
            if name not in self.seconds or file in self.edited:
                self.new.setdefault(file, []).append(name)
        tests = {each.location: self._tests_of(each) for each in self.mutants}
        for mutant in sorted(self.mutants, key=lambda each: self._usual(tests[each.location])):
            self._start(mutant, tests[mutant.location])
        while self.running:
            self._wait()
        return True

    def _files_for(self, mutant: Mutant) -> list[str]:
        """Return the test files with tests for a mutant, and those of its package that were edited."""
        if mutant.location not in self.parts:
            return []
        files = [part.file for part in self.parts[mutant.location]]
        return list(dict.fromkeys([*files, *(each for each in self.edited if is_unit_test(each, mutant))]))

    def _tests_of(self, mutant: Mutant) -> list[str]:
        """Return the names of the tests for a mutant: the measured ones, and then those that are or may be new.

        All tests of an edited file may be new, but only those of the package are fast.
        """
        tests = [name for part in self.parts.get(mutant.location, ()) for name in part.tests]
        for file in self._files_for(mutant):
            may_be_new = file in self.edited and is_unit_test(file, mutant)
            tests += [name for name in self.new.get(file, ()) if may_be_new or name not in self.seconds]
        return list(dict.fromkeys(tests))

    def _usual(self, tests: Sequence[str]) -> float:
        return sum(self.seconds.get(each, 1.0) for each in tests)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def _start(self, mutant: Mutant, tests: Sequence[str]) -> None:
        """Start a child with a mutant, if it can be changed in memory, when there is a place for one."""
        tests = [each for each in tests if each in self.items and self.passing.get(each, True)]
        code = changed_code(mutant) if tests else []
        if not code:
            return
        while len(self.running) >= self.jobs:
            self._wait()
        process, child = self._fork(mutant, tests, code)
        self.running[process] = child

    def _fork(
        self, mutant: Mutant, tests: Sequence[str], code: list[tuple[types.FunctionType, types.CodeType]]
    ) -> tuple[int, _Child]:
        answer, writes = os.pipe()
        os.set_blocking(answer, False)
        directory = Path.cwd() / "temporary" / str(time.monotonic_ns())
        directory.parent.mkdir(exist_ok=True)
        process = os.fork()
        if process == 0:
            with suppress(BaseException):
                os.close(answer)
                os.setsid()
                _limit(self._usual(tests))
                for function, changed in code:
                    function.__code__ = changed
                forget_results()
                _serve_commands()
                self._run([self.items[name] for name in tests], directory, writes)
            os._exit(0)
        os.close(writes)
        usual = [self.seconds.get(each, 1.0) for each in tests]
        return process, _Child(mutant=mutant, tests=tests, usual=usual, answer=answer, directory=directory)

    def _run(self, items: Sequence[pytest.Item], directory: Path, writes: int) -> None:
        items[0].config._tmp_path_factory._given_basetemp = directory  # type: ignore[attr-defined]
        for number, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
            os.write(writes, f"{number}\n".encode())
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return
        os.write(writes, f"{END}\n".encode())

    def _wait(self) -> None:
        """Wait until a child ends, and write its result."""
        while True:
            for process, child in list(self.running.items()):
                if _has_ended(process, child):
                    del self.running[process]
                    self._judge(child, child.result())
                    return
            time.sleep(0.01)

    def _judge(self, child: _Child, failed: str) -> None:
        """Write a result; if the test that failed also fails without the mutant, start the child again without it.

        So does a test that does not end: it may be the machine that is slow.
        """
        if failed and not self._passes_unchanged(child.mutant, failed):
            self._start(child.mutant, child.tests)
            return
        result = {"location": child.mutant.location, "failed": failed, "tests": len(child.tests)}
        os.write(self.results, (json.dumps(result) + "\n").encode())

    def _passes_unchanged(self, mutant: Mutant, test: str) -> bool:
        if test not in self.passing:
            process, child = self._fork(mutant, [test], [])
            while not _has_ended(process, child):
                time.sleep(0.01)
            self.passing[test] = not child.result()
        return self.passing[test]


def _has_ended(process: int, child: _Child) -> bool:
    """Return whether a child has ended, or is ended now because it is late; nothing that it started is left."""
    ended, _ = os.waitpid(process, os.WNOHANG)
    if not ended and not child.is_late:
        return False
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    if not ended:
        os.waitpid(process, 0)
    return True


def changed_code(mutant: Mutant) -> list[tuple[types.FunctionType, types.CodeType]]:
    """Return the functions in memory that a mutant changes, each with its new code; none if that is not possible."""
    tree = ast.parse(mutant.path.read_text(encoding="utf-8"))
    mutant.change.make(next(each for place, each in enumerate(ast.walk(tree)) if place == mutant.index))
    tree = ast.fix_missing_locations(_SinglePatterns().visit(tree))
    module = compile(tree, str(mutant.path), "exec", dont_inherit=True)
    new: dict[tuple[str, int], list[types.CodeType]] = {}
    for code in _codes(module):
        new.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
    found = []
    for each in gc.get_objects():
        if isinstance(each, types.FunctionType) and each.__code__.co_filename == str(mutant.path):
            changed, *others = new.get((each.__code__.co_qualname, each.__code__.co_firstlineno), [each.__code__])
            if others or changed == each.__code__:  # two lambdas in a line look the same
                continue
            if changed.co_freevars != each.__code__.co_freevars:
                return []
            found.append((each, changed))
    return found


def forget_results() -> None:
    """Clear what functions of envsync have cached, which they computed before one of them was changed."""
    for each in gc.get_objects():
        if type(each) is functools._lru_cache_wrapper and each.__module__.startswith("reconciler."):
            each.cache_clear()


class _SinglePatterns(ast.NodeTransformer):
    """Replaces an alternative of patterns that has only one left, which cannot be compiled."""

    def visit_MatchOr(self, node: ast.MatchOr) -> ast.AST:
        self.generic_visit(node)
        return node.patterns[0] if len(node.patterns) == 1 else node


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield each
            yield from _codes(each)


def _limit(seconds: float) -> None:
    """Limit the memory and the time of this process and its children, and silence them."""
    processor = int(START_SECONDS / 2 + 5 * seconds)
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor + 5))
    silent = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silent, descriptor)


def _serve_commands() -> None:
    """Run the commands of functional tests in forks of this process, in which a function is changed."""
    address = f"\0envsync-tests-{os.getpid()}-{os.urandom(8).hex()}"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(address)
    listening.listen(64)
    reads, writes = os.pipe()
    if os.fork() == 0:
        os.close(writes)
        os.dup2(reads, 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        atexit._clear()
        preloaded._serve(listening)
        os._exit(0)
    os.close(reads)
    listening.close()
    parent = os.getpid()
    start = preloaded._server.__wrapped__
    preloaded._server = lambda pid: address if pid == parent else start(pid)  # type: ignore[assignment]


def pytest_configure(config: pytest.Config) -> None:
    request = json.loads(Path(os.environ["SESSION"]).read_text(encoding="utf-8"))
    session = Session(request["locations"], request["budget"], request["jobs"])
    config.args[:] = session.files
    config.pluginmanager.register(session)
