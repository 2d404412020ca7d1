"""One round in a root: eight applies, a pip, reading commands, and a kill of the process that locks the root."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path

from uv import find_uv_bin

from reconciler.state.layout import Layout
from tests.faults.crowd import Crowd, Member
from tests.faults.round_script import NEW, OLD, PipRun, Script
from tests.host import Host, base_environment
from tests.installed_pythons import interpreters

HANGS_AFTER_SECONDS = 150.0  # an apply waits up to 60 seconds for the root mutex, then builds
_POLL_SECONDS = 0.01


class Round:
    """Runs one script; the results are `hung`, `killed` and the crowd's members."""

    def __init__(self, host: Host, script: Script) -> None:
        self.host, self.script = host, script
        self.hung: list[str] = []
        self.killed: Member | None = None
        self.crowd = Crowd(
            cwd=host.directory, env=base_environment(), output_directory=host.directory.parent / "output"
        )

    def prepare(self) -> None:
        """Write both manifests and apply the old one, unless the round starts without a root."""
        for name, wanted in (("old.yaml", OLD), ("new.yaml", NEW)):
            lines = [line for each, packages in wanted.items() for line in self._entry(each, packages)]
            self.host.manifest("\n".join(lines))
            (self.host.directory / "envs.yaml").replace(self.host.directory / name)
        self._put_in_force("old.yaml")
        if self.script.from_nothing:
            shutil.rmtree(self.host.root, ignore_errors=True)
            shutil.rmtree(self.host.directory / "locks", ignore_errors=True)
        elif not self.host.root.exists():
            self.host.apply()

    def run(self) -> None:
        """Start every process and kill the holder at the scripted times, and wait until all have ended."""
        script = self.script
        due: list[tuple[float, Callable[[], object]]] = []
        for each in (*script.applies, *script.readers):
            argv = [sys.executable, "-m", "reconciler", *each.arguments]
            role = " ".join(("envsync", *each.arguments))
            due.append((each.at, partial(self.crowd.start, role, argv)))
        if script.pip_run is not None:
            due.append((script.pip_run_at, partial(self._run_pip, script.pip_run)))
        turns = cycle(("new.yaml", "old.yaml"))
        due += [(at, partial(self._put_in_force, next(turns))) for at in script.rewritten_at]
        due.append((script.kill_at, self._kill_holder))
        begun = time.monotonic()
        for at, act in sorted(due, key=lambda each: each[0]):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            act()
        self.hung = self.crowd.hung(until=begun + HANGS_AFTER_SECONDS)
        self._put_in_force("new.yaml")

    def _run_pip(self, pip_run: PipRun) -> None:
        """Change the published `web` with pip or uv, as a user does who does not know envsync; it may fail."""
        env = self.host.venv("web")
        index = ("--index-url", self.host.index.url) if pip_run.arguments[0] == "install" else ()
        if pip_run.tool == "pip":
            yes = ("-y",) if pip_run.arguments[0] == "uninstall" else ()
            argv = [sys.executable, "-m", "pip", "--python", str(env), "--no-input", "--disable-pip-version-check"]
            self.crowd.start("pip", [*argv, *pip_run.arguments, *yes, *index], PYTHONPATH="")
        else:
            where = ("--no-config", "--no-cache", "-p", str(env))
            self.crowd.start("uv pip", [find_uv_bin(), "pip", *pip_run.arguments, *where, *index], PYTHONPATH="")

    def _kill_holder(self) -> None:
        """Kill an apply as soon as it holds the root mutex, unless all have ended before."""
        applies = {each.pid: each for each in self.crowd.members if " apply " in each.role}
        holder = Layout(self.host.root).mutex_holder
        while any(each.running for each in applies.values()):
            try:
                pid = int(json.loads(holder.read_bytes())["pid"])
            except FileNotFoundError:  # at this moment no process holds the mutex
                time.sleep(_POLL_SECONDS)
                continue
            if pid in applies and applies[pid].running:
                os.kill(pid, signal.SIGKILL)
                self.killed = applies[pid]
                return
            time.sleep(_POLL_SECONDS)

    def _put_in_force(self, manifest: str) -> None:
        """Replace `envs.yaml` atomically, so that every reader gets the old or the new text."""
        new = self.host.directory / "envs.yaml.new"
        shutil.copyfile(self.host.directory / manifest, new)
        new.replace(self.host.directory / "envs.yaml")

    def _entry(self, name: str, packages: tuple[str, ...]) -> list[str]:
        series = min(each for each in interpreters() if each in {"3.11", "3.12", "3.13"})
        wanted = ", ".join(packages)
        keep = self.script.keep_generations
        return [f"{name}:", f'  python: "{series}"', f"  packages: [{wanted}]", f"  keep_generations: {keep}"]


def names_on_disk(root: Path) -> list[str]:
    """Return the names of the published environments, sorted."""
    return sorted(each.name for each in root.iterdir() if each.is_symlink())
