"""How two generations differ (`envsync diff`): packages by version and lock, files by content, with their package."""

from dataclasses import replace

import pytest

from reconciler.diff.generations import FileChange, FileDifference, GenerationDiff, GenerationSide, diff_generations
from reconciler.diff.masking import Mask
from reconciler.diff.model import PackageAction, SettingChange
from reconciler.diff.source_change import SourceChange, SourceFlag
from reconciler.lock.model import IndexFile, LockedPackage
from reconciler.observe.generation_contents import GenerationContents
from reconciler.state.applied import AppliedInterpreter

PYTHON = AppliedInterpreter(path="/usr/bin/python3.12", version="3.12.1", implementation="cpython")
EMPTY = GenerationContents(
    number=1,
    created="2026-11-30T09:12:00+00:00",
    interpreter=PYTHON,
    installed={},
    locked={},
    settings={},
    files={},
    owners={},
    startup=frozenset(),
    size=10,
)


def locked(
    version: str, sha256: str = "0" * 64, *, index: str = "https://index.example/simple"
) -> dict[str, LockedPackage]:
    source = IndexFile(index=index, filename=f"six-{version}-py3-none-any.whl", sha256=sha256)
    return {"six": LockedPackage(name="six", version=version, source=source)}


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        (None, "1.0", PackageAction.INSTALL),
        ("1.0", None, PackageAction.REMOVE),
        ("1.9", "1.10", PackageAction.UPGRADE),
        ("1.10", "1.9", PackageAction.DOWNGRADE),
        ("1.0", "1.0.0", PackageAction.CHANGE),
        ("1.0", "not-a-version", PackageAction.CHANGE),
    ],
)
def test_a_package_has_the_action_that_its_versions_show(
    before: str | None, after: str | None, action: PackageAction
) -> None:
    one = replace(EMPTY, installed={} if before is None else {"six": before})
    other = replace(EMPTY, installed={} if after is None else {"six": f"{after} file:///six"})
    [found] = diff_generations("web", one, other).packages
    assert (found.name, found.action, found.before, found.after) == ("six", action, before, after)


def test_a_package_at_one_version_differs_by_its_lock_only() -> None:
    one = replace(EMPTY, installed={"six": "1.0"}, locked=locked("1.0"))
    assert diff_generations("web", one, one).packages == ()
    assert not diff_generations("web", one, one).differs
    [found] = diff_generations("web", one, replace(one, locked=locked("1.0", "1" * 64))).packages
    assert (found.action, found.before, found.after) == (PackageAction.CHANGE, "1.0", "1.0")


@pytest.mark.parametrize(
    ("before", "after", "review"),
    [
        ("1.0", "1.0", (SourceFlag.HOST,)),
        ("1.0", "1.1", ()),
    ],
)
def test_a_package_from_a_different_host_has_both_hosts(
    before: str, after: str, review: tuple[SourceFlag, ...]
) -> None:
    one = replace(EMPTY, installed={"six": before}, locked=locked(before))
    moved = locked(after, index="https://user:hunter2@mirror.example/simple")
    [found] = diff_generations("web", one, replace(one, installed={"six": after}, locked=moved)).packages
    assert found.source == SourceChange(
        before=("https://index.example",), after=("https://mirror.example",), review=review
    )


@pytest.mark.parametrize(("installed", "sha256"), [("1.1", "0" * 64), ("1.1", "1" * 64)])
def test_a_new_version_from_the_same_host_has_no_source(installed: str, sha256: str) -> None:
    one = replace(EMPTY, installed={"six": "1.0"}, locked=locked("1.0"))
    other = replace(EMPTY, installed={"six": installed}, locked=locked(installed, sha256))
    assert [each.source for each in diff_generations("web", one, other).packages] == [None]
    assert [each.source for each in diff_generations("web", EMPTY, other).packages] == [None]


def test_files_differ_by_content_and_have_the_package_that_lists_them() -> None:
    one = replace(
        EMPTY,
        files={"gone": b"1", "same": b"1", "new": b"1"},
        owners={"gone": "six", "new": "six"},
        startup=frozenset({"gone", "same"}),
    )
    other = replace(
        EMPTY,
        number=2,
        files={"same": b"1", "new": b"2", "b": b"", "a": b""},
        owners={"new": "idna"},
        startup=frozenset({"b", "same"}),
    )
    found = diff_generations("web", one, other)
    assert found.files == (
        FileDifference(path="a", change=FileChange.ADDED, package=""),
        FileDifference(path="b", change=FileChange.ADDED, package=""),
        FileDifference(path="gone", change=FileChange.REMOVED, package="six"),
        FileDifference(path="new", change=FileChange.CHANGED, package="idna"),
    )
    assert found.startup == (found.files[1], found.files[2])
    assert found.differs


def test_each_side_has_number_time_interpreter_and_size_and_only_the_interpreter_is_a_difference() -> None:
    other = replace(EMPTY, number=2, created="2026-12-01T09:12:00+00:00", size=20)
    found = diff_generations("web", EMPTY, other)
    assert found == GenerationDiff(
        name="web",
        before=GenerationSide(generation=1, created=EMPTY.created, interpreter=PYTHON, size=10),
        after=GenerationSide(generation=2, created=other.created, interpreter=PYTHON, size=20),
        packages=(),
        files=(),
        settings=(),
        startup=(),
    )
    assert not found.differs
    moved = replace(EMPTY, interpreter=replace(PYTHON, version="3.12.2"))
    assert diff_generations("web", EMPTY, moved).differs


@pytest.mark.parametrize("mask", [Mask(), Mask(key=b"key")])
def test_settings_that_changed_are_listed_and_masked(mask: Mask) -> None:
    found = diff_generations("web", replace(EMPTY, settings={"env": {"A": "1"}}), EMPTY, mask)
    assert found.settings == (SettingChange(path=("env", "A"), before=mask(("env", "A"), "1"), after=None),)
    assert found.differs
