"""Which test file executes which functions of envsync, in its own process or in any that it starts.

It is measured in a copy of the checkout in which every function reports its first call, because the tests start
thousands of processes, and kill some of them. The result is kept outside of the repository, and a test file is
measured again when it changed: `python -m tests.mutation --measure`.
"""

import ast
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.checkout import Checkout, copied_checkout
from tests.repository_files import ROOT, repository_files

LONGEST_SECONDS = 900
# Test files that say nothing about a mutant: they compare documents with the source, or run mutants themselves.
LEFT_OUT = (
    "tests/docs/",
    "tests/benchmarks/",
    "tests/surfaces/",
    "tests/plan/test_mutation.py",
    "tests/test_statements.py",
)
LONG = ("tests/functional/", "tests/faults/", "tests/fastpath/", "tests/engines/")
_REPORTER = """\
import builtins, os

_seen = set()
try:
    _file = os.open({file!r}, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
except OSError:  # a process of another user
    _file = -1


def _reached(name):
    if name not in _seen and _file >= 0:
        _seen.add(name)
        try:
            os.write(_file, name.encode() + b"\\n")
        except OSError:
            pass


builtins._reached = _reached
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A test file as it was measured.

    `sha256` is that of the file, `seconds` how long its tests take, and `passes` whether they pass in a copy.
    `functions` are what they execute, as `reconciler/run.py run_in`.
    """

    sha256: str
    seconds: float
    passes: bool
    functions: tuple[str, ...]


def cache_file() -> Path:
    """Return where the measurements are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "envsync-tests" / "reached.json"


def load() -> dict[str, Measured]:
    """Return the measurements of all test files that did not change since, by path."""
    try:
        stored = json.loads(cache_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    found = {file: Measured(**{**each, "functions": tuple(each["functions"])}) for file, each in stored.items()}
    return {file: each for file, each in found.items() if each.sha256 == _sha256(file)}


def measure(files: Iterable[str]) -> dict[str, Measured]:
    """Measure test files, one at a time, and keep the results with the earlier ones; return all."""
    found = load()
    with copied_checkout() as reporting, copied_checkout() as unchanged:
        reports = reporting.directory / "reached"
        _report_calls(reporting, reports)
        for file in files:
            reports.write_bytes(b"")
            reports.chmod(0o666)
            began = time.monotonic()
            passes = reporting.test([file], seconds=LONGEST_SECONDS).passed
            seconds = time.monotonic() - began
            functions = tuple(sorted(set(reports.read_text(encoding="utf-8").splitlines())))
            # The reports are calls too: a test that counts them may fail only for that.
            passes = passes or unchanged.test([file], seconds=LONGEST_SECONDS).passed
            found[file] = Measured(sha256=_sha256(file), seconds=round(seconds, 1), passes=passes, functions=functions)
            print(f"{file}: {len(functions)} functions in {seconds:.0f} s{'' if passes else ', FAILS'}", flush=True)
            _save(found)
    return found


def unmeasured() -> list[str]:
    """Return the test files that have no measurement, or changed since."""
    found = load()
    return [file for file in files_of_tests() if file not in found]


def files_of_tests() -> list[str]:
    """Return the files of tests that can notice a mutant; those that take long come last."""
    names = [path.as_posix() for path in repository_files("tests") if path.name.startswith("test_")]
    found = [name for name in names if name.endswith(".py") and not name.startswith(LEFT_OUT)]
    return sorted(found, key=lambda name: (name.startswith(LONG), name))


def instrumented(source: str, file: str) -> str:
    """Return the source of a module whose functions report that they were called."""
    tree = ast.parse(source)
    for name, function in list(_functions(tree, "")):
        place = 1 if ast.get_docstring(function, clean=False) is not None else 0
        call = f"getattr(__import__('builtins'), '_reached', len)({f'{file} {name}'!r})"
        function.body.insert(place, ast.parse(call).body[0])
    return ast.unparse(ast.fix_missing_locations(tree))


def _report_calls(checkout: Checkout, reports: Path) -> None:
    """Change all modules of envsync so that every process appends the functions that it calls to the file `reports`."""
    reports.write_bytes(b"")
    (checkout.directory / "sitecustomize.py").write_text(_REPORTER.format(file=str(reports)), encoding="utf-8")
    for path in checkout.directory.glob("reconciler/**/*.py"):
        file = path.relative_to(checkout.directory).as_posix()
        path.write_text(instrumented(path.read_text(encoding="utf-8"), file), encoding="utf-8")


def _functions(node: ast.AST, owner: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield every function with its qualified name."""
    for child in ast.iter_child_nodes(node):
        inner = f"{owner}.{child.name}".lstrip(".") if isinstance(child, ast.FunctionDef | ast.ClassDef) else owner
        if isinstance(child, ast.FunctionDef):
            yield inner, child
        yield from _functions(child, inner)


def _save(found: dict[str, Measured]) -> None:
    file = cache_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps({name: asdict(each) for name, each in found.items()}), encoding="utf-8")
    new.replace(file)


def _sha256(file: str) -> str:
    path = ROOT / file
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
