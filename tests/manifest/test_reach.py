"""A manifest reaches only its repository: every key that names a file, and every way out of it.

The whole command in every format, also with a git revision, is tested in
tests/functional/test_no_file_outside_the_repository_is_shown.py.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from reconciler.errors import ManifestError
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.render.error_document import error_json
from reconciler.render.error_text import render_problems

SECRET = "hunter2"  # noqa: S105
# Invalid in every format, and a parser would quote it: a line of netrc, of TOML, and of a configuration.
TEXT = f"machine {SECRET}.example login {SECRET} password {SECRET}\n{SECRET} = {SECRET}\n[{SECRET}\n"
NAMES = ("requirements.txt", "pyproject.toml", "setup.cfg", "uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
PROJECT = '[project]\nname = "app"\nversion = "1"\n'


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key that names a file: `write` makes the manifest's environment (YAML) for a path, in the repository.

    `file` is the name of the file that is opened there. `is_directory`: the path is that of its directory.
    """

    file: str
    write: Callable[[Path, str], dict[str, object]]
    is_directory: bool = False
    relative_only: bool = False


def in_requirements(line: str) -> Callable[[Path, str], dict[str, object]]:
    def write(repository: Path, path: str) -> dict[str, object]:
        (repository / "own.txt").write_text(line.format(path=path) + "\n", encoding="utf-8")
        return {"requirements": ["own.txt"]}

    return write


def in_pyproject(text: str, **more: object) -> Callable[[Path, str], dict[str, object]]:
    def write(repository: Path, path: str) -> dict[str, object]:
        project = repository / "app"
        project.mkdir()
        absolute = os.path.normpath(repository / path)
        relative = path if path.startswith("/") else f"../{path}"
        (project / "pyproject.toml").write_text(text.format(path=relative, absolute=absolute), encoding="utf-8")
        return {"project": {"path": "app"}} | more

    return write


def linked(repository: Path, path: str, name: str) -> Path:
    """Return the project `app`, whose file `name` is a link to the path."""
    project = repository / "app"
    project.mkdir()
    (project / name).symlink_to(repository / path)
    return project


def link_in_project(repository: Path, path: str) -> dict[str, object]:
    linked(repository, path, "pyproject.toml")
    return {"project": {"path": "app"}}


