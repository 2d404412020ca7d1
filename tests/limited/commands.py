"""Every command of envsync, one after the other on one host, and what is wrong with what it says."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.exit_codes import BY_COMMAND
from tests.host import Host, base_environment
from tests.limited.missing import Missing

_SECONDS = 120
_FIRST = """
web:
  python: ">=3.11"
  packages: [alpha==1.0]
  probes: [{import: alpha}]
job:
  python: ">=3.11"
  packages: [gamma]
"""
_SECOND = """
site:
  python: ">=3.11"
  renamed_from: web
  packages: [alpha==1.1]
"""
# Texts of the system that say nothing about what is missing. Some errors have a common text that is clear.
_BARE = sorted({os.strerror(number) for number in errno.errorcode} - {os.strerror(errno.ENOENT)}, key=len, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A command that was run: its exit code (negative for a signal), and what it printed."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def command(self) -> str:
        return " ".join(("envsync", *self.arguments))

    def wrong(self) -> Iterator[str]:
        """Yield what no command may print, and an exit code that it does not document."""
        text = self.out + self.err
        if "Traceback (most recent call last)" in text:
            yield "a traceback"
        if "do not work on the file system" not in text:
            for line in text.splitlines():
                if any(bare in line for bare in _BARE):
                    yield f"an error of the system without an explanation: {line.strip()}"
        if self.arguments[0] != "run" and self.code not in BY_COMMAND[self.arguments[0]]:
            yield f"an exit code that is not documented: {self.code}"
        if self.code not in {0, 2} and not self.err.strip() and not self.out.strip():
            yield f"exit code {self.code} without a reason"


_CHANGED = _FIRST.replace("==1.0", "==1.1")
_ADOPTING = _SECOND + 'own:\n  python: ">=3.11"\n  packages: []\n'
# The manifest before each group of commands, and the commands.
EVERY_COMMAND: tuple[tuple[str, str], ...] = (
    (
        _FIRST,
        """
        validate; schema manifest; lock; plan; apply --yes; check; check --depth hashes; status; status --size --startup
        freeze web; observe --out snapshot.json; check --actual snapshot.json; verify; verify --generations; history
        history web; run web python -c pass; plan --out saved.plan; show saved.plan
        """,
    ),
    (
        _CHANGED,
        """
        lock; apply --yes; check; diff web 1 2; rollback web; hold web test; release web; apply --stage --yes
        publish web --yes; gc; gc --cache; trust --yes
        """,
    ),
    (_SECOND, "lock; plan; apply --yes --allow-empty; check; rollback job; gc --deleted"),
    (_ADOPTING, "lock; apply --yes --adopt; check; rollback own --to 1; destroy --yes site own; check"),
)
A_FEW_COMMANDS = (
    (_FIRST, "plan; apply --yes; check; status; run web python -c pass"),
    (_CHANGED, "apply --yes; gc; check"),
)


def run_commands(
    host: Host, missing: Missing | None, scratch: Path, groups: Iterable[tuple[str, str]] = EVERY_COMMAND
) -> list[Said]:
    """Run groups of commands on a new host that lacks something; return what each said."""
    said = []
    own_state = {"XDG_STATE_HOME": str(scratch / "state")}  # so that the key of the user is made too
    for manifest, commands in groups:
        host.manifest(manifest)
        if manifest == _ADOPTING:
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", host.venv("own")], check=True)
        for command in filter(None, re.split(r" *[;\n] *", commands)):
            arguments = command.split()
            said.append(run_without(missing, host.directory, arguments, scratch=scratch, env=own_state))
    return said


def run_without(
    missing: Missing | None,
    directory: Path,
    arguments: Sequence[str],
    *,
    scratch: Path,
    env: Mapping[str, str] | None = None,
) -> Said:
    """Run one command of envsync in a directory, on a system that lacks something; `scratch` is for files."""
    prefix: tuple[str, ...] = missing.prefix if missing else ()
    variables: Mapping[str, str] = missing.variables(scratch) if missing else {}
    prepare: Callable[[], None] | None = missing.prepare() if missing else None
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "reconciler", *arguments],
        cwd=directory,
        env={**base_environment(), **variables, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        preexec_fn=prepare,
    )
    return Said(arguments=tuple(arguments), code=done.returncode, out=done.stdout, err=done.stderr)
