"""A host for functional tests: a directory with a manifest, a local index, and the real `envsync` command."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import reconciler
from reconciler.exit_codes import BY_COMMAND
from tests.index import ServedIndex, copied_settings, serve_index
from tests.preloaded import needs_new_interpreter, run_preloaded
from tests.wheels import make_wheel

# Options of `apply` that `check` does not have.
OF_APPLY = frozenset({"--adopt", "--allow-empty", "--drop-ignored", "--offline", "--skip-hooks"})


@dataclass(frozen=True, kw_only=True)
class Ran:
    """The result of a command: its exit code, standard output and standard error."""

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
    """A directory with `envs.yaml`; `envsync(...)` runs a command in it. `env` are further variables."""

    directory: Path
    index: ServedIndex
    env: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.directory / ".envs"

    def manifest(self, environments: str, *, head: str = "", local_index: bool = True) -> None:
        """Write `envs.yaml` with the local index; `environments` is the text below `environments:`, not indented."""
        body = "".join(f"  {line}\n" if line else "\n" for line in environments.strip("\n").splitlines())
        indexes = f"indexes:\n  - name: local\n    url: {self.index.url}\n" if local_index else ""
        (self.directory / "envs.yaml").write_text(
            f"version: 1\nproject: acme\n{indexes}{head}environments:{body and chr(10)}{body or ' {}' + chr(10)}",
            encoding="utf-8",
        )

    def envsync(self, *arguments: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> Ran:
        """Run the real command in the directory, with few environment variables."""
        variables = {**base_environment(), **self.env, **(env or {})}
        if not needs_new_interpreter(arguments, variables, base_environment()):
            code, out, err = run_preloaded(arguments, cwd=self.directory, env=variables, stdin=stdin or "")
            assert "\nTraceback" not in "\n" + err, err  # the traceback of a child is indented
            assert is_documented(code, arguments), (code, arguments, err)
            return Ran(code=code, out=out, err=err)
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=self.directory,
            env=variables,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert "\nTraceback" not in "\n" + done.stderr, done.stderr  # the traceback of a child is indented
        assert is_documented(done.returncode, arguments), (done.returncode, arguments, done.stderr)
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    def apply(self, *arguments: str) -> Ran:
        """Apply, and assert that it succeeds, that the plan is then empty, and that `check` then exits with 0."""
        ran = self.envsync("apply", "--yes", *arguments)
        assert ran.code == 0, ran.out + ran.err
        assert self._nothing_is_left_to_do(*[each for each in arguments if each != "--adopt"]), (
            "plan after apply is not empty:\n" + self.envsync("plan", "--depth", "hashes").out
        )
        checked = self.envsync("check", *[each for each in arguments if each not in OF_APPLY])
        assert checked.code == 0, "an apply that exits with 0 left a difference:\n" + checked.out
        return ran

    def _nothing_is_left_to_do(self, *arguments: str) -> bool:
        """Return whether the plan is empty, without the fast path; if possible it is made in this process."""
        if arguments or "XDG_STATE_HOME" in self.env:  # this process has the key of the test run
            return self.envsync("plan", "--detailed-exitcode", "--output", "json", *arguments).code == 0
        workspace = reconciler.load(self.directory / "envs.yaml", ambient={**base_environment(), **self.env})
        return not workspace.plan().plan.has_difference

    def check(self, *arguments: str) -> dict[str, Any]:
        """Return the JSON of `check`, and assert that the exit code agrees with it."""
        ran = self.envsync("check", "--output", "json", *arguments)
        assert ran.code in {0, 2}, ran.err
        found = ran.json()
        changes = [each for each in found["environments"] if each["action"] != "no-op" or each["blocked"]]
        assert (ran.code == 2) == bool(changes)
        return found

    def environment(self, name: str, *arguments: str) -> dict[str, Any]:
        """Return one environment of the JSON of `check`."""
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


def isolated_envsync() -> list[str]:
    """Return the command that starts this checkout's `envsync` as its script does, without this shell's paths."""
    checkout = str(Path(__file__).parent.parent)
    program = f"import sys; sys.path.insert(0, {checkout!r}); from reconciler.cli import main; main()"
    return [sys.executable, "-I", "-c", program]


def base_environment() -> dict[str, str]:
    """Return the variables for a child, without the PIP_*, UV_*, PYTHON* and virtual environment of the test run."""
    kept = ("HOME", "PATH", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYENV_ROOT", "USER", "XDG_STATE_HOME")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {**found, "PYTHONPATH": str(Path(__file__).parent.parent)}  # bytecode is kept: a command starts faster


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


@contextmanager
def put_back(host: Host) -> Iterator[Host]:
    """Yield a host that several tests use; afterwards everything next to it, its index and its variables are as before.

    The files are copies with other inodes, so envsync finds nothing of what it remembers about the old ones.
    """
    top = host.directory.parent
    saved = top.with_name(f"{top.name}.saved")
    index, env = copied_settings(host.index), dict(host.env)
    subprocess.run(["cp", "-a", top, saved], check=True)  # unlike copytree, it keeps hard links
    try:
        yield host
    finally:
        shutil.rmtree(top)
        saved.rename(top)
        host.env = env
        for name, value in index.items():
            setattr(host.index, name, value)
