"""A real host for the state machine: manifest, root, caches; driven through the public API, in this process."""

import multiprocessing
import os
import shutil
import tempfile
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import reconciler
from reconciler.observe.actual import Depth
from reconciler.observe.freeze import freeze_lines
from reconciler.options import PlanOptions, Selection
from reconciler.plan.model import Policy
from reconciler.reconcile import Proposal, Workspace
from reconciler.state.layout import Generation, Layout
from reconciler.state.store import State
from tests.faults.model import Declared
from tests.host import Host, base_environment, new_host
from tests.index import ServedIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all hosts of a run share: a directory, an index in another process, and a cache that is warm."""

    directory: Path
    index: str
    cache: Path


@contextmanager
def ground() -> Iterator[Ground]:
    """Yield a ground; the index is a process of its own, so that this one has a single thread and may fork."""
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    with tempfile.TemporaryDirectory(prefix="machine-") as place:
        serving = spawning.Process(target=_serve, args=(place, there), daemon=True)
        serving.start()
        there.close()  # should it die, waiting for it ends
        try:
            made = Ground(directory=Path(place), index=here.recv(), cache=Path(place, "cache"))
            _warm(made)
            yield made
        finally:
            here.send(None)
            serving.join()


def _serve(place: str, ends: Connection) -> None:
    with new_host(Path(place, "served")) as host:
        ends.send(host.index.base)
        ends.recv()


def _warm(made: Ground) -> None:
    """Fetch every wheel once, so that no example waits for what is the same in all."""
    real = Real(made)
    real.declare({"old": Declared(packages=("alpha==1.0", "gamma")), "new": Declared(packages=("alpha==1.1",))})
    assert real.plan(resolve=True).apply().exit_code == 0
    shutil.copytree(real.layout.cache, made.cache, symlinks=True)
    real.end()


class Real:
    """One host: what a person does to it, and what is found there."""

    def __init__(self, ground: Ground) -> None:
        self.directory = Path(tempfile.mkdtemp(dir=ground.directory))
        index = ServedIndex(directory=ground.directory / "served/wheels", base=ground.index)
        self.host = Host(directory=self.directory, index=index)
        self.layout = Layout(self.host.root)
        self.ambient = base_environment()
        if ground.cache.exists():
            shutil.copytree(ground.cache, self.layout.cache, symlinks=True)

    def end(self) -> None:
        shutil.rmtree(self.directory)

    def declare(self, entries: Mapping[str, Declared]) -> None:
        """Write the manifest."""
        self.host.manifest("".join(each.yaml(name) for name, each in sorted(entries.items())))

    @property
    def workspace(self) -> Workspace:
        return reconciler.load(self.directory / "envs.yaml", ambient=self.ambient)

    def plan(
        self,
        depth: Depth = Depth.FILES,
        *,
        resolve: bool = False,
        names: tuple[str, ...] = (),
        policy: Policy | None = None,
    ) -> Proposal:
        options = PlanOptions(depth=depth, resolve=resolve, build=resolve, policy=policy or Policy())
        return self.workspace.plan(Selection(names=names), options)

    def freeze(self, name: str) -> tuple[str, ...]:
        return tuple(freeze_lines(self.workspace.observed(name), all=True))

    def generation(self, name: str, number: int) -> Generation:
        return self.layout.generation(name, number)

    def published(self, name: str) -> int:
        return self.layout.published_number(name)

    def numbers(self, name: str) -> set[int]:
        return set(self.layout.generation_numbers(name))

    def inode(self, name: str, number: int, path: str) -> tuple[int, int] | None:
        """Return device and inode of a file in a generation, None where it is not there."""
        try:
            status = (self.generation(name, number).venv / path).lstat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def record(self, name: str) -> bytes | None:
        path = self.layout.record(name)
        return path.read_bytes() if path.exists() else None

    def lock_path(self, name: str) -> Path:
        return self.directory / f"locks/pylock.{name}.toml"

    def lock(self, name: str) -> bytes | None:
        path = self.lock_path(name)
        return path.read_bytes() if path.exists() else None

    def wait_for_orphans(self) -> None:
        """Wait until nothing of a killed run is alive: what it started holds the root's lock."""
        with State.at(self.layout.root).hold():
            pass

    # what a hand does to an environment's path

    def put(self, name: str, what: str, target: str = "") -> None:
        """Put something at an environment's path, whatever stood there (a directory of somebody's is moved away)."""
        path = self.layout.environment(name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif os.path.lexists(path):
            path.unlink()
        match what:
            case "file":
                path.write_text("mine")
            case "directory":
                path.mkdir()
                (path / "thesis.txt").write_text("mine")
            case "venv":
                venv.create(path, symlinks=True, with_pip=False)
                (path / "thesis.txt").write_text("mine")
            case "link":
                path.symlink_to(target)

    def untouched(self, name: str) -> bool:
        """Return whether the file, or the directory, that `put` put there still is."""
        path = self.layout.environment(name)
        return (path / "thesis.txt" if path.is_dir() else path).read_text() == "mine"

    # what a hand does to the state

    def cached(self, path: str) -> list[Path]:
        """Return the file of a wheel, by its path in a venv, wherever the engine's cache has it."""
        return sorted(each for each in self.layout.engine_cache.rglob(Path(path).name) if each.is_file())

    def lose(self, what: str, *, removed: bool) -> None:
        """Remove, or fill with nonsense, what may be lost without harm."""
        path = {
            "history": self.layout.history,
            "cache": self.layout.cache,
            "inodes": self.layout.inode_hashes,
            "interpreters": self.layout.interpreter_facts,
            "holder": self.layout.holder,
        }[what]
        if what == "cache":
            shutil.rmtree(path, ignore_errors=True)
        elif removed or not path.parent.is_dir():
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(b'\xff{"half')
