"""Which test executes which places of envsync, in its own process or in any that it starts.

It is measured in a copy of the checkout in which every place reports when it is reached, because the tests start
thousands of processes, and kill some of them. Every process also reports which files below `tests` it opens. The
result is kept outside of the repository (tests/mutation/measurements.py): `python -m tests.mutation --measure new`.
"""

import ast
import json
import queue
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.checkout import Checkout, copied_checkout
from tests.mutation.measurements import digest_of, keep
from tests.mutation.places import places, version_of
from tests.mutation.reported_tests import ALL_TESTS, COLLECTION

LONGEST_SECONDS = 900
# Every process writes the file. A forked process reports again what its parent reached before. A minus sign means a
# process that is neither pytest's nor a fork of it (or of tests/preloaded.py, which is as good as a fork), or a place
# that is reached while a module is imported. An equals sign means a file or directory below `tests` that is read.
REPORTER = """\
import builtins, os, sys

_seen = set()
_opened = set()
_imported = []
_sign = "" if {{"pytest", "tests.preloaded"}} & set(sys.orig_argv) else "-"
try:
    _file = os.open({file!r}, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
except OSError:  # a process of another user
    _file = -1


def _write(text):
    if _file >= 0:
        try:
            os.write(_file, text.encode("utf-8", "surrogateescape"))
        except OSError:
            pass


def _reached(number):
    text = f"{{'-' if _imported else _sign}}{{number}}\\n"
    if text not in _seen:
        _seen.add(text)
        _write(text)


def _mark(text):
    _seen.clear()
    _write(f"{{text}}\\n")


def _begin(number):
    _imported.append(number)
    _reached(number)


def _end(number):
    if number in _imported:
        del _imported[_imported.index(number) :]


def _audit(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], (str, os.PathLike)):
        path = os.fspath(arguments[0])
        if isinstance(path, str) and path.startswith({tests!r}) and path not in _opened:
            _opened.add(path)
            _write(f"={{path}}\\n")


_reached.mark = _mark
_reached.begin = _begin
_reached.end = _end
builtins._reached = _reached
os.register_at_fork(after_in_child=lambda: _write("".join(list(_seen))))
sys.addaudithook(_audit)
"""


class Named(NamedTuple):
    """The name of a place; one that is `cached` is reached once in a process, so it counts for every test."""

    name: str
    cached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copies:
    """Two copies of the checkout: in one, every place of `named` reports to the file `reports` that it is reached.

    `modules` are the digests of the modules before that.
    """

    reporting: Checkout
    unchanged: Checkout
    reports: Path
    named: list[Named]
    modules: Mapping[str, str]


def measure(files: Iterable[str], jobs: int = 1, *, below: str = "reconciler") -> None:
    """Measure which modules `below` a directory test files reach, `jobs` files at a time, and keep the results."""
    copies: queue.SimpleQueue[_Copies] = queue.SimpleQueue()

    def measure_file(file: str) -> str:
        used = copies.get()
        try:
            return _measure(file, used)
        finally:
            copies.put(used)

    with ExitStack() as stack, ThreadPoolExecutor(jobs) as threads:
        for _ in range(jobs):
            reporting, unchanged = stack.enter_context(copied_checkout()), stack.enter_context(copied_checkout())
            reports = reporting.directory / "reached"
            copies.put(_report_places(reporting, unchanged, reports, below))
        for line in threads.map(measure_file, files):
            print(line, flush=True)


def _measure(file: str, copies: _Copies) -> str:
    """Measure a test file and keep the result; return what to print."""
    if not (copies.reporting.directory / file).exists():
        return f"{file}: it was written after the copy was made"
    copies.reports.write_bytes(b"")
    copies.reports.chmod(0o666)
    began = time.monotonic()
    tested = copies.reporting.test(
        [file], seconds=LONGEST_SECONDS, options=("--maxfail=0", "-p", "tests.mutation.reported_tests")
    )
    found = _Reports.of(copies.reports.read_text(encoding="utf-8", errors="surrogateescape"))
    if not found.seconds and tested.code is None:
        return f"{file}: it did not end in {LONGEST_SECONDS} s, and is not measured"
    # The reports are calls too: a test that counts them may fail only for that.
    if found.failed:
        again = copies.unchanged.test(sorted(found.failed), seconds=LONGEST_SECONDS, options=("--maxfail=0",))
        found.failed = {each for each in found.failed if each in again.failures or again.code is None}
    used = sorted(set().union(*found.reached.values()))
    names = [copies.named[number].name for number in used]
    inputs = {file, *_inputs(found.opened, copies.reporting.directory)}
    digests = {path: digest_of(path, copies.unchanged.directory) for path in inputs}
    keep(
        file,
        inputs={path: digest for path, digest in digests.items() if digest},
        modules={name: copies.modules[name] for name in {each.partition(" ")[0] for each in names}},
        functions={version_of(each.name) for each in copies.named if " " in each.name},
        places=names,
        tests=found.tests(used, {number for number in used if copies.named[number].cached}),
    )
    failing = f", FAIL: {sorted(found.failed)}" if found.failed else ""
    return f"{file}: {len(found.seconds)} tests in {time.monotonic() - began:.0f} s{failing}"


