"""The mutation run changes what it says, finds the changed lines, and runs the tests that execute them."""

import ast
import builtins
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import checkout
from tests.mutation import mutants
from tests.mutation.__main__ import REASONS, _compiles, grouped
from tests.mutation.changed_lines import changed_lines, is_changed
from tests.mutation.in_copy import Part, _verdict, is_unit_test, ordered_parts, portions, within
from tests.mutation.in_session import _Child, changed_code, forget_results
from tests.mutation.measurements import (
    MOST_KEPT,
    Functions,
    Measured,
    MeasuredTest,
    cache_directory,
    digest_of,
    files_of_tests,
    keep,
    load,
    unmeasured,
)
from tests.mutation.mutants import ROOT, Mutant, mutants_in
from tests.mutation.places import function_of, places, version_of
from tests.mutation.reached import REPORTER, Named, instrumented, measure
from tests.mutation.reported_tests import processor_seconds
from tests.repository import git
from tests.repository_files import repository_files

SOURCE = '''\
"""A module."""

LIMIT = 3


def first(values: list[int]) -> list[int]:
    """Return the values below the limit."""
    found = [each for each in values if each < LIMIT]
    print("done", flush=True)
    if not found:
        raise ValueError("none")
    return found


class Reader:
    size: int = 0

    def is_small(self) -> bool:
        try:
            return self.size < LIMIT
        except TypeError:
            self.size = 0
            return False


if TYPE_CHECKING:
    from pathlib import Path
'''
EXPECTED = """\
first: for each in values if each < LIMIT => for each in values if True
first: for each in values if each < LIMIT => for each in values if False
first: each < LIMIT => each >= LIMIT
first: each < LIMIT => each <= LIMIT
first: found = [each for each in values if each < LIMIT] => pass
first: print('done', flush=True) => pass
first: print(flush=True) => print()
first: if not found => if True
first: if not found => if False
first: not found => not not found
first: raise ValueError('none') => pass
first: return found => return []
Reader.is_small: self.size < LIMIT => self.size >= LIMIT
Reader.is_small: self.size < LIMIT => self.size <= LIMIT
Reader.is_small: return self.size < LIMIT => return not (self.size < LIMIT)
Reader.is_small: except TypeError: self.size = 0 => pass
Reader.is_small: self.size = 0 => pass
Reader.is_small: return False => return True
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Mutant]:
    """Return the mutants of the module above."""
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(SOURCE)
    return mutants_in([tmp_path / "module.py"])


def test_every_kind_of_change_is_made_and_declarations_are_left_alone(made: list[Mutant]) -> None:
    assert sorted(each.location.removeprefix("module.py ") for each in made) == sorted(EXPECTED.splitlines())


def test_a_mutant_differs_from_the_module_only_in_its_change(made: list[Mutant]) -> None:
    for each in made:
        compile(each.source, each.location, "exec")
    [removed] = [each for each in made if "raise ValueError('none') => pass" in each.location]
    assert "    if not found:\n        pass\n    return found\n" in removed.source
    [emptied] = [each for each in made if "except TypeError" in each.location]
    assert "        except TypeError:\n            pass\nif TYPE_CHECKING" in emptied.source
    assert function_of(emptied.place) == "module.py Reader.is_small"
    assert emptied.place.endswith(" 2")
    assert list(emptied.change.lines) == [22, 23]


def test_a_handler_that_does_nothing_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    text = "def first():\n    try:\n        return 1\n    except OSError:\n        return None\n{}"
    locations = {}
    for after in ("", "    return 2\n"):
        (tmp_path / "module.py").write_text(text.format(after))
        locations[after] = [each.location.partition(": ")[2] for each in mutants_in([tmp_path / "module.py"])]
    assert locations[""] == ["return 1 => return None"]
    assert locations["    return 2\n"] == [
        "return 2 => return None",
        "return 1 => return None",
        "except OSError: return None => pass",
    ]


def test_the_arm_that_mypy_proves_to_be_unreachable_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    arms = "        case 1:\n            print(1)\n        case _:\n            assert_never(value)\n"
    (tmp_path / "module.py").write_text(f"def first(value: int) -> None:\n    match value:\n{arms}")
    assert [each.location for each in mutants_in([tmp_path / "module.py"])] == [
        "module.py first: match value: 1 / _ => match value: _",
        "module.py first: print(1) => pass",
    ]


def test_every_reason_is_that_of_a_mutant_that_exists() -> None:
    reasons: dict[str, str] = yaml.safe_load(REASONS.read_text(encoding="utf-8"))
    files = {ROOT / location.split()[0] for location in reasons}
    assert [each for each in files if not each.is_file()] == []
    assert reasons.keys() - {each.location for each in mutants_in(sorted(files))} == set()
    assert [location for location, reason in reasons.items() if not reason.endswith(".")] == []


def test_the_changed_lines_are_those_of_git(tmp_path: Path, made: list[Mutant]) -> None:
    package = tmp_path / "reconciler"
    package.mkdir()
    (package / "one.py").write_text("a = 1\nb = 2\nc = 3\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-q", "-m", "first")
    (package / "one.py").write_text("a = 1\nb = 3\nc = 3\nd = 4\ne = 5\n")
    (package / "two.py").write_text("a = 1\n")
    git(tmp_path, "add", "--all")
    assert changed_lines("HEAD", tmp_path) == {"reconciler/one.py": {2, 4, 5}, "reconciler/two.py": {1}}
    assert [each.location for each in made if is_changed(each, {"module.py": {11}})] == [
        "module.py first: raise ValueError('none') => pass"
    ]


def test_the_module_s_own_tests_come_first_then_quick_and_special_ones() -> None:
    [mutant, *_] = mutants_in([ROOT / "reconciler/fs/atomic_write.py"])
    measured = {
        "tests/functional/test_slow.py": measurement(40, mutant.place, "x", "y"),
        "tests/functional/test_quick.py": measurement(2, mutant.place, "x", "y"),
        "tests/functional/test_other.py": measurement(1, "x"),
        "tests/functional/test_failing.py": measurement(1, mutant.place, passes=False),
        "tests/fs/test_read.py": measurement(10, mutant.place, *"abcdefgh"),
        "tests/fs/test_atomic_write.py": measurement(11, mutant.place, *"abcdefgh"),
    }
    parts = ordered_parts(mutant, measured)
    assert [Path(each.file).stem for each in parts] == ["test_atomic_write", "test_read", "test_quick", "test_slow"]
    assert portions(parts) == [parts[:1], parts[1:3], parts[3:]]
    assert within(parts, 21) == parts[:2]
    assert within(parts, 5) == parts[:1]
    assert within(parts, 13) == [parts[0], parts[2]], (
        "a part that does not fit is skipped, and a later one that fits is run"
    )
    assert ordered_parts(mutant, measured, elsewhere=True) == []


@pytest.mark.parametrize(
    ("module", "file", "expected"),
    [
        ("reconciler/fs/read.py", "tests/fs/test_sync.py", True),
        ("reconciler/fs/read.py", "tests/state/test_store.py", False),
        ("reconciler/run.py", "tests/test_redaction.py", True),
        ("reconciler/run.py", "tests/functional/test_run_is_the_command.py", False),
    ],
)
def test_the_unit_tests_of_a_module_are_next_to_those_of_its_package(module: str, file: str, expected: bool) -> None:
    [mutant, *_] = mutants_in([ROOT / module])
    assert is_unit_test(file, mutant) is expected


def test_the_tests_of_a_long_file_have_their_turn_after_those_of_other_files() -> None:
    [mutant, *_] = mutants_in([ROOT / "reconciler/fs/atomic_write.py"])
    long = Measured(
        bits={mutant.place: 0, "x": 1},
        functions=Functions.of([version_of(mutant.place)]),
        tests={f"long {number}": MeasuredTest(seconds=3, passes=True, reached=1, elsewhere=1) for number in range(3)}
        | {"long other": MeasuredTest(seconds=3, passes=True, reached=2, elsewhere=0)},
    )
    parts = ordered_parts(mutant, {"tests/a.py": long, "tests/b.py": measurement(20, mutant.place)})
    assert [each.tests for each in parts] == [("long 0",), ("b",), ("long 1",), ("long 2",)]


def test_a_function_that_changed_after_the_measurement_is_reached_by_all_its_tests() -> None:
    [mutant, *_] = mutants_in([ROOT / "reconciler/fs/atomic_write.py"])
    function = function_of(mutant.place)
    other = "reconciler/fs/atomic_write.py other 0 0"
    new = measurement(1, mutant.place)
    elsewhere = measurement(1, "m.py", functions=[version_of(mutant.place)])
    changed = measurement(1, f"{function} 00000000 0", other)
    before_it_was_written = measurement(1, other)
    before_its_module_was_written = measurement(1, "m.py")
    reached_before_it_changed = measurement(1, other, functions=[f"{function} 00000000", version_of(other)])
    found = {
        "new": new,
        "elsewhere": elsewhere,
        "changed": changed,
        "before_it_was_written": before_it_was_written,
        "before_its_module_was_written": before_its_module_was_written,
    }
    assert [part.file for part in ordered_parts(mutant, found)] == ["before_it_was_written", "new", "changed"]
    assert ordered_parts(mutant, {"a": elsewhere}) == []
    alone = ordered_parts(mutant, {"a": elsewhere, "b": reached_before_it_changed})
    assert [part.file for part in alone] == ["b"], "no test reached the function, so the tests of its module are run"
    assert ordered_parts(mutant, {"a": new, "b": reached_before_it_changed}) == ordered_parts(mutant, {"a": new})


class Simulated(checkout.Checkout):
    """A copy of the checkout in which tests called `always` fail, and those called `mutant` only with a mutant."""

    def test(self, files: Sequence[str], **options: Any) -> checkout.Tested:
        left_out = Path(options["variables"]["LEFT_OUT_TESTS"]).read_text().split("\n")
        source = (self.directory / "reconciler/fs/atomic_write.py").read_text()
        is_changed = source != ast.unparse(ast.parse((ROOT / "reconciler/fs/atomic_write.py").read_text()))
        named = [each for each in files if "::" in each]
        for name in named or [each for each in ("a.py::always", "a.py::mutant", "a.py::good") if each not in left_out]:
            if name.endswith("always") or (name.endswith("mutant") and is_changed):
                return checkout.Tested(code=1, output=f"FAILED {name} - it failed")
        return checkout.Tested(code=0, output="")


@pytest.mark.parametrize(
    ("tests", "killed"),
    [
        (["a.py::always", "a.py::good"], False),
        (["a.py::always", "a.py::mutant"], True),
        (["a.py::always"], False),
        (["a.py::good"], False),
    ],
)
def test_a_test_that_fails_without_the_mutant_kills_nothing(tmp_path: Path, tests: list[str], killed: bool) -> None:
    (tmp_path / "reconciler/fs").mkdir(parents=True)
    (tmp_path / "reconciler/fs/atomic_write.py").touch()
    [mutant, *_] = mutants_in([ROOT / "reconciler/fs/atomic_write.py"])
    one = MeasuredTest(seconds=1, passes=True, reached=1, elsewhere=1)
    all_tests = dict.fromkeys(["a.py::always", "a.py::mutant", "a.py::good"], one)
    measured = {"a.py": Measured(bits={mutant.place: 0}, tests=all_tests, functions=Functions.of([]))}
    part = Part(file="a.py", tests=tuple(tests), seconds=1)
    verdict = _verdict(Simulated(tmp_path), mutant, [part], measured, budget=10)
    assert (verdict.killed, verdict.why.partition(" ")[0]) == (
        killed,
        "a.py::mutant" if killed else str(len(set(tests) - {"a.py::always"})),
    )


def measurement(seconds: float, *places: str, passes: bool = True, functions: Iterable[str] | None = None) -> Measured:
    """Return the measurement of a file with one test, which reaches `places`.

    `functions` are the versions of those that there are; if none are named, they are those of the places.
    """
    test = MeasuredTest(seconds=seconds, passes=passes, reached=(1 << len(places)) - 1, elsewhere=0)
    versions = functions if functions is not None else (version_of(each) for each in places if " " in each)
    return Measured(
        bits={name: bit for bit, name in enumerate(places)}, tests={"b": test}, functions=Functions.of(versions)
    )


READ = "tests/fs/test_read.py"
NOTHING: Mapping[str, str] = {}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty directory for measurements."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_directory()


def keep_read(*, inputs: Mapping[str, str] = NOTHING, modules: Mapping[str, str] = NOTHING, test: str = "a") -> None:
    """Keep a measurement of a test file with one test; other digests mean that files changed since."""
    current = {each: digest_of(each) for each in (READ, "tests/cases/manifest/bad/")}
    module = {"reconciler/fs/read.py": digest_of("reconciler/fs/read.py")}
    keep(
        READ,
        inputs={**current, **inputs},
        modules={**module, **modules},
        functions=["m f 0"],
        places=["m f 0 0"],
        tests={test: (1.5, True, "1", "0")},
    )


@pytest.mark.usefixtures("cache")
def test_a_measurement_is_read_as_it_was_kept() -> None:
    keep_read()
    assert load() == {
        READ: Measured(
            bits={"m f 0 0": 0},
            tests={"a": MeasuredTest(seconds=1.5, passes=True, reached=1, elsewhere=0)},
            functions=Functions(frozenset({"m f 0"}), frozenset({"m f"})),
        )
    }


@pytest.mark.parametrize(
    ("changed", "is_new"),
    [
        ({}, False),
        ({"inputs": {READ: "changed"}}, True),
        ({"inputs": {"tests/host.py": "changed"}}, True),
        ({"inputs": {"tests/cases/manifest/bad/": "without a new case"}}, True),
        ({"inputs": {"tests/deleted.py": "deleted"}}, True),
        ({"modules": {"reconciler/fs/read.py": "changed"}}, False),
    ],
)
@pytest.mark.usefixtures("cache")
def test_a_file_is_new_if_what_its_tests_open_changed(changed: Mapping[str, Mapping[str, str]], is_new: bool) -> None:
    keep_read(inputs=changed.get("inputs", NOTHING), modules=changed.get("modules", NOTHING))
    assert (READ in unmeasured()) is is_new
    assert (READ in unmeasured(exactly=True)) is bool(changed)
    assert READ in load(), "it is used even so"


@pytest.mark.usefixtures("cache")
def test_a_measurement_of_other_code_replaces_none() -> None:
    keep_read()
    keep_read(inputs={READ: "changed"}, test="other")
    keep_read(modules={"reconciler/fs/read.py": "changed"}, test="other")
    assert list(load()[READ].tests) == ["a"]


def test_only_the_last_measurements_are_kept(cache: Path) -> None:
    for number in range(MOST_KEPT + 2):
        keep_read(inputs={READ: f"{number}"})
    assert len(list((cache / "reached" / READ).iterdir())) == MOST_KEPT
    assert len(list((cache / "functions").iterdir())) == 1


def test_the_names_of_a_directory_have_a_digest(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    before = digest_of("cases/", tmp_path)
    assert before
    (tmp_path / "cases/new.yaml").touch()
    assert digest_of("cases/", tmp_path) not in {"", before}
    assert digest_of("missing", tmp_path) == ""


def test_a_measurement_names_what_was_opened_and_what_is_reached_at_the_collection(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = "tests/fs/test_read_beneath.py"
    assert (ROOT / file).exists()
    measure([file], below="reconciler/fs")
    assert f"{file}: " in capsys.readouterr().out
    [stored] = (cache / "reached" / file).iterdir()
    header = json.loads(stored.read_text().splitlines()[0])
    assert {file, "tests/conftest.py", "tests/installed_pythons.py"} <= set(header["inputs"])
    assert not [each for each in header["inputs"] if each.endswith(".pyc") or digest_of(each) == ""]
    assert "reconciler/fs/read_beneath.py" in header["modules"]
    assert file not in unmeasured(exactly=True)
    [found] = load().values()
    assert found.functions.versions > {version_of(each) for each in found.bits if " " in each} > set()
    assert all(test.passes and test.reached for test in found.tests.values())


def test_processor_time_counts_the_processes_below() -> None:
    before = processor_seconds()
    program = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        while_it_runs = processor_seconds()
        child.communicate(b"\n")
    if sys.platform == "linux":
        assert while_it_runs - before > 0.25
    assert processor_seconds() - before > 0.25


PLACES = """\
def outer(values):
    \"\"\"Doc.\"\"\"
    def inner():
        return len(values)
    for each in values:
        if not each:
            break
    else:
        return inner()
    try:
        return each.upper
    except AttributeError:
        return -1
