"""What is known about the tests: which places each one reaches, and how long it takes. It is kept by content.

A measurement depends on the files below `tests` that the tests opened (helpers, cases, a list of a directory) and on
the modules of envsync that they reached. It is kept under the digest of these, so that no clone and no version replaces
the measurement of another. `load` chooses the one that fits best. It is used even if something changed since: a
function that changed is reached by all tests that reached it before, and tests that are new are run as well
(tests/mutation/in_session.py).
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Any

from tests.mutation.mutants import Mutant
from tests.mutation.places import function_of, version_of
from tests.repository_files import ROOT, repository_files

# Test files that say nothing about a mutant: they compare texts with the source, need other programs, or run mutants
# themselves.
LEFT_OUT = (
    "tests/docs/test_links.py",
    "tests/docs/test_security_page.py",
    "tests/docs/test_site.py",
    "tests/benchmarks/",
    "tests/surfaces/",
    "tests/mutation/",
    "tests/plan/test_mutation.py",
    "tests/test_map_of_tests.py",
    "tests/test_statements.py",
    "tests/test_safeguards.py",
)
LONG = ("tests/functional/", "tests/faults/", "tests/fastpath/", "tests/engines/")
MOST_KEPT = 4  # measurements of one test file
MOST_VERSIONS = 20  # of the code
_number = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredTest:
    """A test: how much processor time it takes, whether it passes in a copy, and the places that it reaches as bits.

    `elsewhere` are those that a session does not see: those that it reaches in new interpreters, while a module is
    imported, or while tests are collected.
    """

    seconds: float
    passes: bool
    reached: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions of envsync when a test file was measured: with the digests of their code, and their names."""

    versions: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, versions: Iterable[str]) -> "Functions":
        """Return the functions of some versions."""
        versions = frozenset(versions)
        return cls(versions, frozenset(each.rpartition(" ")[0] for each in versions))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A test file as it was measured: the bits of the places by name, and its tests."""

    bits: Mapping[str, int]
    tests: Mapping[str, MeasuredTest]
    functions: Functions

    def reaching(self, mutant: Mutant, *, elsewhere: bool = False, wide: bool = False) -> dict[str, MeasuredTest]:
        """Return the tests that pass and reach a mutant, or with `elsewhere` those that a session does not see fail.

        `wide` as in `_mask`.
        """
        mask = self._mask(mutant, wide=wide)
        return {
            name: each
            for name, each in self.tests.items()
            if each.passes and (each.elsewhere if elsewhere else each.reached) & mask
        }

    def _mask(self, mutant: Mutant, *, wide: bool) -> int:
        """Return the places that show a mutant as bits: a test that reaches none of them cannot notice it.

        It is the place of the mutant; all places of its function if that changed after the measurement; all places of
        its module if the function is new, or with `wide`; or the module itself, if that executes it when it is
        imported.
        """
        if not mutant.place:
            return self._bit(mutant.file)
        if version_of(mutant.place) in self.functions.versions:
            return self._bit(mutant.place)
        function = function_of(mutant.place)
        if function in self.functions.names and not wide:
            return self._masks.get(function, 0)
        return self._masks.get(mutant.file, 0) or self._bit(mutant.file)

    def _bit(self, name: str) -> int:
        return 1 << self.bits[name] if name in self.bits else 0

    @cached_property
    def _masks(self) -> dict[str, int]:
        """The places of each function, and those of each module."""
        found: dict[str, int] = {}
        for name, bit in self.bits.items():
            file, _, within = name.partition(" ")
            for each in (function_of(name), file) if within else ():
                found[each] = found.get(each, 0) | 1 << bit
        return found


def load() -> dict[str, Measured]:
    """Return the measurement of each test file that fits best; files that were never measured have none."""
    digest, functions = cache(digest_of), cache(_functions)
    found = {}
    for file in files_of_tests():
        if best := _best(file, digest):
            header, body = (json.loads(line) for line in best.read_text(encoding="utf-8").splitlines())
            found[file] = Measured(
                bits={name: bit for bit, name in enumerate(body["places"])},
                tests={
                    name: MeasuredTest(
                        seconds=seconds, passes=passes, reached=int(reached, 16), elsewhere=int(elsewhere, 16)
                    )
                    for name, (seconds, passes, reached, elsewhere) in body["tests"].items()
                },
                functions=functions(header["functions"]),
            )
    return found


def unmeasured(*, exactly: bool = False) -> list[str]:
    """Return the test files without a measurement of the tests as they are, or `exactly` of the tests and the code."""
    digest = cache(digest_of)
    found = []
    for file in files_of_tests():
        best = _best(file, digest)
        header = _header(best) if best else None
        if not header or _changes(header["inputs"], digest) or (exactly and _changes(header["modules"], digest)):
            found.append(file)
    return found


def edited() -> list[str]:
    """Return the test files whose own text changed since they were measured, and those that never were.

    The name of a case may then mean a different case.
    """
    found = []
    for file in files_of_tests():
        best = _best(file, digest_of)
        if not best or _header(best)["inputs"].get(file) != digest_of(file):
            found.append(file)
    return found


def keep(
    file: str,
    *,
    inputs: Mapping[str, str],
    modules: Mapping[str, str],
    functions: Iterable[str],
    places: list[str],
    tests: Mapping[str, tuple[float, bool, str, str]],
) -> None:
    """Store the measurement of a test file, and delete the oldest ones of this file.

    `inputs` and `modules` are digests by path, `functions` the versions of all functions.
    """
    versions = json.dumps(sorted(functions))
    known = hashlib.sha256(versions.encode()).hexdigest()[:16]
    header = json.dumps({"inputs": inputs, "modules": modules, "functions": known}, sort_keys=True)
    body = json.dumps({"places": places, "tests": tests})
    _store(cache_directory() / "functions" / f"{known}.json", versions, most=MOST_VERSIONS)
    name = hashlib.sha256(header.encode()).hexdigest()[:16]
    _store(cache_directory() / "reached" / file / f"{name}.json", f"{header}\n{body}\n", most=MOST_KEPT)


def cache_directory() -> Path:
    """Return where the measurements are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "envsync-tests"


