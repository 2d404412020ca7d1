"""A real host for the state machine: manifest, root and caches, used through the public API in this process."""

import multiprocessing
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
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
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS
from reconciler.state.store import State
from tests.faults.damages import PYTHON
from tests.faults.model import MAIN, Declared, Side
from tests.host import Host, base_environment, new_host
from tests.index import ServedIndex
from tests.state.edited import make_root
from tests.unprivileged import unprivileged


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all hosts of a run share: a directory, an index in another process, and a filled cache."""

    directory: Path
    index: str
    cache: Path


@contextmanager
def ground() -> Iterator[Ground]:
    """Yield a ground. The index is a separate process, so that this one has a single thread and may fork."""
    spawning = multiprocessing.get_context("spawn")
    own_end, other_end = spawning.Pipe()
    with tempfile.TemporaryDirectory(prefix="machine-") as place:
        Path(place).chmod(0o755)
        serving = spawning.Process(target=_serve, args=(place, other_end), daemon=True)
        serving.start()
        other_end.close()  # so that waiting ends if the process dies
        try:
            made = Ground(directory=Path(place), index=own_end.recv(), cache=Path(place, "cache"))
            _warm(made)
            yield made
        finally:
            own_end.send(None)
            serving.join()


def _serve(place: str, connection: Connection) -> None:
    with new_host(Path(place, "served")) as host:
        connection.send(host.index.base)
        connection.recv()


def _warm(made: Ground) -> None:
    """Download every wheel once, so that no example waits for downloads."""
    real = Real(made)
    real.declare({"old": Declared(packages=("alpha==1.0", "gamma")), "new": Declared(packages=("alpha==1.1",))})
    assert real.plan(resolve=True).apply().exit_code == 0
    shutil.copytree(real.layout.cache, made.cache, symlinks=True)
    real.end()


class Real:
    """One host: what a person does to it, and its state."""

    def __init__(self, ground: Ground) -> None:
        self.directory = Path(tempfile.mkdtemp(dir=ground.directory))
        self.directory.chmod(0o755)  # for the second user
        index = ServedIndex(directory=ground.directory / "served/wheels", base=ground.index)
        self.host = Host(directory=self.directory, index=index)
        self.layout = Layout(self.host.root)
        self.ambient = base_environment()
        if ground.cache.exists():
            make_root(self.layout.root)  # a root with files and without its mark would be refused
            shutil.copytree(ground.cache, self.layout.cache, symlinks=True)

    def end(self) -> None:
        shutil.rmtree(self.directory)

    def declare(self, entries: Mapping[str, Declared], side: Side = MAIN) -> None:
        """Write a manifest."""
        body = "".join(each.yaml(name) for name, each in sorted(entries.items()))
        lines = "".join(f"  {line}\n" for line in body.splitlines()) or "  {}\n"
        (self.directory / side.file).write_text(
            f"version: 1\nproject: {side.project}\nlocks: {side.locks}\n"
            f"indexes: [{{name: local, url: {self.host.index.url!r}}}]\nenvironments:\n{lines}"
        )

    def workspace(self, side: Side = MAIN) -> Workspace:
        return reconciler.load(self.directory / side.file, ambient=self.ambient)

    def plan(
        self,
        depth: Depth = Depth.FILES,
        *,
        resolve: bool = False,
        names: tuple[str, ...] = (),
        policy: Policy | None = None,
        side: Side = MAIN,
    ) -> Proposal:
        options = PlanOptions(depth=depth, resolve=resolve, build=resolve, policy=policy or Policy())
        return self.workspace(side).plan(Selection(names=names), options)

    def freeze(self, name: str) -> tuple[str, ...]:
        return tuple(
            freeze_lines(self.workspace().observe_environment(name), all=True, exclude=(), exclude_editable=False)
        )

    def generation(self, name: str, number: int) -> Generation:
        return self.layout.generation(name, number)

    def published(self, name: str) -> int:
        return self.layout.published_number(name)

    def numbers(self, name: str) -> set[int]:
        return set(self.layout.generation_numbers(name))

    def inode(self, name: str, number: int, path: str) -> tuple[int, int] | None:
        """Return device and inode of a file in a generation; None if it does not exist."""
        try:
            status = (self.generation(name, number).venv / path).lstat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def closed_files(self, name: str, number: int) -> list[str]:
        """Return what of a generation a user who may enter the root may not read, by the modes of root and files."""
        own = self.generation(name, number)
        access = self.layout.root.stat().st_mode & 0o055
        found = []
        for place, directories, files in os.walk(own.venv):
            for each in (*directories, *files):
                path = Path(place, each)
                mode = path.lstat().st_mode
                wanted = access if stat.S_ISDIR(mode) else access & 0o044
                if not stat.S_ISLNK(mode) and "__pycache__" not in place and mode & wanted != wanted:
                    found.append(str(path))
        return found

    def is_complete_seal(self, name: str, number: int) -> bool:
        """Return whether a generation has a seal that was not cut."""
        seal = self.generation(name, number).seal
        return seal.exists() and seal.read_bytes().endswith(b"}\n")

    def is_closed_file(self, name: str, number: int, path: str) -> bool:
        """Return whether a user who may enter the root may not read a file of a generation, by their modes."""
        access = self.layout.root.stat().st_mode & 0o044
        return (self.generation(name, number).venv / path).stat().st_mode & access != access

    def is_open(self) -> bool:
        """Return whether every user may read the root."""
        return self.layout.root.stat().st_mode & 0o005 == 0o005

    def is_shared(self) -> bool:
        """Return whether anyone but its owner may enter the root."""
        return bool(self.layout.root.stat().st_mode & 0o011)

    def is_closed_directory(self, name: str) -> bool:
        """Return whether a person made a directory at an environment's path that this user may not read completely.

        This user may not enter it, or it is a venv whose interpreter only its owner can reach.
        """
        path = self.layout.environment(name)
        if path.is_symlink() or not path.is_dir():
            return False
        try:
            for each in ("pyvenv.cfg", "bin/python"):
                with suppress(FileNotFoundError):
                    (path / each).stat()
        except PermissionError:
            return True
        return False

    def is_closed_lock(self, name: str) -> bool:
        """Return whether a lock exists that a user without privileges may not read."""
        path = self.lock_path(name)
        if not path.exists():
            return False
        with unprivileged():
            return not os.access(path, os.R_OK, effective_ids=True)

    def changes(self) -> dict[str, tuple[int, ...]]:
        """Return inode, mode, size and times of everything in the root, to see what a command changes."""
        found: dict[str, tuple[int, ...]] = {}
        for path in self.layout.root.rglob("*"):
            if self.layout.engine_cache not in path.parents:
                own = path.lstat()
                found[str(path)] = (own.st_ino, own.st_mode, own.st_size, own.st_mtime_ns, own.st_ctime_ns)
        return found

    def runs_as_second_user(self, name: str, module: str) -> bool:
        """Return whether a user without privileges can import a module with `envsync run`."""
        packages = [each for each in sys.path if "site-packages" in each]
        env = {**self.ambient, "PYTHONPATH": os.pathsep.join([self.ambient["PYTHONPATH"], *packages])}
        argv = [PYTHON, "-m", "reconciler", "run", name, "--", "python", "-c", f"import {module}"]
        done = subprocess.run(
            argv,
            cwd=self.directory,
            env=env,
            capture_output=True,
            check=False,
            user=65534,
            group=65534,
            extra_groups=[],
        )
        return done.returncode == 0

    def record(self, name: str) -> bytes | None:
        path = self.layout.record(name)
        return path.read_bytes() if path.exists() else None

    def lock_path(self, name: str, side: Side = MAIN) -> Path:
        return self.directory / side.locks / f"pylock.{name}.toml"

    def lock(self, name: str) -> bytes | None:
        path = self.lock_path(name)
        return path.read_bytes() if path.exists() else None

    def wait_for_orphans(self) -> None:
        """Wait until all children of a killed run have ended; they keep the root locked."""
        with State.at(self.layout.root).acquire_mutex(timeout=DEFAULT_TIMEOUT_SECONDS):
            pass

    # manual changes at an environment's path

    def put(self, name: str, what: str, target: str = "") -> None:
        """Put something at an environment's path; a file or directory that is there is deleted first."""
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
        """Return whether the file or directory that `put` made is unchanged."""
        path = self.layout.environment(name)
        return (path / "thesis.txt" if path.is_dir() else path).read_text() == "mine"

    # manual changes to the state

    def cached(self, path: str) -> list[Path]:
        """Return the copies of a file in the engine's cache, by the file's path in a venv."""
        return sorted(each for each in self.layout.engine_cache.rglob(Path(path).name) if each.is_file())

    def lose(self, what: str, *, removed: bool) -> None:
        """Delete a file that may be lost without harm, or fill it with invalid content."""
        path = {
            "history": self.layout.history,
            "cache": self.layout.cache,
            "inodes": self.layout.inode_hashes,
            "interpreters": self.layout.interpreter_facts,
            "holder": self.layout.mutex_holder,
        }[what]
        if what == "cache":
            shutil.rmtree(path, ignore_errors=True)
        elif removed or not path.parent.is_dir():
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(b'\xff{"half')
