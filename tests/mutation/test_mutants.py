"""The mutation run changes what it says, finds the changed lines, and runs the tests that execute them."""

import ast
import builtins
from pathlib import Path

import pytest
import yaml

from tests.mutation import mutants
from tests.mutation.__main__ import REASONS
from tests.mutation.changed_lines import changed_lines, is_changed
from tests.mutation.in_copy import ordered_parts, portions, reached_places, within
from tests.mutation.in_session import changed_code
from tests.mutation.mutants import ROOT, Mutant, mutants_in
from tests.mutation.places import function_of, places
from tests.mutation.reached import Measured, MeasuredTest, Named, files_of_tests, instrumented
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
    assert ordered_parts(mutant, measured, elsewhere=True) == []


def test_the_tests_of_a_long_file_have_their_turn_after_those_of_other_files() -> None:
    [mutant, *_] = mutants_in([ROOT / "reconciler/fs/atomic_write.py"])
    long = Measured(
        sha256="",
        bits={mutant.place: 0, "x": 1},
        tests={f"long {number}": MeasuredTest(seconds=3, passes=True, reached=1, elsewhere=1) for number in range(3)}
        | {"long other": MeasuredTest(seconds=3, passes=True, reached=2, elsewhere=0)},
    )
    parts = ordered_parts(mutant, {"tests/a.py": long, "tests/b.py": measurement(20, mutant.place)})
    assert [each.tests for each in parts] == [("long 0",), ("b",), ("long 1",), ("long 2",)]


def test_a_function_that_changed_after_the_measurement_is_reached_by_all_its_tests() -> None:
    [mutant, *_] = mutants_in([ROOT / "reconciler/fs/atomic_write.py"])
    function = function_of(mutant.place)
    earlier = measurement(
        1, f"{function} 00000000 0", f"{function} 00000000 1", "reconciler/fs/read.py other 0 0", "m.py"
    )
    assert reached_places(mutant, {"a": earlier}) == {f"{function} 00000000 0", f"{function} 00000000 1"}
    assert reached_places(mutant, {"a": earlier, "b": measurement(1, mutant.place)}) == {mutant.place}


def measurement(seconds: float, *places: str, passes: bool = True) -> Measured:
    """Return the measurement of a file with one test, which reaches `places`."""
    test = MeasuredTest(seconds=seconds, passes=passes, reached=(1 << len(places)) - 1, elsewhere=0)
    return Measured(sha256="", bits={name: bit for bit, name in enumerate(places)}, tests={"b": test})


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


def test_the_files_of_tests_are_found() -> None:
    files = files_of_tests()
    assert {"tests/fs/test_read.py", "tests/test_redaction.py", "tests/faults/test_recover.py"} <= set(files)
    assert len(files) > 100
    assert set(files) <= {path.as_posix() for path in repository_files("tests")}