def digest_of(path: str, top: Path = ROOT) -> str:
    """Return the digest of a file of the checkout, or of the names in a directory (`tests/cases/`); empty for none."""
    found = top / path
    try:
        content = "\n".join(sorted(os.listdir(found))).encode() if path.endswith("/") else found.read_bytes()
    except OSError:
        return ""
    return hashlib.sha256(content).hexdigest()[:16]


def files_of_tests() -> list[str]:
    """Return the files of tests that can notice a mutant; those that take long come last."""
    names = [path.as_posix() for path in repository_files("tests") if path.name.startswith("test_")]
    found = [name for name in names if name.endswith(".py") and not name.startswith(LEFT_OUT)]
    return sorted(found, key=lambda name: (name.startswith(LONG), name))


def _best(file: str, digest: Callable[[str], str]) -> Path | None:
    """Return the measurement of a test file of which the fewest inputs and modules changed; of equal ones, the last."""

    def fit(stored: Path) -> tuple[int, int, float]:
        header = _header(stored)
        return -_changes(header["inputs"], digest), -_changes(header["modules"], digest), stored.stat().st_mtime

    return max((cache_directory() / "reached" / file).glob("*.json"), key=fit, default=None)


def _header(stored: Path) -> dict[str, Any]:
    with stored.open(encoding="utf-8") as stream:
        found: dict[str, Any] = json.loads(stream.readline())
    return found


def _changes(digests: Mapping[str, str], digest: Callable[[str], str]) -> int:
    return sum(digest(path) != known for path, known in digests.items())


def _functions(known: str) -> Functions:
    """Return the functions of a version of the code; none if they were deleted, which only makes more tests run."""
    try:
        return Functions.of(json.loads((cache_directory() / "functions" / f"{known}.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Functions.of(())


def _store(path: Path, text: str, *, most: int) -> None:
    """Write a file, and delete the oldest ones of the directory; other processes may do the same at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.parent / f".{path.name}.{os.getpid()}.{next(_number)}"
    new.write_text(text, encoding="utf-8")
    new.replace(path)
    times = {}
    for each in path.parent.glob("*.json"):
        try:
            times[each] = each.stat().st_mtime
        except FileNotFoundError:  # another process deleted it
            continue
    for each in sorted(times, key=lambda each: times[each], reverse=True)[most:]:
        each.unlink(missing_ok=True)
