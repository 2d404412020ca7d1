"""Which environments get an agreement, and what it says about them."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.diff.model import Target
from reconciler.fastpath.agreement import agreement_path, read_cache_file
from reconciler.fastpath.record_environment import _is_self_contained
from reconciler.lock.lock_file import parse_lock
from reconciler.lock.model import LockState, SourceDirectory
from reconciler.manifest.desired import BuildEnv, DesiredEnvironment, IgnoreException, RequirementLine
from reconciler.state.hold import Hold
from reconciler.state.inode_hashes import TICK_NS
from reconciler.state.overlap import Overlap
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
