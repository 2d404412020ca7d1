"""mypy kills a mutant with a type error, and says nothing about one that only behaves differently."""

from pathlib import Path

import pytest

from tests.checkout import Checkout
from tests.mutation import mutants
from tests.mutation.mutants import mutants_in
from tests.mutation.type_errors import new_type_errors

SOURCE = '''\
"""A module."""


def shown(text: str, *, hint: str, width: int = 80) -> str:
    count = text.count(1)  # type: ignore[arg-type]
    return f"{text} {hint}"[:width] if count else text


def greeting(name: str | None) -> str:
    if name is None:
        return ""
    return shown(name.upper(), hint="wave", width=40)
'''


def test_only_a_mutant_with_a_type_error_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.mypy]\nstrict = true\nwarn_unreachable = true\n")
    module = tmp_path / "module.py"
    module.write_text(SOURCE)
    found = {
        each.location.removeprefix("module.py "): new_type_errors(Checkout(tmp_path), each)
        for each in mutants_in([module])
    }
    assert found.pop("greeting: shown(hint='wave') => shown()") == [
        'Missing named argument "hint" for "shown"  [call-arg]'
    ]
    assert found.pop("greeting: name is None => name is not None") == [
        '"None" has no attribute "upper"  [attr-defined]'
    ]
    assert found.pop("greeting: if name is None => if False") == [
        'Item "None" of "str | None" has no attribute "upper"  [union-attr]'
    ]
    assert found.pop("shown: count = text.count(1) => pass") == ['Name "count" is not defined  [name-defined]']
    assert {each for each, errors in found.items() if errors} == set()
    assert {"greeting: if name is None => if True", "greeting: shown(width=40) => shown()"} <= set(found)
    assert module.read_text() == SOURCE
