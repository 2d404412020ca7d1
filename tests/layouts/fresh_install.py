"""What `uv pip install` gives in a fresh venv, from a copy of a repository."""

import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from uv import find_uv_bin

from tests.host import base_environment
from tests.layouts.contents import installed
from tests.layouts.layout import Layout
from tests.layouts.source_tree import LOCKS, changes, source_tree

_UV = find_uv_bin()  # once: its first calls must not be in two threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A fresh installation: its files, what its module says, and what it wrote into the sources."""

    files: Mapping[str, str]
    facts: str
    written: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Installer:
    """Installs a project with uv in new venvs below `directory`, from the package index at `url`."""

    directory: Path
    url: str
    python: Path
    _number: int = 0
    _done: dict[tuple[object, ...], Fresh] = field(default_factory=dict)

    def install(self, layout: Layout, repository: Path, *, editable: bool) -> Fresh:
        """Return what a fresh installation of the project gives; packages have the versions of the locks.

        Raises ValueError with uv's output if uv cannot install it.
        """
        pins = tuple(sorted(pinned(repository)))
        sources = source_tree(repository, times=False, git=layout.reads_git)
        key = (layout.name, editable, pins, frozenset(sources.items()))
        if key not in self._done:
            self._done[key] = self._install(layout, repository, pins, editable=editable)
        return self._done[key]

    def _install(self, layout: Layout, repository: Path, pins: Sequence[str], *, editable: bool) -> Fresh:
        with self._directory() as place:
            # Where nothing was built before: a build in the tree finds what an earlier one left there.
            copy, venv = place / repository.name, place / "venv"
            shutil.copytree(repository, copy, symlinks=True, ignore=shutil.ignore_patterns(".envs"))
            constraints = place / "constraints.txt"
            constraints.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
            before = source_tree(copy)
            self._uv("venv", "-q", "-p", str(self.python), str(venv), cwd=place)
            project = (copy / layout.project).resolve()
            options = ["--default-index", self.url, "-c", str(constraints), "-p", str(venv / "bin/python")]
            self._uv("pip", "install", "-q", *options, *(["-e"] if editable else []), ".", cwd=project)
            written = frozenset(each.partition(" ")[2] for each in changes(before, source_tree(copy)))
            facts = facts_of(layout, venv)
            return Fresh(files=installed(venv, {copy: repository, venv: Path("venv")}), facts=facts, written=written)

    @contextmanager
    def _directory(self) -> Iterator[Path]:
        self._number += 1
        place = self.directory / str(self._number)
        place.mkdir(parents=True)
        try:
            yield place
        finally:
            shutil.rmtree(place)

    def _uv(self, *arguments: str, cwd: Path) -> None:
        env = {**base_environment(), "UV_CACHE_DIR": str(self.directory / "cache"), "UV_PYTHON_DOWNLOADS": "never"}
        done = subprocess.run([_UV, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"uv {arguments[0]} failed: {done.stderr}")


def pinned(repository: Path) -> set[str]:
    """Return `name==version` of every package that the locks in the repository take from an index."""
    found = set()
    for lock in repository.glob(LOCKS):
        for package in tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]:
            if "directory" not in package:
                found.add(f"{package['name']}=={package['version']}")
    return found


def facts_of(layout: Layout, venv: Path) -> str:
    """Return what the installed module says, or the last line of the error; no bytecode is written."""
    program = f"import {layout.module}; print({layout.facts})"
    command = [str(venv / "bin/python"), "-I", "-B", "-c", program]
    done = subprocess.run(command, cwd=os.sep, env=base_environment(), capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2]
