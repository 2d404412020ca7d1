"""Short forms for desired environments, and their resolution with the real uv."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.engines.uv import UvEngine
from reconciler.interpreters.model import Interpreter
from reconciler.lock.lock_file import lock_path, read_lock, write_lock
from reconciler.lock.model import Lock
from reconciler.lock.resolve import ResolveOptions, resolve_lock
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, Index, LocalProject, RequirementLine
from reconciler.manifest.reach import reach_of_state


def requiring(*texts: str, **more: Any) -> DesiredEnvironment:
    """Return an environment `web` with the requirements `texts`."""
    lines = tuple(RequirementLine(text=text, source="envs.yaml:1:1") for text in texts)
    return replace(DesiredEnvironment(name="web", python=">=3.11", requirements=lines), **more)


def local(path: Path, **more: Any) -> RequirementLine:
    """Return the line of a local directory or archive."""
    return replace(RequirementLine(text=f"./{path.name}", source="r.txt:1:1", path=path), **more)


def local_project(path: Path, **more: Any) -> LocalProject:
    """Return the project `lib` at `path`, with static metadata and no requirements."""
    plain = LocalProject(
        path=path,
        relative="lib",
        name="lib",
        version="1.0",
        editable=False,
        extras=(),
        groups=(),
        requirements=(),
        static=True,
        metadata_digest="sha256:1",
    )
    return replace(plain, **more)


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """A directory with a manifest's locks, an engine and an interpreter."""

    directory: Path
    engine: UvEngine
    interpreter: Interpreter
    indexes: tuple[Index, ...]
    allow_paths: tuple[str, ...] = ()

    @property
    def desired(self) -> DesiredState:
        return DesiredState(
            project="acme",
            file=self.directory / "envs.yaml",
            root=self.directory / ".envs",
            locks=self.directory / "locks",
            digest="",
            indexes=self.indexes,
            allow_paths=self.allow_paths,
        )

    def resolve(
        self,
        environment: DesiredEnvironment,
        *,
        previous: Lock | None = None,
        build: bool = True,
        offline: bool = False,
        upgrade: bool | tuple[str, ...] = False,
    ) -> Lock:
        return resolve_lock(
            environment,
            self.desired,
            self.interpreter,
            self.engine,
            ResolveOptions(build=build, offline=offline, upgrade=upgrade),
            previous=previous,
        )

    def written(self, lock: Lock) -> Lock:
        """Write a lock and read it back."""
        write_lock(lock)
        path = lock_path(self.desired.locks, lock.environment)
        found = read_lock(path, lock.environment, reach_of_state(self.desired))
        assert found is not None
        return found


def pins(lock: Lock) -> list[str]:
    return [f"{package['name']} {package.get('version')}" for package in lock.document["packages"]]


def only(lock: Lock) -> dict[str, Any]:
    [package] = lock.document["packages"]
    assert isinstance(package, dict)
    return package


def project_at(path: Path, *, name: str = "lib", requires: str = "[]", head: str = "", more: str = "") -> Path:
    """Write a project with static metadata at `path`."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "pyproject.toml").write_text(
        f'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n{head}'
        f'[project]\nname = "{name}"\nversion = "1.0"\ndependencies = {requires}\n{more}'
    )
    return path


def git_environment() -> dict[str, str]:
    """Return variables with an author for git, and without configuration of the user or the system."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@index.example",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@index.example",
    }
