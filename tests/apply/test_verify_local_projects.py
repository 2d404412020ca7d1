"""The built metadata of a local project may require only what its lock has."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.verify_local_projects import verify_local_projects
from reconciler.diff.model import Target
from reconciler.errors import ApplyError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.model import IndexFile, LockedPackage, LockState, SourceDirectory
from reconciler.manifest.desired import DesiredEnvironment, LocalProject
from reconciler.observe.actual import ActualEnvironment, Depth, Distribution, Occupant
from tests.lock.workbench import local

PYTHON = Interpreter(
    path="/python",
    version="3.12.1",
    implementation="cpython",
    markers={"os_name": "posix", "python_version": "3.12"},
    tags=(),
)
LOCAL = SourceDirectory(path="../lib", editable=False, content="x")


def verify(tmp_path: Path, requires: str, *, source: Any = LOCAL, target: Any = None, **environment: Any) -> None:
    """Verify a venv in which `lib` has these requirements, and `alpha` 1.5 and `odd` of an unusual version exist."""
    info = tmp_path / "lib-1.0.dist-info"
    info.mkdir(exist_ok=True)
    lines = "".join(f"Requires-Dist: {each}\n" for each in requires.split("\n") if each)
    (info / "METADATA").write_text(f"Name: lib\nVersion: 1.0\n{lines}")
    versions = {"lib": "1.0", "alpha": "1.5", "odd": "2004d"}
    observed = ActualEnvironment(
        name="web",
        path="",
        occupant=Occupant.PUBLISHED,
        depth=Depth.FILES,
        distributions=tuple(
            Distribution(key=name, name=name, version=version, place=f"{name}-1.0.dist-info")
            for name, version in versions.items()
        ),
    )
    wanted = Target(
        environment=DesiredEnvironment(name="web", python="3.12", **environment),
        interpreter=PYTHON,
        lock_state=LockState.FRESH,
        lock=None,
        packages=(LockedPackage(name="lib", version="1.0", source=source),),
        hint="",
        faults=(),
    )
    verify_local_projects(tmp_path, replace(wanted, **(target or {})), observed)


@pytest.mark.parametrize(
    "requires",
    [
        "",
        "alpha",
        "Alpha>=1,<2",
        "alpha==1.5.0",
        "beta; os_name == 'nt'",
        "beta; extra == 'x'",
        "odd",
        "lib[y]",
        "alpha>=1.0rc1",
    ],
)
def test_requirements_that_the_environment_meets(tmp_path: Path, requires: str) -> None:
    verify(tmp_path, requires)


@pytest.mark.parametrize(
    ("requires", "problem"),
    [
        ("beta", "it requires `beta`, which is not in the lock"),
        ("alpha>=2", "it requires `alpha>=2`, but the lock has 1.5"),
        ("odd>=1", "it requires `odd>=1`, but the lock has 2004d"),
        ("beta; os_name == 'posix'", "which is not in the lock"),
        ("lib[x]\nbeta; extra == 'x'", "which is not in the lock"),
        ("lib[x]\nlib[y]; extra == 'x'\nbeta; extra == 'y'", "which is not in the lock"),
        ("alpha>=2\nbeta", "but the lock has 1.5; it requires `beta`"),
    ],
)
def test_a_requirement_that_it_does_not_meet_is_an_error(tmp_path: Path, requires: str, problem: str) -> None:
    with pytest.raises(ApplyError) as caught:
        verify(tmp_path, requires)
    assert caught.value.message.startswith("`lib` was built with dependencies that differ from those in its lock: ")
    assert problem in caught.value.message
    assert caught.value.hint == "run `envsync lock -P lib web`, then `envsync apply web`"


def test_an_invalid_requirement_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ApplyError, match="`lib` was built with an invalid requirement: `alpha>>1`"):
        verify(tmp_path, "alpha>>1")


def test_only_local_projects_are_examined_and_overrides_count(tmp_path: Path) -> None:
    verify(tmp_path, "beta", source=IndexFile(index="", filename="", sha256=""))
    verify(tmp_path, "beta>=9", overrides=("Beta==1",))


def test_the_extras_that_the_environment_declares_count(tmp_path: Path) -> None:
    requires = "beta; extra == 'x'"
    line = local(tmp_path / "lib", extras=("X",))
    for target, counts in (
        ({}, True),
        ({"editables": {"lib": str(tmp_path / "lib")}}, True),
        ({"editables": {"lib": "/other"}}, False),
    ):
        if counts:
            with pytest.raises(ApplyError):
                verify(tmp_path, requires, requirements=(line,), target=target)
        else:
            verify(tmp_path, requires, requirements=(line,), target=target)


@pytest.mark.parametrize(("name", "counts"), [("lib", True), ("", True), ("other", False)])
def test_the_extras_of_the_project_count_if_it_is_the_project(tmp_path: Path, name: str, counts: bool) -> None:
    project = LocalProject(
        path=tmp_path,
        relative=".",
        name=name,
        version=None,
        editable=True,
        extras=("x",),
        groups=(),
        requirements=(),
        static=True,
        metadata_digest="",
    )
    if counts:
        with pytest.raises(ApplyError):
            verify(tmp_path, "beta; extra == 'x'", project=project)
    else:
        verify(tmp_path, "beta; extra == 'x'", project=project)