"""


@pytest.mark.parametrize(
    ("values", "lines"), [([], {3, 4, 9}), ([1, ""], {3, 6, 7, 10, 11}), ([0], {3, 6, 7, 10, 11, 13})]
)
def test_places_report_that_they_are_reached(
    monkeypatch: pytest.MonkeyPatch, values: list[object], lines: set[int]
) -> None:
    reports: list[int] = []
    monkeypatch.setattr(builtins, "_reached", reports.append, raising=False)
    starts = {each.name: each.statements[each.start].lineno for each in places(ast.parse(PLACES), "m.py")}
    named: list[Named] = []
    names: dict[str, object] = {}
    exec(instrumented(PLACES, "m.py", named), names)  # noqa: S102
    assert callable(names["outer"])
    assert names["outer"].__doc__ == "Doc."
    names["outer"](values)
    module, *reached = [named[number].name for number in reports]
    assert module == "m.py"
    assert {starts[name] for name in reached} == lines


def test_what_is_reached_while_a_module_is_imported_is_marked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A session changes functions after the import, so only a new interpreter shows such a mutant."""
    reports = tmp_path / "reports"
    reports.touch()
    monkeypatch.setattr(os, "register_at_fork", lambda **_: None)
    monkeypatch.setattr(sys, "addaudithook", lambda _: None)
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "pytest"])
    monkeypatch.setattr(builtins, "_reached", None, raising=False)
    exec(REPORTER.format(file=str(reports), tests=str(tmp_path)), {})  # noqa: S102
    named: list[Named] = []
    names: dict[str, Callable[[int], int]] = {}
    source = "def double(value):\n    return 2 * value\nTWO = double(1)\n"
    exec(instrumented(source, "m.py", named), names)  # noqa: S102
    names["double"](2)
    function, module = range(2)
    assert [each.name for each in named][module] == "m.py"
    assert reports.read_text().splitlines() == [f"-{module}", f"-{function}", f"{function}"]


