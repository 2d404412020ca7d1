"""A host for functional tests: a directory with a manifest, a local index, and the real `envsync` command."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import reconciler
from reconciler.exit_codes import BY_COMMAND
from tests.index import ServedIndex, serve_index
from tests.preloaded import run_preloaded, start_afresh
from tests.wheels import make_wheel


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(kw_only=True)
class Host:
    """A directory in which a person keeps `envs.yaml`; `envsync(...)` is what they type."""

    directory: Path
    index: ServedIndex
    env: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.directory / ".envs"

    def manifest(self, environments: str, *, head: str = "", local_index: bool = True) -> None:
        """Write `envs.yaml`: the local index, and `environments` as they stand below `environments:`."""
        body = "".join(f"  {line}\n" if line else "\n" for line in environments.strip("\n").splitlines())
        indexes = f"indexes:\n  - name: local\n    url: {self.index.url}\n" if local_index else ""
        (self.directory / "envs.yaml").write_text(
            f"version: 1\nproject: acme\n{indexes}{head}environments:{body and chr(10)}{body or ' {}' + chr(10)}",
            encoding="utf-8",
        )

    def envsync(self, *arguments: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> Ran:
        """Run the real command in the directory, with a small environment of its own."""
        whole = {**base_environment(), **self.env, **(env or {})}
        # (`run` becomes the program that it starts.)
        if "run" not in arguments and not start_afresh(whole, base_environment()):
            code, out, err = run_preloaded(arguments, cwd=self.directory, env=whole, stdin=stdin or "")
            assert "\nTraceback" not in "\n" + err, err  # a child's own is indented
            assert is_documented(code, arguments), (code, arguments, err)
            return Ran(code=code, out=out, err=err)
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=self.directory,
            env=whole,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert "\nTraceback" not in "\n" + done.stderr, done.stderr  # a child's own is indented
        assert is_documented(done.returncode, arguments), (done.returncode, arguments, done.stderr)
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    def apply(self, *arguments: str) -> Ran:
        """Apply, and hold it to the rule that everything obeys: apply, then plan, is empty."""
        ran = self.envsync("apply", "--yes", *arguments)
        assert ran.code == 0, ran.out + ran.err
        assert self._nothing_is_left_to_do(*[each for each in arguments if each != "--adopt"]), (
            "plan after apply is not empty:\n" + self.envsync("plan", "--depth", "hashes").out
        )
        return ran

    def _nothing_is_left_to_do(self, *arguments: str) -> bool:
        """Plan in full, not by what is remembered; within this process where it may be (a start takes longer)."""
        if arguments:
            return self.envsync("plan", "--detailed-exitcode", "--output", "json", *arguments).code == 0
        workspace = reconciler.load(self.directory / "envs.yaml", ambient={**base_environment(), **self.env})
        return not workspace.plan().plan.has_difference

    def check(self, *arguments: str) -> dict[str, Any]:
        """Check as JSON; the exit code must agree with what it says."""
        ran = self.envsync("check", "--output", "json", *arguments)
        assert ran.code in {0, 2}, ran.err
        found = ran.json()
        changes = [each for each in found["environments"] if each["action"] != "no-op" or each["blocked"]]
        assert (ran.code == 2) == bool(changes)
        return found

    def environment(self, name: str, *arguments: str) -> dict[str, Any]:
        """Return what `check` says of one environment."""
        found = [each for each in self.check(*arguments)["environments"] if each["name"] == name]
        assert len(found) == 1
        return dict(found[0])

    def venv(self, name: str) -> Path:
        return self.root / name

    def site_packages(self, name: str) -> Path:
        return next((self.venv(name) / "lib").glob("python3*")) / "site-packages"

    def freeze(self, name: str) -> list[str]:
        ran = self.envsync("freeze", name)
        assert ran.code == 0, ran.err
        return ran.out.splitlines()


def is_documented(code: int, arguments: Sequence[str]) -> bool:
    """Return whether the table of exit codes lists this code for the command; `run` may exit with any code."""
    command = next((each for each in arguments if each in BY_COMMAND), "run")
    return command == "run" or code in BY_COMMAND[command] or code < 0  # negative: killed by a signal


def base_environment() -> dict[str, str]:
    """Return a child's environment: nothing of the test run's own PIP_*, UV_*, PYTHON* or virtual environment."""
    kept = ("HOME", "PATH", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYENV_ROOT", "USER")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {**found, "PYTHONPATH": str(Path(__file__).parent.parent)}  # and bytecode is kept: a command starts faster


@contextmanager
def new_host(directory: Path) -> Iterator[Host]:
    """Yield a host whose index has a few small packages: alpha 1.0 and 1.1 (which needs beta), beta, gamma."""
    wheels = directory / "wheels"
    wheels.mkdir(parents=True)
    make_wheel(wheels, "alpha", "1.0", requires=["beta"], modules={"alpha/__init__.py": "NAME = 'alpha 1.0'\n"})
    make_wheel(wheels, "alpha", "1.1", requires=["beta"], modules={"alpha/__init__.py": "NAME = 'alpha 1.1'\n"})
    make_wheel(wheels, "beta", "2.0", modules={"beta.py": "NAME = 'beta'\n", "beta_data/x.txt": "text\n"})
    make_wheel(wheels, "gamma", "0.1", modules={"gamma/__init__.py": ""}, scripts={"gamma": "gamma:main"})
    work = directory / "work"
    work.mkdir()
    with serve_index(wheels) as index:
        yield Host(directory=work, index=index)
