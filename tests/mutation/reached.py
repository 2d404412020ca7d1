"""Which test executes which places of envsync, in its own process or in any that it starts.

It is measured in a copy of the checkout in which every place reports when it is reached, because the tests start
thousands of processes, and kill some of them. The result is kept outside of the repository, and a test file is
measured again when it changed: `python -m tests.mutation --measure`.
"""

import ast
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.checkout import Checkout, copied_checkout
from tests.mutation.places import places
from tests.mutation.reported_tests import ALL_TESTS
from tests.repository_files import ROOT, repository_files

LONGEST_SECONDS = 900
# Test files that say nothing about a mutant: they compare texts with the source, or run mutants themselves.
LEFT_OUT = (
    "tests/docs/",
    "tests/benchmarks/",
    "tests/surfaces/",
    "tests/mutation/",
    "tests/plan/test_mutation.py",
    "tests/test_statements.py",
    "tests/test_safeguards.py",
)
NOT_LEFT_OUT = ("tests/docs/test_generated.py",)  # the help pages are expected output
LONG = ("tests/functional/", "tests/faults/", "tests/fastpath/", "tests/engines/")
# Every process writes the file. A forked process reports again what its parent reached before. A minus sign means a
# process that is neither pytest's nor a fork of it (or of tests/preloaded.py, which is as good as a fork).
_REPORTER = """\
import builtins, os, sys

_seen = set()
_sign = "" if {{"pytest", "tests.preloaded"}} & set(sys.orig_argv) else "-"
try:
    _file = os.open({file!r}, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
except OSError:  # a process of another user
    _file = -1


def _write(text):
    if _file >= 0:
        try:
            os.write(_file, text.encode())
        except OSError:
            pass


def _reached(number):
    if number not in _seen:
        _seen.add(number)
        _write(f"{{_sign}}{{number}}\\n")


def _mark(text):
    _seen.clear()
    _write(f"{{text}}\\n")


_reached.mark = _mark
builtins._reached = _reached
os.register_at_fork(after_in_child=lambda: _write("".join(f"{{_sign}}{{number}}\\n" for number in list(_seen))))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredTest:
    """A test: how long it takes, whether it passes in a copy, and the places that it reaches as bits.

    `elsewhere` are those that it reaches in new interpreters, which import the modules.
    """

    seconds: float
    passes: bool
    reached: int
    elsewhere: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A test file as it was measured: `sha256` is that of the file, `bits` are the places by name, and its tests."""

    sha256: str
    bits: Mapping[str, int]
    tests: Mapping[str, MeasuredTest]

    def reaching(self, names: Iterable[str], *, elsewhere: bool = False) -> dict[str, MeasuredTest]:
        """Return the tests that pass and reach one of the places, with `elsewhere` only those in new interpreters."""
        mask = sum(1 << self.bits[name] for name in set(names) if name in self.bits)
        return {
            name: each
            for name, each in self.tests.items()
            if each.passes and (each.elsewhere if elsewhere else each.reached) & mask
        }


class Named(NamedTuple):
    """The name of a place; one that is `cached` is reached once in a process, so it counts for every test."""

    name: str
    cached: bool


