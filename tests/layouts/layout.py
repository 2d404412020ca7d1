"""A project layout: the files of a small repository, and the places that its edits change."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Ignored by git, but modules and files with these names are packaged where the backend packages them.
GITIGNORE = """\
.envs/
build/
dist/
*.egg-info/
__pycache__/
*_pb2.py
_version.py
_build_info.py
generated/
*.so
"""

# Packages that the tests' index has, next to the build backends: alpha 1.0 and 1.1, beta, gamma.
DEPENDENCY = "alpha"
ANOTHER_DEPENDENCY = "gamma"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Replaces one text in a file of the repository."""

    path: str
    old: str
    new: str

    def __call__(self, repository: Path) -> None:
        file = repository / self.path
        text = file.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.path} has {text.count(self.old)} times {self.old!r}, not once")
        file.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Writes or replaces a file of the repository."""

    path: str
    text: str

    def __call__(self, repository: Path) -> None:
        write(repository, {self.path: self.text})


Change = Replace | Write

# What most of the layouts have at the top of their pyproject.toml, and its usual changes.
PROJECT = """\
[project]
name = "acme-app"
version = "1.2.0"
dependencies = ["alpha"]
"""
ADD_DEPENDENCY = Replace(path="pyproject.toml", old='["alpha"]', new='["alpha", "gamma"]')
NEXT_VERSION = Replace(path="pyproject.toml", old='"1.2.0"', new='"1.3.0"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A small repository. All paths are relative to its top; `project` is the directory that an environment installs.

    `ignored` are files that git ignores. `facts` is a Python expression that a good install can evaluate after
    `import {module}`. `reads_git`: its version comes from git's tags. `programs` are files with code that takes part in
    the build and may read any file: then `check` cannot know which files count. The other fields are the changes that
    the edits make; None: this layout has no such place.
    """

    name: str
    backend: str
    about: str
    files: Mapping[str, str]
    module: str
    facts: str
    dependency: Change | None
    data: Change | None
    new_module: Change
    packaged_ignored: Change | None = None
    version: Change | None = None
    neighbor: Change = Write(path="../elsewhere/notes.txt", text="changed\n")
    unpackaged: Change = Write(path="NOTES.md", text="# Notes, changed\n")
    project: str = "."
    ignored: Mapping[str, str] = field(default_factory=dict)
    executable: tuple[str, ...] = ()
    compiler: bool = False
    reads_git: bool = False
    programs: tuple[str, ...] = ()

    def missing(self) -> str:
        """Return what this machine lacks to build the layout; empty if nothing."""
        if self.compiler and shutil.which("cc") is None:
            return "a C compiler (`cc`) is missing"
        return "" if shutil.which("git") else "git is not installed"

    def write(self, repository: Path) -> None:
        """Write the repository with one commit, which has the tag `v1.2.0`, and then the files that git ignores."""
        write(repository, {".gitignore": GITIGNORE, "NOTES.md": "# Notes\n", **self.files})
        write(repository, {"../elsewhere/notes.txt": "not part of any project\n"})
        for path in self.executable:
            (repository / path).chmod(0o755)
        git(repository, "init", "-q", "-b", "main")
        commit(repository)
        git(repository, "tag", "v1.2.0")
        write(repository, self.ignored)


def write(directory: Path, files: Mapping[str, str]) -> None:
    """Write text files; a path may begin with `../`."""
    for path, text in files.items():
        file = Path(os.path.normpath(directory / path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def commit(repository: Path) -> None:
    """Commit every file that git does not ignore."""
    git(repository, "add", "--all")
    git(repository, "commit", "-q", "--allow-empty", "-m", "a change")


def git(repository: Path, *arguments: str) -> str:
    """Run git without the settings of this user, at a fixed time; return what it prints."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_NAME": "a" for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": "a@example.org" for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_DATE": "2026-11-02T09:00:00Z" for role in ("AUTHOR", "COMMITTER")},
    }
    done = subprocess.run(["git", *arguments], cwd=repository, env=env, check=True, capture_output=True, text=True)
    return done.stdout
