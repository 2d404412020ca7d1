"""The lines that uv resolves: with hashes, extras and markers, and with copies of the sources that may be built."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.lock.requirement_lines import RequirementLines, requirement_lines
from reconciler.manifest.desired import DesiredEnvironment, RequirementLine
from tests.lock.workbench import local, local_project, project_at, requiring

HASH = "sha256:" + "0" * 64


def lines(environment: DesiredEnvironment, *, build: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    with requirement_lines(environment, build=build) as found:
        return found.lines, found.overrides


def with_line(line: RequirementLine) -> DesiredEnvironment:
    return replace(requiring(), requirements=(line,))


def test_a_requirement_has_its_hashes() -> None:
    line = RequirementLine(text="alpha>=1 ; os_name == 'posix'", source="", hashes=(HASH, HASH))
    assert lines(with_line(line)) == ((f"alpha>=1 ; os_name == 'posix' --hash={HASH} --hash={HASH}",), ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "{url}"),
        ({"editable": True}, "-e {url}"),
        ({"extras": ("a", "b")}, "{url}[a,b]"),
        ({"marker": "os_name == 'nt'"}, "{url} ; os_name == 'nt'"),
        ({"hashes": (HASH,)}, "{url} --hash=" + HASH),
        ({"name": "lib"}, "lib @ {url}"),
        (
            {"name": "lib", "extras": ("a",), "marker": "x == 'y'", "hashes": (HASH,)},
            "lib[a] @ {url} ; x == 'y' --hash=" + HASH,
        ),
        ({"name": "lib", "editable": True, "extras": ("a",)}, "-e {url}[a]"),
    ],
)
def test_a_local_directory_is_a_url(tmp_path: Path, more: dict[str, Any], expected: str) -> None:
    path = project_at(tmp_path / "a b")
    found, overrides = lines(with_line(local(path, **more)))
    assert (found, overrides) == ((expected.replace("{url}", path.as_uri()),), ())
    assert lines(with_line(local(path, **more, replaces=True))) == ((), found)


def test_only_a_directory_that_may_be_built_is_copied(tmp_path: Path) -> None:
    path, archive = project_at(tmp_path / "lib"), tmp_path / "lib.zip"
    archive.touch()
    environment = replace(requiring(), requirements=(local(path), local(archive), local(path, extras=("x",))))
    with requirement_lines(environment, build=True) as found:
        one, two, three = found.lines
        assert two == archive.as_uri()
        assert three == f"{one}[x]"  # the same copy
        copy = Path(one.removeprefix("file://"))
        assert copy.is_relative_to(found.directory)
        assert (copy / "pyproject.toml").read_text() == (path / "pyproject.toml").read_text()
        assert len(found.bases) == 1
        assert found.original(str(copy / "pyproject.toml")) == str((path / "pyproject.toml").resolve())
        assert found.original(str(copy.relative_to(found.directory))) == str(path.resolve())
        assert found.original(str(archive)) == str(archive.resolve())
    assert not copy.exists()
    with requirement_lines(environment, build=False) as found:
        assert (found.lines[0], found.bases) == (path.as_uri(), ())


@pytest.mark.parametrize("static", [True, False])
def test_the_project_is_copied_unless_its_metadata_is_static(tmp_path: Path, static: bool) -> None:
    path = project_at(tmp_path / "own")
    project = local_project(
        path,
        relative="own",
        name="own",
        version=None,
        editable=True,
        extras=("x",),
        requirements=("delta>=1",),
        static=static,
    )
    environment = replace(requiring("alpha"), project=project)
    with requirement_lines(environment, build=True) as found:
        alpha, own, delta = found.lines
        assert (alpha, delta) == ("alpha", "delta>=1")
        assert own.startswith("-e file://")
        assert own.endswith("[x]")
        assert (own == f"-e {path.as_uri()}[x]") is static
    assert lines(environment)[0][1] == f"-e {path.as_uri()}[x]"


def test_the_original_of_a_path_has_no_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    found = RequirementLines(lines=(), directory=tmp_path, overrides=(), bases=(tmp_path / "base",))
    assert found.original("link/x") == str(tmp_path / "real/x")
    assert found.original(str(tmp_path / "base/real/../y")) == "/y"
    assert found.original("base-other/x") == str(tmp_path / "base-other/x")
