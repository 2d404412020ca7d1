"""The mutation run changes what it says, finds the changed lines, and runs the tests that execute them."""

import builtins
from pathlib import Path

import pytest
import yaml

from tests.mutation import mutants
from tests.mutation.__main__ import REASONS
from tests.mutation.changed_lines import changed_lines, is_changed
from tests.mutation.in_copy import ordered_tests, portions
from tests.mutation.mutants import ROOT, Mutant, mutants_in
from tests.mutation.reached import Measured, files_of_tests, instrumented
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
    assert emptied.source.endswith("        except TypeError:\n            pass")
    assert emptied.function == "Reader.is_small"
    assert list(emptied.change.lines) == [22, 23]


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
    here = f"{mutant.file} {mutant.function}"
    measured = {
        "tests/functional/test_slow.py": measurement(40, here, "x", "y"),
        "tests/functional/test_quick.py": measurement(2, here, "x", "y"),
        "tests/functional/test_other.py": measurement(1, "x"),
        "tests/functional/test_failing.py": measurement(1, here, passes=False),
        "tests/fs/test_atomic_write.py": measurement(9, here, *"abcdefgh"),
    }
    files = ordered_tests(mutant, measured)
    assert [Path(each).stem for each in files] == ["test_atomic_write", "test_quick", "test_slow"]
    assert portions(files, measured) == [files[:2], files[2:]]


def measurement(seconds: float, *functions: str, passes: bool = True) -> Measured:
    return Measured(sha256="", seconds=seconds, passes=passes, functions=functions)


def test_functions_report_their_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    source = 'def outer():\n    """Doc."""\n    def inner():\n        return 1\n    return inner()\n'
    reported: list[str] = []
    monkeypatch.setattr(builtins, "_reached", reported.append, raising=False)
    names: dict[str, object] = {}
    exec(instrumented(source, "m.py"), names)  # noqa: S102
    assert callable(names["outer"])
    assert names["outer"]() == 1
    assert reported == ["m.py outer", "m.py outer.inner"]
    assert names["outer"].__doc__ == "Doc."


def test_the_files_of_tests_are_found() -> None:
    files = files_of_tests()
    assert {"tests/fs/test_read.py", "tests/test_redaction.py", "tests/faults/test_recover.py"} <= set(files)
    assert len(files) > 100
    assert set(files) <= {path.as_posix() for path in repository_files("tests")}
