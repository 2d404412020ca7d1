"""One round in a root: eight applies, a raw pip, reading commands and the death of the lock's holder, all at once."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from uv import find_uv_bin

from reconciler.state.layout import Layout
from tests.faults.crowd import Crowd, Member
from tests.faults.round_script import NEW, OLD, Hand, Script
from tests.host import Host, base_environment
from tests.interpreters import interpreters

HANGS_AFTER_SECONDS = 150.0  # an apply waits for the lock for 60, and builds
_POLL_SECONDS = 0.01


class Round:
    """Runs one script; `hung`, `killed` and the crowd's members are what it came to."""

    def __init__(self, host: Host, script: Script) -> None:
        self.host, self.script = host, script
        self.hung: list[str] = []
        self.killed: Member | None = None
        self.crowd = Crowd(cwd=host.directory, env=base_environment(), talk=host.directory.parent / "talk")

    def prepare(self) -> None:
        """Write both manifests; the old one is in force, and applied unless the round begins from nothing."""
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
        """Start everything in its time, kill the holder in its, and wait until all has ended."""
        script = self.script
        due: list[tuple[float, Callable[[], object]]] = []
        for each in (*script.applies, *script.readers):
            argv = [sys.executable, "-m", "reconciler", *each.arguments, "-f", each.manifest]
            role = " ".join(("envsync", *argv[3:]))
            due.append((each.at, partial(self.crowd.start, role, argv)))
        if script.hand is not None:
            due.append((script.hand_at, partial(self._raw_pip, script.hand)))
        if not script.two_files:
            due.append((script.rewritten_at, partial(self._put_in_force, "new.yaml")))
        due.append((script.kill_at, self._kill_holder))
        begun = time.monotonic()
        for at, act in sorted(due, key=lambda each: each[0]):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            act()
        self.hung = self.crowd.hung(until=begun + HANGS_AFTER_SECONDS)
        self._put_in_force("new.yaml")

    def _raw_pip(self, hand: Hand) -> None:
        """Change the published `web` as somebody would who does not know of envsync; how it ends is his affair."""
        env = self.host.venv("web")
        index = ("--index-url", self.host.index.url) if hand.arguments[0] == "install" else ()
        if hand.tool == "pip":
            yes = ("-y",) if hand.arguments[0] == "uninstall" else ()
            argv = [sys.executable, "-m", "pip", "--python", str(env), "--no-input", "--disable-pip-version-check"]
            self.crowd.start("raw pip", [*argv, *hand.arguments, *yes, *index], PYTHONPATH="")
        else:
            where = ("--no-config", "--no-cache", "-p", str(env))
            self.crowd.start("raw uv pip", [find_uv_bin(), "pip", *hand.arguments, *where, *index], PYTHONPATH="")

    def _kill_holder(self) -> None:
        """Kill the apply that holds the root's lock, as soon as one does; none may be left to."""
        applies = {each.pid: each for each in self.crowd.members if " apply " in each.role}
        holder = Layout(self.host.root).holder
        while any(each.running for each in applies.values()):
            try:
                pid = int(json.loads(holder.read_bytes())["pid"])
            except FileNotFoundError:  # nobody at this moment
                time.sleep(_POLL_SECONDS)
                continue
            if pid in applies and applies[pid].running:
                os.kill(pid, signal.SIGKILL)
                self.killed = applies[pid]
                return
            time.sleep(_POLL_SECONDS)

    def _put_in_force(self, manifest: str) -> None:
        """Replace `envs.yaml`, as git does: whoever reads it has the old text or the new."""
        beside = self.host.directory / "envs.yaml.new"
        shutil.copyfile(self.host.directory / manifest, beside)
        beside.replace(self.host.directory / "envs.yaml")

    def _entry(self, name: str, packages: tuple[str, ...]) -> list[str]:
        series = min(each for each in interpreters() if each in {"3.11", "3.12", "3.13"})
        wanted = ", ".join(packages)
        keep = self.script.keep_generations
        return [f"{name}:", f'  python: "{series}"', f"  packages: [{wanted}]", f"  keep_generations: {keep}"]


def names_on_disk(root: Path) -> list[str]:
    """Return the environments that stand at their paths, sorted."""
    return sorted(each.name for each in root.iterdir() if each.is_symlink())
