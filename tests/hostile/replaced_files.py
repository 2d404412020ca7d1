"""Replaces a file below a root, or one that a manifest names, by something hostile, and runs every command.

The promise: no file outside of the root changes, nothing is executed that was not before, each command ends soon, and
its exit code and message are documented ones.
"""

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from tests.host import Host, base_environment, is_documented
from tests.repository import git

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "plan": ("plan", "--depth", "files"),
    "check": ("check", "--depth", "hashes"),
    "quick check": ("check",),
    "status": ("status",),
    "verify": ("verify", "--generations"),
    "history": ("history",),
    "freeze": ("freeze", "web"),
    "observe": ("observe",),
    "lock": ("lock", "--check"),
    "run": ("run", "web", "--", "python", "-c", "pass"),
    "hold": ("hold", "web", "INC-1"),
    "diff": ("diff", "web", "1", "2"),
    "rollback": ("rollback", "web", "--offline"),
    "gc": ("gc", "--cache"),
    "apply": ("apply", "--yes", "--offline"),
    "destroy": ("destroy", "web", "--yes"),
    "trust": ("trust", "--yes"),
}
LONGEST_SECONDS = 10.0
_MOST_SECONDS = 40.0  # a busy machine is not a fault
_GIANT_BYTES = 1 << 42
_OTHER_USER = 12345
Contents: TypeAlias = dict[str, tuple[int, int, str]]  # the type and mode, mtime, and digest of each path


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One command in one attacked host: what is wrong, empty if the promise holds."""

    attack: str
    path: str
    command: str
    code: int
    seconds: float
    problem: str = ""


@dataclass(kw_only=True)
class AttackedHost:
    """A host that was applied twice, and a copy of it that is restored after every attack; `outside` is not its own."""

    host: Host
    saved: Path
    outside: Path
    canary: Path
    paths: list[str] = field(default_factory=list)
    program: tuple[str, ...] = ("-m", "reconciler")

    @classmethod
    def prepare(cls, host: Host, directory: Path) -> "AttackedHost":
        """Build a host with two environments, a rollback target, requirements, a project, and a git repository."""
        (host.directory / "requirements.txt").write_text("gamma\n", encoding="utf-8")
        (host.directory / "constraints.txt").write_text("beta<3\n", encoding="utf-8")
        host.manifest(
            'web:\n  python: "3.12"\n  packages: [alpha==1.0]\n  constraints: [constraints.txt]\n'
            'job:\n  python: "3.12"\n  requirements: [requirements.txt]\n'
        )
        host.apply()
        host.manifest(
            'web:\n  python: "3.12"\n  packages: [alpha]\n  constraints: [constraints.txt]\n'
            'job:\n  python: "3.12"\n  requirements: [requirements.txt]\n'
        )
        host.apply()
        git(host.directory, "init", "-q")
        git(host.directory, "add", "envs.yaml", "locks", "requirements.txt", "constraints.txt")
        git(host.directory, "commit", "-qm", "first")
        outside = directory / "outside"
        outside.mkdir()
        canary = directory / "executed"
        (outside / "file").write_text("mine\n", encoding="utf-8")
        program = outside / "program"
        program.write_text(f"#!/bin/sh\necho $0 >> {canary}\n", encoding="utf-8")
        program.chmod(0o755)
        (outside / "directory").mkdir()
        (outside / "directory" / "kept").write_text("mine\n", encoding="utf-8")
        saved = directory / "saved"
        _copy(host.directory, saved)
        found = cls(host=host, saved=saved, outside=outside, canary=canary)
        found.paths = sorted(found._walk())
        return found

    def _walk(self) -> Iterator[str]:
        """Yield every path below `.envsync`, and the files that the manifest names, relative to its directory."""
        top = self.host.directory
        yield from ("envs.yaml", "requirements.txt", "constraints.txt", "locks", ".envs", ".envs/web", ".envs/.envsync")
        yield from (str(each.relative_to(top)) for each in (top / "locks").iterdir())
        for directory, names, files in os.walk(top / ".envs/.envsync"):
            yield from (str(Path(directory, name).relative_to(top)) for name in (*names, *files))

    def attack(self, kind: str, path: str, commands: Mapping[str, tuple[str, ...]]) -> Iterator[Outcome]:
        """Replace a path, run commands one after the other, each in the attacked state, and yield what happened."""
        for name, arguments in commands.items():
            self._restore()
            target = self.host.directory / path
            if not os.path.lexists(target):
                return
            ATTACKS[kind](self, target)
            before = contents_of(self.outside)
            began = time.monotonic()
            problem, code = self._run(arguments)
            seconds = time.monotonic() - began
            if not is_unchanged(before, contents_of(self.outside), files_only=path == ".envs" and name == "apply"):
                problem = "a file outside of the root changed"
            elif self.canary.exists() and not may_execute(kind, path, name):
                problem = f"executed: {self.canary.read_text(encoding='utf-8')}"
            self.canary.unlink(missing_ok=True)
            yield Outcome(attack=kind, path=path, command=name, code=code, seconds=seconds, problem=problem)

    def _run(self, arguments: Sequence[str]) -> tuple[str, int]:
        """Run a command; return what is wrong with it, empty if nothing is, and its exit code."""
        with subprocess.Popen(
            [sys.executable, *self.program, *arguments],
            cwd=self.host.directory,
            env={**base_environment(), **self.host.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as child:
            try:
                output, _ = child.communicate(timeout=_MOST_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                return "it does not end", -1
        if "\nTraceback" in f"\n{output}" or not is_documented(child.returncode, arguments):
            return f"exit code {child.returncode}: {output[-1500:]}", child.returncode
        if child.returncode and not output.strip():
            return "it fails without a message", child.returncode
        return "", child.returncode

    def _restore(self) -> None:
        _remove(self.host.directory)
        _copy(self.saved, self.host.directory)


def is_unchanged(before: Contents, after: Contents, *, files_only: bool) -> bool:
    """Return whether nothing changed outside of the root.

    With `files_only`, new files are accepted: if the root is a link that its user made, `apply` builds at its target.
    """
    if files_only:
        return all(after.get(path) == each for path, each in before.items() if stat.S_ISREG(each[0]))
    return before == after


def may_execute(kind: str, path: str, command: str) -> bool:
    """Return whether a command may execute what a file was replaced by: `run` starts what is in the environment.

    A user who can write into an environment as its owner can let it run anything. A commit or another user cannot.
    """
    return command == "run" and "/venv" in path and kind not in {"committed copy", "other owner"}


def contents_of(directory: Path) -> Contents:
    """Return the type and mode, mtime, and contents of everything below a directory."""
    found: Contents = {}
    for path in (directory, *sorted(directory.rglob("*"))):
        status = path.lstat()
        content = sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else ""
        found[str(path)] = (status.st_mode, status.st_mtime_ns, content)
    return found


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", "--", source, target], check=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _link_out(host: AttackedHost, path: Path) -> None:
    is_directory, is_program = path.is_dir(), os.access(path, os.X_OK)
    _remove(path)
    path.symlink_to(host.outside / ("directory" if is_directory else "program" if is_program else "file"))


def _link_to_new(host: AttackedHost, path: Path) -> None:
    _remove(path)
    path.symlink_to(host.outside / "new")


def _program(host: AttackedHost, path: Path) -> None:
    _remove(path)
    shutil.copy(host.outside / "program", path)


def _fifo(_host: AttackedHost, path: Path) -> None:
    _remove(path)
    os.mkfifo(path)


def _device(_host: AttackedHost, path: Path) -> None:
    _remove(path)
    if os.geteuid() == 0:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
    else:
        path.symlink_to("/dev/zero")


def _giant(_host: AttackedHost, path: Path) -> None:
    _remove(path)
    with path.open("wb") as file:
        file.truncate(_GIANT_BYTES)


def _directory(_host: AttackedHost, path: Path) -> None:
    _remove(path)
    path.mkdir()
    (path / "file").write_text("something", encoding="utf-8")


def _other_owner(_host: AttackedHost, path: Path) -> None:
    os.chown(path, _OTHER_USER, _OTHER_USER, follow_symlinks=False)


def _committed_copy(host: AttackedHost, path: Path) -> None:
    git(host.host.directory, "add", "-f", "--", str(path.relative_to(host.host.directory)))
    git(host.host.directory, "commit", "-qm", "copy", "--allow-empty")


def _random_bytes(_host: AttackedHost, path: Path) -> None:
    content = random.Random(str(path)).randbytes(500)  # noqa: S311
    _remove(path)
    path.write_bytes(content)


def _empty(_host: AttackedHost, path: Path) -> None:
    _remove(path)
    path.write_bytes(b"")


def _deep(_host: AttackedHost, path: Path) -> None:
    _remove(path)
    path.write_bytes(b"[" * 200_000)


ATTACKS: Mapping[str, Callable[[AttackedHost, Path], None]] = {
    "link out": _link_out,
    "link to a new file": _link_to_new,
    "program": _program,
    "FIFO": _fifo,
    "device": _device,
    "giant": _giant,
    "directory": _directory,
    "other owner": _other_owner,
    "committed copy": _committed_copy,
    "random bytes": _random_bytes,
    "empty": _empty,
    "deep": _deep,
}