def cache_file() -> Path:
    """Return where the measurements are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "envsync-tests" / "reached-places.json"


def load() -> dict[str, Measured]:
    """Return the measurements of all test files that did not change since, by path."""
    stored = {file: each for file, each in _stored().items() if each["sha256"] == _sha256(ROOT / file)}
    return {
        file: Measured(
            sha256=each["sha256"],
            bits={name: bit for bit, name in enumerate(each["places"])},
            tests={
                name: MeasuredTest(
                    seconds=seconds, passes=passes, reached=int(reached, 16), elsewhere=int(elsewhere, 16)
                )
                for name, (seconds, passes, reached, elsewhere) in each["tests"].items()
            },
        )
        for file, each in stored.items()
    }


def measure(files: Iterable[str]) -> None:
    """Measure test files, one at a time, and keep the results with the earlier ones."""
    with copied_checkout() as reporting, copied_checkout() as unchanged:
        reports = reporting.directory / "reached"
        named = _report_places(reporting, reports)
        for file in files:
            if not (reporting.directory / file).exists():
                continue  # it was written after the copy was made
            reports.write_bytes(b"")
            reports.chmod(0o666)
            began = time.monotonic()
            reporting.test(
                [file], seconds=LONGEST_SECONDS, options=("--maxfail=0", "-p", "tests.mutation.reported_tests")
            )
            found = _Reports.of(reports.read_text(encoding="utf-8"))
            # The reports are calls too: a test that counts them may fail only for that.
            if found.failed:
                tested = unchanged.test(sorted(found.failed), seconds=LONGEST_SECONDS, options=("--maxfail=0",))
                found.failed = {each for each in found.failed if each in tested.failures or tested.code is None}
            _keep(file, found.measured(named, _sha256(reporting.directory / file)))
            seconds = time.monotonic() - began
            failing = f", FAIL: {sorted(found.failed)}" if found.failed else ""
            print(f"{file}: {len(found.seconds)} tests in {seconds:.0f} s{failing}", flush=True)


def unmeasured() -> list[str]:
    """Return the test files that have no measurement, or changed since."""
    found = load()
    return [file for file in files_of_tests() if file not in found]


def files_of_tests() -> list[str]:
    """Return the files of tests that can notice a mutant; those that take long come last."""
    names = [path.as_posix() for path in repository_files("tests") if path.name.startswith("test_")]
    found = [
        name
        for name in names
        if name.endswith(".py") and (name.startswith(NOT_LEFT_OUT) or not name.startswith(LEFT_OUT))
    ]
    return sorted(found, key=lambda name: (name.startswith(LONG), name))


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
    header = f"_envsync_reached = getattr(__import__('builtins'), '_reached', int)\n_envsync_reached({len(named)})\n"
    named.append(Named(file, cached=True))
    start = max((index + 1 for index, each in enumerate(tree.body) if _comes_first(each)), default=0)
    tree.body[start:start] = ast.parse(header).body
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

    @classmethod
    def of(cls, text: str) -> "_Reports":
        """Read the lines: numbers of places, and the marks of the plugin."""
        found = cls()
        running = ALL_TESTS
        for line in text.splitlines():
            if line.lstrip("-").isdigit():
                found.reached.setdefault(running, set()).add(int(line.lstrip("-")))
                if line.startswith("-"):
                    found.elsewhere.setdefault(running, set()).add(int(line[1:]))
                continue
            try:
                mark: dict[str, Any] = json.loads(line)
            except ValueError:  # the process was killed, or something else wrote to its descriptor
                continue
            if "test" in mark:
                running = mark["test"]
            else:
                name = mark["phase"]
                found.seconds[name] = found.seconds.get(name, 0.0) + mark["seconds"]
                if mark["failed"]:
                    found.failed.add(name)
        return found

    def measured(self, named: list[Named], sha256: str) -> dict[str, Any]:
        """Return the measurement as it is stored."""
        used = sorted(set().union(*self.reached.values()))
        bits = {number: bit for bit, number in enumerate(used)}
        cached = {number for number in used if named[number].cached}

        def mask(reached: dict[str, set[int]], name: str, always: set[int]) -> str:
            numbers = reached.get(name, set()) | reached.get(ALL_TESTS, set()) | always
            return f"{sum(1 << bits[number] for number in numbers):x}"

        tests = {
            name: (
                round(seconds, 2),
                name not in self.failed,
                mask(self.reached, name, cached),
                mask(self.elsewhere, name, set()),
            )
            for name, seconds in self.seconds.items()
        }
        return {"sha256": sha256, "places": [named[number].name for number in used], "tests": tests}


def _report_places(checkout: Checkout, reports: Path) -> list[Named]:
    """Change all modules of envsync so that every process appends the places that it reaches to the file `reports`.

    Return the places; their index is what is reported.
    """
    reports.write_bytes(b"")
    (checkout.directory / "sitecustomize.py").write_text(_REPORTER.format(file=str(reports)), encoding="utf-8")
    named: list[Named] = []
    for path in sorted(checkout.directory.glob("reconciler/**/*.py")):
        file = path.relative_to(checkout.directory).as_posix()
        path.write_text(instrumented(path.read_text(encoding="utf-8"), file, named), encoding="utf-8")
    return named


def _stored() -> dict[str, Any]:
    try:
        stored: dict[str, Any] = json.loads(cache_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return stored


def _keep(name: str, measured: dict[str, Any]) -> None:
    """Store the measurement of a test file; other processes may store those of other files at the same time."""
    file = cache_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = file.with_suffix(".new")
        new.write_text(json.dumps({**_stored(), name: measured}), encoding="utf-8")
        new.replace(file)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