def test_a_changed_function_is_changed_in_memory() -> None:
    from reconciler.fs import read

    file = ROOT / "reconciler/fs/read.py"
    [mutant] = [each for each in mutants_in([file]) if each.location.endswith("size > limit => size <= limit")]
    [(function, code)] = changed_code(mutant)
    assert function is read.read_descriptor
    assert len(read.read_regular(file)) == file.stat().st_size
    original = function.__code__
    function.__code__ = code
    try:
        with pytest.raises(OSError, match="larger than 32 MiB"):
            read.read_regular(file)
    finally:
        function.__code__ = original


def test_an_alternative_of_patterns_that_has_one_left_is_compiled() -> None:
    import reconciler.diff.environment

    [mutant] = [
        each
        for each in mutants_in([Path(reconciler.diff.environment.__file__)])
        if each.location.endswith("Occupant.ABSENT | Occupant.DANGLING => Occupant.ABSENT")
    ]
    assert [function.__name__ for function, _ in changed_code(mutant)] == ["_environment_diff"]


def test_results_that_were_computed_before_the_change_are_forgotten() -> None:
    from reconciler.canonical_json import _fields

    _fields(Mutant)
    assert _fields.cache_info().currsize > 0
    forget_results()
    assert _fields.cache_info().currsize == 0