def setup_cfg_in_project(repository: Path, path: str) -> dict[str, object]:
    (linked(repository, path, "setup.cfg") / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    return {"project": {"path": "app"}}


def next_to_a_uv_lock(repository: Path, path: str) -> dict[str, object]:
    (linked(repository, path, "pyproject.toml") / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    return {"lock": {"from": "app/uv.lock"}}


def member_of_a_workspace(repository: Path, path: str) -> dict[str, object]:
    linked(repository, path, "pyproject.toml")
    (repository / "pyproject.toml").write_text(PROJECT + '[tool.uv.workspace]\nmembers = ["app"]\n', encoding="utf-8")
    return {"project": {"path": "."}}


SOURCE = PROJECT + 'dependencies = ["lib"]\n[tool.uv.sources]\nlib = {{path = "{path}"}}\n'
POETRY = '[tool.poetry]\nname = "app"\n[tool.poetry.dependencies]\nlib = {{path = "{path}"}}\n'
URL = PROJECT + 'dependencies = ["lib @ file://{absolute}"]\n'
WHEEL = "lib-1.0-py3-none-any.whl"

KEYS = {
    "requirements": Key(file="requirements.txt", write=lambda _, path: {"requirements": [path]}),
    "constraints": Key(file="requirements.txt", write=lambda _, path: {"constraints": [path]}),
    "-r": Key(file="requirements.txt", write=in_requirements("-r {path}")),
    "-c": Key(file="requirements.txt", write=in_requirements("-c {path}")),
    "a directory in a requirements file": Key(
        file="pyproject.toml", write=in_requirements("./{path}"), is_directory=True, relative_only=True
    ),
    "-e": Key(file="pyproject.toml", write=in_requirements("-e {path}"), is_directory=True),
    "a wheel in a requirements file": Key(file=WHEEL, write=in_requirements("./{path}"), relative_only=True),
    "a URL in a requirements file": Key(
        file="pyproject.toml",
        write=lambda repository, path: in_requirements("lib @ file://{path}")(
            repository, os.path.normpath(repository / path)
        ),
        is_directory=True,
    ),
    "packages": Key(
        file=WHEEL,
        write=lambda repository, path: {"packages": [f"lib @ file://{os.path.normpath(repository / path)}"]},
    ),
    "overrides": Key(
        file=WHEEL,
        write=lambda repository, path: {"overrides": [f"lib @ git+file://{os.path.normpath(repository / path)}@main"]},
    ),
    "project": Key(
        file="pyproject.toml",
        write=lambda _, path: {"project": {"path": path}},
        is_directory=True,
        relative_only=True,
    ),
    "pyproject.toml of a project": Key(file="pyproject.toml", write=link_in_project, relative_only=True),
    "setup.cfg of a project": Key(file="setup.cfg", write=setup_cfg_in_project, relative_only=True),
    "pyproject.toml next to uv.lock": Key(file="pyproject.toml", write=next_to_a_uv_lock, relative_only=True),
    "a member of a workspace": Key(file="pyproject.toml", write=member_of_a_workspace, relative_only=True),
    "a source of uv": Key(file="pyproject.toml", write=in_pyproject(SOURCE), is_directory=True),
    "a source of Poetry": Key(file=WHEEL, write=in_pyproject(POETRY)),
    "a URL in a pyproject.toml": Key(file="pyproject.toml", write=in_pyproject(URL), is_directory=True),
    "lock of uv": Key(file="uv.lock", write=lambda _, path: {"lock": {"from": path}}),
    "lock of Poetry": Key(file="poetry.lock", write=lambda _, path: {"lock": {"from": path}}),
    "lock of PDM": Key(file="pdm.lock", write=lambda _, path: {"lock": {"from": path}}),
    "pylock": Key(file="pylock.toml", write=lambda _, path: {"lock": {"from": path}}),
}


def to_a_link(target: Callable[[Path, str], Path | str]) -> Callable[[Path, str], str]:
    def make(repository: Path, name: str) -> str:
        (repository / "inner").mkdir()
        (repository / "inner" / name).symlink_to(target(repository.parent / "outside", name))
        return f"inner/{name}"

    return make


def link_of_a_directory(repository: Path, name: str) -> str:
    (repository / "inner").symlink_to("../outside")
    return f"inner/{name}"


def in_git(repository: Path, name: str) -> str:
    (repository / ".git" / name).write_text(TEXT, encoding="utf-8")
    return f".git/{name}"


def pipe(repository: Path, name: str) -> str:
    (repository / "inner").mkdir()
    os.mkfifo(repository / "inner" / name)
    return f"inner/{name}"


def sparse(repository: Path, name: str) -> str:
    (repository / "inner").mkdir()
    with (repository / "inner" / name).open("wb") as file:
        file.truncate(1 << 40)
    return f"inner/{name}"


def directory(repository: Path, name: str) -> str:
    (repository / "inner" / name).mkdir(parents=True)
    return f"inner/{name}"


OUT = {
    "an absolute path": lambda repository, name: str(repository.parent / "outside" / name),
    "..": lambda _, name: f"../outside/{name}",
    "a path that returns": lambda repository, name: f"../{repository.name}/../outside/{name}",
    "a link": to_a_link(lambda outside, name: outside / name),
    "a relative link": to_a_link(lambda _, name: f"../../outside/{name}"),
    "a link to a link": to_a_link(lambda outside, name: outside / "again" / name),
    "a link of a directory": link_of_a_directory,
    "a missing file outside": to_a_link(lambda outside, _: outside / "missing"),
}
NOT_TO_BE_READ = {
    "environ": to_a_link(lambda _, __: "/proc/self/environ"),
    "environ through the root of a process": to_a_link(lambda _, __: "/proc/self/root/proc/self/environ"),
    "a device": to_a_link(lambda _, __: "/dev/zero"),
    "standard input": to_a_link(lambda _, __: "/dev/stdin"),
    "a file of git": in_git,
    "a named pipe": pipe,
}
UNUSABLE = {
    "a sparse file of 1 TiB": sparse,
    "a directory": directory,
    "a missing file": lambda _, name: f"inner/{name}",
    "a link to itself": to_a_link(lambda _, name: name),
}
WAYS: dict[str, Callable[[Path, str], str]] = {**OUT, **NOT_TO_BE_READ, **UNUSABLE}
# An archive is hashed and installed, and not read: it may be missing on this machine, and the engine reports the rest.
NOT_READ_YET = {"packages", "overrides", "a URL in a requirements file", "a URL in a pyproject.toml"} | {
    "a source of Poetry",
    "a wheel in a requirements file",
}
OPTIONAL = {"setup.cfg of a project", "a member of a workspace"}
ABSOLUTE = {"an absolute path"}


def repository_in(tmp_path: Path) -> Path:
    """Return a repository next to a directory `outside` with files that must not be shown."""
    repository, outside = tmp_path / "repository", tmp_path / "outside"
    (repository / ".git").mkdir(parents=True)
    (outside / "again").mkdir(parents=True)
    for name in (*NAMES, WHEEL):
        (outside / name).write_text(TEXT, encoding="utf-8")
        (outside / "again" / name).symlink_to(outside / name)
    return repository


def write_manifest(repository: Path, environment: dict[str, object], **more: object) -> Path:
    manifest = {"version": 1, "project": "acme", **more, "environments": {"web": {"python": "3.12", **environment}}}
    path = repository / "envs.yaml"
    path.write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    return path


def expansion_error(file: Path) -> ManifestError | None:
    """Return the error of a manifest, in which no text of a file outside is quoted, whatever the format."""
    try:
        expand(load_manifest(file))
    except ManifestError as error:
        found = error
    else:
        return None
    assert SECRET not in render_problems(found) + error_json(found, one_line=False) + repr(found.problems)
    assert found.exit_code == 3
    return found


CASES = [
    pytest.param(key, way, id=f"{key} - {way}")
    for key in KEYS
    for way in WAYS
    if not (KEYS[key].relative_only and way in ABSOLUTE)
]


@pytest.mark.parametrize(("key", "way"), CASES)
def test_a_key_that_names_a_file_reaches_nothing_outside_the_repository(key: str, way: str, tmp_path: Path) -> None:
    repository = repository_in(tmp_path)
    path = WAYS[way](repository, KEYS[key].file)
    if KEYS[key].is_directory:
        path = path.rpartition("/")[0]
    error = expansion_error(write_manifest(repository, KEYS[key].write(repository, path)))
    if error is None:
        assert way in UNUSABLE
        assert key in NOT_READ_YET | OPTIONAL
        return
    first = error.problems[0]
    words = render_problems(error)
    if way in OUT:
        assert "outside the repository" in words
        assert "allow_paths" in words
    elif way in NOT_TO_BE_READ and key not in NOT_READ_YET:
        assert "not a regular file" in words or "inside `.git`" in words
    assert first.place is not None or re.match(r"\S+: ", first.message), "a file whose whole text is wrong has no line"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("way", [each for each in OUT if each != "a missing file outside"])
def test_the_hint_allows_the_directory_and_no_text_of_its_files_is_shown(key: str, way: str, tmp_path: Path) -> None:
    if KEYS[key].relative_only and way in ABSOLUTE:
        return
    repository = repository_in(tmp_path)
    path = WAYS[way](repository, KEYS[key].file)
    if KEYS[key].is_directory:
        path = path.rpartition("/")[0]
    environment = KEYS[key].write(repository, path)
    error = expansion_error(write_manifest(repository, environment))
    assert error is not None
    written = re.search(r"write `allow_paths: \[(.+)\]` at the top level", render_problems(error).replace("\n", " "))
    assert written is not None, render_problems(error)
    allowed = yaml.safe_load(f"[{written[1]}]")
    assert len(allowed) == 1
    again = expansion_error(write_manifest(repository, environment, allow_paths=allowed))
    if again is not None:  # the files outside are invalid
        assert "outside the repository, and in no directory" not in render_problems(again)


@pytest.mark.parametrize(
    ("deep", "shown"), [("", '"../outside"'), ("a/b", '"../../../outside"'), ("a/b/c", "{}/outside")]
)
def test_a_hint_shows_a_far_directory_by_its_absolute_path(deep: str, shown: str, tmp_path: Path) -> None:
    repository = repository_in(tmp_path)
    directory = repository / deep
    directory.mkdir(parents=True, exist_ok=True)
    outside = tmp_path / "outside/requirements.txt"
    outside.parent.mkdir(exist_ok=True)
    error = expansion_error(write_manifest(directory, {"requirements": [os.path.relpath(outside, directory)]}))
    assert error is not None
    assert f"allow_paths: [{shown.format(tmp_path)}]" in str(error.problems[0].hint)


def test_a_requirements_file_outside_is_used_and_its_places_are_named(tmp_path: Path) -> None:
    repository = repository_in(tmp_path)
    outside = tmp_path / "outside" / "requirements.txt"
    outside.write_text(f"alpha\n  {SECRET}; {SECRET}\n-r other.in\n", encoding="utf-8")
    (tmp_path / "outside" / "other.in").write_text("beta\n", encoding="utf-8")
    manifest = write_manifest(repository, {"requirements": ["../outside/requirements.txt"]}, allow_paths=["../outside"])
    error = expansion_error(manifest)
    assert error is not None
    place = error.problems[0].place
    assert place is not None
    assert (Path(place.file).name, place.line, place.column) == ("requirements.txt", 2, 12)
    assert error.problems[0].context == ()
    outside.write_text("alpha\n-r other.in\n", encoding="utf-8")
    desired = expand(load_manifest(manifest))
    assert [each.text for each in desired.environments[0].requirements] == ["alpha", "beta"]


@pytest.mark.parametrize("name", [".netrc", "id_rsa", "token", ".env", "credentials.json"])
def test_outside_only_files_are_read_that_are_named_like_requirements(name: str, tmp_path: Path) -> None:
    """A file with one word, such as a token, is a valid requirements file, and its word would be sent to an index."""
    repository = repository_in(tmp_path)
    (tmp_path / "outside" / name).write_text(f"{SECRET}\n", encoding="utf-8")
    (repository / "requirements.txt").symlink_to(tmp_path / "outside" / name)
    for path in (f"../outside/{name}", "requirements.txt"):
        error = expansion_error(write_manifest(repository, {"requirements": [path]}, allow_paths=["../outside"]))
        assert error is not None
        assert "must be named `*.txt`" in error.problems[0].message


@pytest.mark.parametrize("allowed", ["/", "/proc", "/proc/self", "/sys", "/dev", "link-to-proc", "link-to-root"])
def test_not_everything_can_be_allowed(allowed: str, tmp_path: Path) -> None:
    repository = repository_in(tmp_path)
    (repository / "link-to-proc").symlink_to("/proc")
    (repository / "link-to-root").symlink_to("/")
    error = expansion_error(write_manifest(repository, {}, allow_paths=[allowed]))
    assert error is not None
    assert error.problems[0].path == "allow_paths[0]"


@pytest.mark.parametrize("way", ["..", "a link of a directory"])
def test_locks_are_in_the_repository(way: str, tmp_path: Path) -> None:
    repository = repository_in(tmp_path)
    locks = WAYS[way](repository, "x").rpartition("/")[0]
    error = expansion_error(write_manifest(repository, {}, locks=locks))
    assert error is not None
    assert error.problems[0].path == "locks"
    assert "outside the repository" in error.problems[0].message
    assert expansion_error(write_manifest(repository, {}, locks=locks, allow_paths=["../outside"])) is None


def test_a_manifest_that_is_a_link_out_of_its_repository_is_refused(tmp_path: Path) -> None:
    repository = repository_in(tmp_path)
    (repository / "envs.yaml").symlink_to("../outside/requirements.txt")
    error = expansion_error(repository / "envs.yaml")
    assert error is not None
    assert "a symbolic link to a file outside the repository" in error.problems[0].message
    (repository / "envs.yaml").unlink()
    write_manifest(repository, {}).rename(repository / "real.yaml")
    (repository / "envs.yaml").symlink_to("real.yaml")
    assert expansion_error(repository / "envs.yaml") is None


def test_without_a_repository_the_directory_of_the_manifest_is_the_border(tmp_path: Path) -> None:
    repository = repository_in(tmp_path)
    (repository / ".git").rmdir()
    error = expansion_error(write_manifest(repository, {"requirements": ["../outside/requirements.txt"]}))
    assert error is not None
    assert "outside the manifest's directory" in error.problems[0].message
    deploy = repository / "deploy"
    deploy.mkdir()
    (repository / "requirements.txt").write_text("alpha\n", encoding="utf-8")
    manifest = write_manifest(deploy, {"requirements": ["../requirements.txt"]})
    assert expansion_error(manifest) is not None
    (repository / ".git").mkdir()
    assert expansion_error(manifest) is None


def test_a_link_that_is_swapped_in_after_the_check_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = repository_in(tmp_path)
    inner = repository / "inner"
    inner.mkdir()
    (inner / "requirements.txt").write_text("alpha\n", encoding="utf-8")
    manifest = write_manifest(repository, {"requirements": ["inner/requirements.txt"]})
    real = os.path.realpath

    def swap(path: str | Path, **options: bool) -> str:
        found = real(path, **options)
        if str(path).endswith("inner/requirements.txt") and not inner.is_symlink():
            (inner / "requirements.txt").unlink()
            inner.rmdir()
            inner.symlink_to(tmp_path / "outside")
        return found

    monkeypatch.setattr(os.path, "realpath", swap)
    error = expansion_error(manifest)
    assert error is not None
    assert inner.is_symlink()
    assert error.problems[0].context[-1][1].strip().endswith("inner/requirements.txt"), "the line of the manifest"
