"""Everything that is known of an environment: what is at its path, and what a published one has."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.observe.actual import ActualEnvironment, Depth, Finding, FindingCode, Occupant
from reconciler.observe.environment import observe_environment, observe_path
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.published_generation import PublishedGeneration
from tests.observe.trees import HOME, VENV, build, dist_info


def observed(path: Path, published: PublishedGeneration | None = None, **more: Any) -> ActualEnvironment:
    given: dict[str, Any] = {"depth": Depth.METADATA, "inodes": InodeHashes(), **more}
    return observe_environment(path, name=path.name, published=published, **given)


def published_at(root: Path, **more: Any) -> PublishedGeneration:
    venv = root / ".envsync/generations/web/7/venv"
    return PublishedGeneration(
        **{
            "generation": 7,
            "venv": venv,
            "inventory": venv.parent / "inventory",
            "seal": "sha256:seal",
            "home": HOME,
            "system_site_packages": False,
            **more,
        }
    )


def test_a_published_environment(tmp_path: Path) -> None:
    published = published_at(tmp_path)
    build(published.venv, {**VENV, **dist_info("six", "1.0")})
    found = observed(tmp_path / "web", published)
    assert (found.name, found.path, found.occupant, found.depth) == (
        "web",
        str(tmp_path / "web"),
        Occupant.PUBLISHED,
        Depth.METADATA,
    )
    assert (found.generation, found.seal, found.python, found.home) == (7, "sha256:seal", "3.12.1", HOME)
    assert (found.system_site_packages, found.findings, found.ignored, found.edited) == (False, (), (), ())
    assert [each.name for each in found.distributions] == ["six"]


@pytest.mark.parametrize("at", ["nothing", "file"])
def test_a_published_environment_whose_generation_is_gone(tmp_path: Path, at: str) -> None:
    published = published_at(tmp_path)
    if at == "file":
        published.venv.parent.mkdir(parents=True)
        published.venv.touch()
    assert observed(tmp_path / "web", published, depth=Depth.FILES) == ActualEnvironment(
        name="web",
        path=str(tmp_path / "web"),
        occupant=Occupant.DANGLING,
        depth=Depth.FILES,
        generation=7,
        seal="sha256:seal",
    )


def test_what_differs_from_the_seal_is_a_finding(tmp_path: Path) -> None:
    published = published_at(tmp_path, closed=("bin/x", "bin/y"), home="/other", system_site_packages=True)
    build(published.venv, VENV)
    found = observed(tmp_path / "web", published)
    assert found.findings == tuple(
        sorted(
            [
                Finding(code=FindingCode.ACCESS_NARROWED, detail="users who may read the root cannot read bin/x in it"),
                Finding(
                    code=FindingCode.WRONG_HOME, path="pyvenv.cfg", detail=f"its home is `{HOME}`; it was `/other`"
                ),
                Finding(
                    code=FindingCode.SYSTEM_SITE_PACKAGES,
                    path="pyvenv.cfg",
                    detail="system site packages were switched off",
                ),
            ]
        )
    )


@pytest.mark.parametrize("damaged", [True, False])
def test_without_a_readable_seal_nothing_is_compared(tmp_path: Path, damaged: bool) -> None:
    published = published_at(
        tmp_path, seal="", home="/other", system_site_packages=True, unreadable="it is damaged", damaged=damaged
    )
    build(published.venv, VENV)
    found = observed(tmp_path / "web", published, depth=Depth.FILES)
    detail = "it is damaged; files could not be compared"
    assert found.findings == ((Finding(code=FindingCode.SEAL_DAMAGED, detail=detail),) if damaged else ())
    assert found.seal == ""


def test_a_python_version_that_pyvenv_cfg_lacks_is_that_of_its_library(tmp_path: Path) -> None:
    build(tmp_path / "web", {**VENV, "pyvenv.cfg": f"home = {HOME}\ninclude-system-site-packages = true\n"})
    found = observed(tmp_path / "web")
    assert (found.occupant, found.python, found.home, found.system_site_packages) == (
        Occupant.VENV,
        "3.12",
        HOME,
        True,
    )
    (tmp_path / "web/pyvenv.cfg").write_bytes(b"\xff")
    found = observed(tmp_path / "web")
    assert (found.python, found.home, found.system_site_packages) == ("3.12", "", False)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda python: python.unlink(), "the interpreter could not be found: No such file or directory"),
        (lambda python: (python.unlink(), python.mkdir()), "it does not point to an executable file"),
        (lambda python: (python.unlink(), python.touch(0o644)), "it does not point to an executable file"),
    ],
)
def test_an_interpreter_that_cannot_run_is_a_finding(tmp_path: Path, make: Any, problem: str) -> None:
    build(tmp_path / "web", VENV)
    make(tmp_path / "web/bin/python")
    found = [each for each in observed(tmp_path / "web").findings if each.path]
    assert found == [Finding(code=FindingCode.DANGLING_INTERPRETER, path="bin/python", detail=problem)]


def test_what_is_at_a_path_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "directory/bin").mkdir(parents=True)
    (tmp_path / "link").symlink_to("/usr")
    (tmp_path / "dangling").symlink_to(".envsync/generations/dangling/3/venv")
    (tmp_path / "other").symlink_to(".envsync/generations/web/3/venv")
    (tmp_path / "former").symlink_to(".envsync/../web")
    os.mkfifo(tmp_path / "pipe")
    found = {name: observed(tmp_path / name) for name in sorted([*os.listdir(tmp_path), "none", "file/below"])}
    assert {name: each.occupant for name, each in found.items()} == {
        "dangling": Occupant.DANGLING,
        "directory": Occupant.DIRECTORY,
        "file": Occupant.OTHER,
        "file/below": Occupant.ABSENT,
        "former": Occupant.ABSENT,
        "link": Occupant.SYMLINK,
        "none": Occupant.ABSENT,
        "other": Occupant.SYMLINK,
        "pipe": Occupant.OTHER,
    }
    assert {name: [(f.code, f.detail) for f in each.findings] for name, each in found.items() if each.findings} == {
        "directory": [(FindingCode.FOREIGN_DIRECTORY, "a directory that envsync did not create")],
        "file": [(FindingCode.FOREIGN_FILE, "a file that envsync did not create")],
        "file/below": [(FindingCode.UNREADABLE, "could not be read: Not a directory")],
        "link": [(FindingCode.FOREIGN_SYMLINK, "a symbolic link to `/usr` that envsync did not create")],
        "other": [
            (
                FindingCode.FOREIGN_SYMLINK,
                "a symbolic link to `.envsync/generations/web/3/venv` that envsync did not create",
            )
        ],
        "pipe": [(FindingCode.FOREIGN_FILE, "a file that envsync did not create")],
    }
    assert {name: bool(each.findings[0].content) for name, each in found.items() if each.findings} == {
        "directory": False,
        "file": True,
        "file/below": False,
        "link": False,
        "other": False,
        "pipe": False,
    }
    (tmp_path / "directory/bin/python").touch()
    missing = observed(tmp_path / "directory").findings
    detail = "it has bin/python, but no pyvenv.cfg"
    assert Finding(code=FindingCode.MISSING_PYVENV_CFG, path="pyvenv.cfg", detail=detail) in missing


def test_a_path_that_may_not_be_examined_is_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "lstat", refused)
        found = observed(tmp_path / "web")
    assert found.occupant is Occupant.OTHER
    assert found.findings == (Finding(code=FindingCode.UNREADABLE, detail="could not be read: Permission denied"),)


def test_any_path_can_be_observed_and_a_foreign_venv_is_not_a_finding(tmp_path: Path) -> None:
    build(tmp_path / "real", {**VENV, "bin/activate": f"VIRTUAL_ENV={tmp_path / 'alias'}\n"})
    (tmp_path / "alias").symlink_to("real")
    found = observe_path(tmp_path / "alias")
    assert (found.name, found.path, found.occupant, found.findings) == (
        "alias",
        str(tmp_path / "alias"),
        Occupant.VENV,
        (),
    )
    assert found.python == "3.12.1"
    (tmp_path / "real/bin/activate").write_text("VIRTUAL_ENV=/elsewhere\n")
    [moved] = observe_path(tmp_path / "alias").findings
    assert (moved.code, moved.path) == (FindingCode.MOVED, "bin/activate")
    file = observe_path(Path(sys.executable).resolve())
    assert (file.occupant, [each.code for each in file.findings]) == (Occupant.OTHER, [FindingCode.FOREIGN_FILE])