def test_a_child_names_the_test_that_runs_until_all_have_ended(tmp_path: Path, made: list[Mutant]) -> None:
    for written, result in ((b"", "a"), (b"0\n", "a"), (b"0\n1\n", "b"), (b"0\n1\nend\n", "")):
        answer, writes = os.pipe()
        os.set_blocking(answer, False)
        child = _Child(mutant=made[0], tests=["a", "b"], usual=[1, 2], answer=answer, directory=tmp_path / "none")
        os.write(writes, written)
        assert not child.is_late
        os.close(writes)
        assert child.result() == result


def test_a_child_is_late_if_one_test_takes_much_longer_than_usual(tmp_path: Path, made: list[Mutant]) -> None:
    answer, writes = os.pipe()
    os.set_blocking(answer, False)
    usual = [1.0, 100.0]
    child = _Child(mutant=made[0], tests=["a", "b"], usual=usual, answer=answer, directory=tmp_path)
    child.since -= 100
    assert child.is_late
    os.write(writes, b"1\n")
    assert not child.is_late
    child.since -= 100
    assert not child.is_late
    os.close(writes)
    os.close(answer)


def test_only_what_cannot_be_compiled_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    source = "def first():\n    a = 1\n    def inner():\n        nonlocal a\n        a = 2\n    inner()\n    return a\n"
    (tmp_path / "module.py").write_text(source)
    found = mutants_in([tmp_path / "module.py"])
    assert [each.location for each in found if not _compiles(each)] == ["module.py first: a = 1 => pass"]


