"""What `diff` prints: each kind of difference once, within the width, and no control character."""

import json
from dataclasses import replace

from reconciler.diff.generations import (
    FileChange,
    FileDifference,
    GenerationDiff,
    GenerationSide,
    PackageDifference,
)
from reconciler.diff.model import PackageAction, SettingChange
from reconciler.diff.source_change import SourceChange, SourceFlag
from reconciler.render.generation_diff_text import generation_diff_json, render_generation_diff
from reconciler.render.style import Palette
from reconciler.state.applied import AppliedInterpreter
from tests.render import pictures

PYTHON = AppliedInterpreter(path="/usr/bin/python3.12", version="3.12.1", implementation="cpython")
SIDE = GenerationSide(generation=7, created="2026-11-30T09:12:00+00:00", interpreter=PYTHON, size=2048)
FOUND = GenerationDiff(
    name="web",
    before=SIDE,
    after=replace(SIDE, generation=8, interpreter=replace(PYTHON, version="3.12.2"), size=3 * 1024**2),
    packages=(
        PackageDifference(name="django", action=PackageAction.UPGRADE, before="5.2.1", after="5.2.4"),
        PackageDifference(name="local", action=PackageAction.CHANGE, before="1.0", after="1.0"),
        PackageDifference(name="six", action=PackageAction.REMOVE, before="1.16.0", after=None),
    ),
    files=(
        FileDifference(path="bin/activate", change=FileChange.CHANGED, package=""),
        FileDifference(path="lib/django/a.py", change=FileChange.ADDED, package="django"),
        FileDifference(path="lib/django/b.py", change=FileChange.CHANGED, package="django"),
        FileDifference(path="lib/idna/c.py", change=FileChange.REMOVED, package="idna"),
    ),
    settings=(SettingChange(path=("env", "A"), before=None, after="1"),),
)


def text(found: GenerationDiff, *, width: int = 80, verbose: int = 0) -> str:
    assert pictures.CASES.is_dir()  # the module sets the time zone
    return render_generation_diff(found, palette=Palette.plain(), width=width, verbose=verbose)


def test_each_difference_has_a_line() -> None:
    assert text(FOUND).splitlines() == [
        "web: generation 7 (2026-11-30 09:12+00:00) -> 8 (2026-11-30 09:12+00:00)",
        "  ~ python  cpython 3.12.1 -> cpython 3.12.2",
        "  ~ django       5.2.1 -> 5.2.4               1 file changed, 1 added",
        "  ~ idna                                      1 file removed",
        "  ~ local        1.0 from a different source  no file differs",
        "  - six          1.16.0                       no file differs",
        "  ~ other files                               1 file changed",
        '      + env.A: "1"',
        "",
        "Diff: 3 packages, 1 setting, 4 files. Size of all files: 2 KiB -> 3 MiB.",
    ]


def test_a_package_from_a_different_host_has_both_hosts() -> None:
    source = SourceChange(before=("https://one.example",), after=("https://two.example",), review=(SourceFlag.HOST,))
    packages = tuple(replace(each, source=source) for each in FOUND.packages[:2])
    found = replace(FOUND, after=replace(SIDE, generation=8), packages=packages, files=FOUND.files[1:2], settings=())
    hosts = "from `https://one.example` to `https://two.example`"
    assert text(found, width=120).splitlines()[1:3] == [
        f"  ~ django  5.2.1 -> 5.2.4               {hosts}; 1 file added",
        f"  ~ local   1.0 from a different source  {hosts}; no file differs",
    ]
    shown = json.loads(generation_diff_json(found))["packages"][1]
    assert shown["source"] == {"before": ["https://one.example"], "after": ["https://two.example"], "review": ["host"]}
    assert json.loads(generation_diff_json(FOUND))["packages"][1]["source"] is None


def test_every_sign_has_the_color_of_what_it_means() -> None:
    assert pictures.CASES.is_dir()  # the module sets the time zone
    painted = render_generation_diff(FOUND, palette=Palette.chosen(color=True), width=80, verbose=1)
    assert [line for line in painted.splitlines() if "\x1b[3" in line] == [
        "  \x1b[33m~\x1b[0m python  cpython 3.12.1 -> cpython 3.12.2",
        "  \x1b[33m~\x1b[0m django       5.2.1 -> 5.2.4               1 file changed, 1 added",
        "  \x1b[33m~\x1b[0m idna                                      1 file removed",
        "  \x1b[33m~\x1b[0m local        1.0 from a different source  no file differs",
        "  \x1b[31m-\x1b[0m six          1.16.0                       no file differs",
        "  \x1b[33m~\x1b[0m other files                               1 file changed",
        '      \x1b[32m+\x1b[0m env.A: "1"',
        "  \x1b[33m~\x1b[0m bin/activate",
        "  \x1b[32m+\x1b[0m lib/django/a.py",
        "  \x1b[33m~\x1b[0m lib/django/b.py",
        "  \x1b[31m-\x1b[0m lib/idna/c.py",
    ]
    assert painted.splitlines()[0].startswith("\x1b[1mweb:\x1b[0m generation 7 ")
    assert painted.splitlines()[-1].startswith("\x1b[1mDiff: 3 packages, 1 setting, 4 files.")


def test_every_file_is_listed_on_request() -> None:
    listed = [line for line in text(FOUND, verbose=1).splitlines() if "/" in line]
    assert listed == ["  ~ bin/activate", "  + lib/django/a.py", "  ~ lib/django/b.py", "  - lib/idna/c.py"]


def test_an_interpreter_that_only_moved_is_a_difference() -> None:
    moved = replace(SIDE, generation=8, interpreter=replace(PYTHON, path="/opt/python3.12"))
    found = replace(FOUND, after=moved, packages=(), files=(), settings=())
    assert "  ~ python  /usr/bin/python3.12 -> /opt/python3.12" in text(found).splitlines()
    assert not replace(found, after=replace(SIDE, generation=8, size=1)).differs


def test_untrusted_names_are_escaped_and_no_line_is_too_wide() -> None:
    bad = FileDifference(path="lib/\x1b[2J\n\u202e.py", change=FileChange.ADDED, package="a\x1b[31m")
    found = replace(FOUND, files=(bad,))
    for shown in (text(found, width=40, verbose=1), generation_diff_json(found)):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert all(len(line) <= 40 for line in text(FOUND, width=40, verbose=1).splitlines())