def _inputs(opened: Iterable[str], top: Path) -> Iterator[str]:
    """Yield the paths of what was opened in the copy `top`: directories with a slash, modules for their bytecode.

    A package is listed by every import, and counts by its modules.
    """
    for each in opened:
        path = Path(each)
        if path.parent.name == "__pycache__":
            path = path.parent.parent / f"{path.name.partition('.')[0]}.py"
        if path.is_relative_to(top / "tests/mutation") or (path / "__init__.py").exists():
            continue
        yield path.relative_to(top).as_posix() + ("/" if path.is_dir() else "")


def instrumented(source: str, file: str, named: list[Named]) -> str:
    """Return the source of a module whose places report when they are reached, as their index in `named`.

    Its places are added to `named`, and the module itself, which is reached when it is imported.
    """
    tree = ast.parse(source)
    found = list(places(tree, file))
    first = len(named)
    named += [Named(place.name, place.cached) for place in found]
    for number, place in reversed(list(enumerate(found, start=first))):
        place.statements.insert(place.start, ast.parse(f"_envsync_reached({number})").body[0])
    number = len(named)
    header = (
        "_envsync_reached = getattr(__import__('builtins'), '_reached', int)\n"
        f"getattr(_envsync_reached, 'begin', _envsync_reached)({number})\n"
    )
    named.append(Named(file, cached=True))
    start = max((index + 1 for index, each in enumerate(tree.body) if _comes_first(each)), default=0)
    tree.body[start:start] = ast.parse(header).body
    tree.body += ast.parse(f"getattr(_envsync_reached, 'end', int)({number})").body
    return ast.unparse(ast.fix_missing_locations(tree))


def _comes_first(statement: ast.stmt) -> bool:
    """Return whether a statement is a docstring or an import of `__future__`, which no other may precede."""
    return (isinstance(statement, ast.ImportFrom) and statement.module == "__future__") or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


@dataclass(slots=True)
class _Reports:
    """What the processes of a test file reported, by the name of the test."""

    reached: dict[str, set[int]] = field(default_factory=dict)
    elsewhere: dict[str, set[int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> "_Reports":
        """Read the lines: numbers of places, and the marks of the plugin."""
        found = cls()
        running = COLLECTION
        for line in text.splitlines():
            if line.lstrip("-").isdigit():
                number = int(line.lstrip("-"))
                found.reached.setdefault(running, set()).add(number)
                if line.startswith("-"):
                    found.elsewhere.setdefault(running, set()).add(number)
                continue
            if line.startswith("="):
                found.opened.add(line[1:])
                continue
            try:
                mark: dict[str, Any] = json.loads(line)
            except ValueError:  # the process was killed, or something else wrote to its descriptor
                continue
            if "test" in mark:
                running = mark["test"]
            elif "ended" in mark:
                found.seconds[mark["ended"]] = mark["seconds"]
            elif mark["failed"]:
                found.failed.add(mark["phase"])
        return found

    def tests(self, used: list[int], cached: set[int]) -> dict[str, tuple[float, bool, str, str]]:
        """Return the tests as they are stored; the bits are those of the `used` places in their order."""
        bits = {number: bit for bit, number in enumerate(used)}

        def mask(*reached: set[int]) -> str:
            return f"{sum(1 << bits[number] for number in set().union(*reached)):x}"

        nothing: set[int] = set()
        at_collection = self.reached.get(COLLECTION, nothing)
        of_all = self.reached.get(ALL_TESTS, nothing), at_collection
        of_all_elsewhere = self.elsewhere.get(ALL_TESTS, nothing), at_collection
        return {
            name: (
                round(seconds, 2),
                name not in self.failed,
                mask(self.reached.get(name, nothing), cached, *of_all),
                mask(self.elsewhere.get(name, nothing), *of_all_elsewhere),
            )
            for name, seconds in self.seconds.items()
        }


def _report_places(reporting: Checkout, unchanged: Checkout, reports: Path, below: str) -> _Copies:
    """Change all modules `below` a directory so that every process appends the places it reaches to the file `reports`.

    A place is reported as its index in `named` of the result.
    """
    reports.write_bytes(b"")
    tests = str(reporting.directory / "tests")
    reporter = REPORTER.format(file=str(reports), tests=tests)
    (reporting.directory / "sitecustomize.py").write_text(reporter, encoding="utf-8")
    named: list[Named] = []
    modules = {}
    for path in sorted(reporting.directory.glob(f"{below}/**/*.py")):
        file = path.relative_to(reporting.directory).as_posix()
        modules[file] = digest_of(file, reporting.directory)
        path.write_text(instrumented(path.read_text(encoding="utf-8"), file, named), encoding="utf-8")
    return _Copies(reporting=reporting, unchanged=unchanged, reports=reports, named=named, modules=modules)