def test_survivors_are_shown_by_package_and_kind() -> None:
    wanted = ("reconciler/fs/sync.py", "reconciler/fs/read.py read_regular:", "reconciler/git/tracked_below.py")
    found = mutants_in([ROOT / each.split()[0] for each in wanted])
    chosen = [next(each for each in found if each.location.startswith(name)) for name in wanted]
    lines = list(grouped(chosen))
    assert lines[0] == "reconciler/fs: 2 survive"
    assert lines[1] == f"  survivor without a reason: {chosen[1].location}"
    assert lines[2] == f"  survivor without a reason: {chosen[0].location}"
    assert lines[3] == "reconciler/git: 1 survives"
    assert lines[4] == f"  survivor without a reason: {chosen[2].location}"
    assert {each.rpartition(": ")[0] for each in lines[5:]} == {each.change.kind for each in chosen}


def test_every_kind_of_change_has_a_name(made: list[Mutant]) -> None:
    assert {each.change.kind for each in made} == {
        "a dropped argument",
        "a removed statement",
        "a returned falsehood",
        "an emptied handler",
        "an inverted branch",
        "an inverted comparison",
        "an inverted condition",
        "an inverted filter",
    }


def test_the_files_of_tests_are_found() -> None:
    files = files_of_tests()
    assert {"tests/fs/test_read.py", "tests/test_redaction.py", "tests/faults/test_recover.py"} <= set(files)
    assert len(files) > 100
    assert set(files) <= {path.as_posix() for path in repository_files("tests")}
