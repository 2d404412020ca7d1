"""Which environments get an agreement, and what it says about them."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.diff.model import Target
from reconciler.fastpath.agreement import agreement_path, read_cache_file
from reconciler.fastpath.completed_run import CompletedRun
from reconciler.fastpath.record_environment import _changed_directories, _is_self_contained
from reconciler.lock.lock_file import parse_lock
from reconciler.lock.model import LockState, SourceDirectory
from reconciler.manifest.desired import BuildEnv, DesiredEnvironment, DesiredState, IgnoreException, RequirementLine
from reconciler.state.hold import Hold
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.overlap import Overlap
from reconciler.state.store import State
from tests.apply.bench import LOCK, PYTHON, TOOL
from tests.faults.damages import SERIES
from tests.host import Host
from tests.lock.nothing_generated import select_packages
from tests.state.records import applied

WEB = DesiredEnvironment(name="web", python="3.11")
PLAIN = parse_lock(LOCK + TOOL, Path("/locks/pylock.web.toml"), "web")
OVERLAP = Overlap(packages=("a", "b"), installed="a", equal=True, files=1, paths=("x",))
EXCEPTION = IgnoreException(key="ignore", match="a", until="2026-01-01")


def yanked(name: str) -> str:
    return f'{LOCK}{TOOL}\n[tool.envsync.yanked]\n"{name}==1.0" = "broken"\n'


def requirement(path: Path | None) -> RequirementLine:
    return RequirementLine(text="tool", source="", path=path)


@pytest.mark.parametrize(
    ("of_environment", "of_target", "of_record", "expected"),
    [
        ({}, {}, {}, True),
        ({}, {"lock": None, "packages": None}, {}, False),
        ({}, {"packages": None}, {}, False),
        ({"system_site_packages": True}, {}, {}, False),
        ({"build_env": BuildEnv(hashes={"A": "sha256:a"})}, {}, {}, False),
        ({"build_env": BuildEnv(variables={"A": "a"})}, {}, {}, True),
        ({}, {}, {"hooks_pending": True}, False),
        ({}, {}, {"trial_since": "2026-01-01T00:00:00+00:00"}, False),
        ({}, {}, {"hold": Hold(reason="INC-42", by="anna", since="")}, False),
        ({}, {"lock": parse_lock(yanked("tool"), Path("/x"), "web")}, {}, False),
        ({}, {"lock": parse_lock(yanked("other"), Path("/x"), "web")}, {}, True),
        ({"exceptions": (EXCEPTION,)}, {}, {}, True),
        ({"exceptions": (EXCEPTION, replace(EXCEPTION, expired=True))}, {}, {}, False),
        ({}, {}, {"overlaps": (OVERLAP,)}, True),
        ({}, {}, {"overlaps": (OVERLAP, replace(OVERLAP, equal=False))}, False),
        ({"requirements": (requirement(None), requirement(Path("/none/archive.zip")))}, {}, {}, True),
        ({"requirements": (requirement(None), requirement(Path("/")))}, {}, {}, False),
    ],
)
def test_only_an_environment_that_depends_on_nothing_else_gets_one(
    of_environment: dict[str, Any], of_target: dict[str, Any], of_record: dict[str, Any], expected: bool
) -> None:
    target = Target(
        environment=replace(WEB, **of_environment),
        interpreter=PYTHON,
        lock_state=LockState.FRESH,
        lock=PLAIN,
        packages=select_packages(PLAIN, WEB, PYTHON),
        hint="",
        faults=(),
    )
    assert _is_self_contained(replace(target, **of_target), applied(**of_record)) is expected


def test_an_environment_with_a_local_source_gets_none() -> None:
    packages = select_packages(PLAIN, WEB, PYTHON)
    local = replace(packages[0], source=SourceDirectory(path="/src", editable=False, content=""))
    target = Target(
        environment=WEB,
        interpreter=PYTHON,
        lock_state=LockState.FRESH,
        lock=PLAIN,
        packages=(*packages, local),
        hint="",
        faults=(),
    )
    assert not _is_self_contained(target, applied())


def test_an_agreement_ends_with_the_first_exception_that_ends(host: Host) -> None:
    host.manifest(
        f'web:\n  python: "{SERIES}"\n'
        "  ignore: [a, {match: b, until: '9997-01-01'}, {match: c, until: '9996-01-01'}]\n"
        "  ignore_files: [d, {match: e, until: '9998-01-01'}]\n"
        f'api:\n  python: "{SERIES}"\n'
    )
    host.apply()
    time.sleep(2 * TICK_NS / 1e9)  # a change within the last tick is never remembered
    reconciler.load(host.directory / "envs.yaml").plan()
    agreements = [read_cache_file(agreement_path(str(host.root), name)) for name in ("web", "api")]
    assert [each and each["until"] for each in agreements] == ["9996-01-01", ""]


def test_the_directories_that_changed_before_the_run_are_remembered_with_their_times(tmp_path: Path) -> None:
    """One that changed since is left out, so that it is compared again; a new one gets times that never match."""
    venv = tmp_path / "venv"
    for name in ("same", "changed", "young"):
        (venv / name).mkdir(parents=True)
    inventory = take_inventory(venv, InodeHashes())
    (venv / "made/inner").mkdir(parents=True)
    (venv / "changed/file").touch()
    since = time.time_ns() + TICK_NS
    (venv / "young/file").touch()
    (venv / "made/young").mkdir()
    for each in ("young", "made/young"):
        os.utime(venv / each, ns=(0, since + TICK_NS))
    times = {
        each: [(s := os.lstat(venv / each)).st_mtime_ns, s.st_ctime_ns]
        for each in ("", "made", "made/inner", "changed")
    }
    run = CompletedRun(
        desired=DesiredState(project="x", file=tmp_path, root=tmp_path, locks=tmp_path, digest=""),
        state=State.at(tmp_path),
        applied={},
        inodes=InodeHashes(),
        since=since + TICK_NS,
        observed=True,
        files=True,
    )
    assert _changed_directories(str(venv), inventory, run) == {**times, "made/young": [0, 0]}
