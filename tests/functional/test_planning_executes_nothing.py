"""Reading commands execute nothing of a repository or an environment that is full of canaries.

Shown in two ways: no canary left a mark, and strace saw no program of the repository or the environment.
"""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from reconciler.manifest.interpreter_name import is_interpreter_name
from tests.host import Host, base_environment, isolated_envsync

MANIFEST = """
web:
  python: "3.11"
  packages: [alpha==1.0]
  probes: [{import: alpha}]
fresh:
  python: "3.11"
  packages: [gamma]
  project: {path: ., editable: true}
frozen:
  python: "3.11"
  lock: {from: frozen/uv.lock}
  project: {path: frozen}
"""

needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace (Debian: apt-get install strace)"
)


class Aviary:
    """Plants canaries: Python and shell code that leaves a mark when it runs."""

    def __init__(self, marks: Path) -> None:
        self.marks = marks
        marks.mkdir()
        self.count = 0

    def python(self, path: Path) -> None:
        self.count += 1
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = str(self.marks / f"{self.count}{path.name}")
        path.write_text(f"import pathlib; pathlib.Path({mark!r}).write_text('executed')\n")

    def program(self, path: Path) -> None:
        self.count += 1
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch '{self.marks}/{self.count}{path.name}'\necho 'Python 3.11.0'\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def executed(self) -> list[str]:
        return sorted(os.listdir(self.marks))


def plant(host: Host, aviary: Aviary) -> dict[str, str]:
    """Put canaries into environment and repository; return variables that would run them."""
    repository, site = host.directory, host.site_packages("web")
    for name in ("canary.pth", "sitecustomize.py", "usercustomize.py", "alpha/__init__.py"):
        aviary.python(site / name)
    ours = ("setup.py", "backend/canary_backend.py", "conftest.py", "json.py", "yaml.py", "startup.py")
    for name in (*ours, *(f"{at}{each}customize.py" for at in ("", "untrusted/") for each in ("site", "user"))):
        aviary.python(repository / name)
    for name in ("python3", "python3.11", "python", "uv", "git", "hooks/fsmonitor", "askpass"):
        aviary.program(repository / name)
    aviary.program(host.venv("web").resolve() / "bin" / "pip")
    (repository / "pyproject.toml").write_text(
        '[project]\nname = "acme"\ndynamic = ["version", "dependencies"]\n[build-system]\nrequires = []\n'
        'build-backend = "canary_backend"\nbackend-path = ["backend"]\n[tool.uv.pip]\nindex-url = "http://127.0.0.1:9/x"\n'
    )
    frozen = repository / "frozen"
    aviary.python(frozen / "setup.py")
    for name in ("python", "python3", "python3.11"):
        aviary.program(frozen / ".venv" / "bin" / name)
    (frozen / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.0\n")
    (frozen / "pyproject.toml").write_text('[project]\nname = "frozen"\ndynamic = ["version", "dependencies"]\n')
    (frozen / "uv.lock").write_text(
        'version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "frozen"\nsource = { editable = "." }\n'
    )
    (repository / "uv.toml").write_text('index-url = "http://127.0.0.1:9/uv-toml"\n')
    (repository / "pip.conf").write_text("[global]\nindex-url = http://127.0.0.1:9/pip-conf\n")
    (repository / ".python-version").write_text("3.8\n")
    git = repository / ".git"
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "config").write_text(f"[core]\n\tfsmonitor = {repository}/hooks/fsmonitor\n\trepositoryformatversion = 0\n")
    untrusted = str(repository / "untrusted")
    return {
        "PATH": f".:{repository}:{base_environment()['PATH']}",
        "PYTHONPATH": untrusted,
        "PYTHONSTARTUP": str(repository / "startup.py"),
        "PYTHONHOME": untrusted,
        "PYTHONINSPECT": "1",
        "VIRTUAL_ENV": str(host.venv("web")),
        "UV_PYTHON": str(repository / "python3.11"),
        "UV_INDEX_URL": "http://127.0.0.1:9/uv-variable",
        "UV_CONFIG_FILE": str(repository / "uv.toml"),
        "UV_PROJECT_ENVIRONMENT": untrusted,
        "PIP_CONFIG_FILE": str(repository / "pip.conf"),
        "PIP_INDEX_URL": "http://127.0.0.1:9/pip-variable",
        "GIT_ASKPASS": str(repository / "askpass"),
        "GIT_DIR": str(git),
    }


@needs_strace
@pytest.mark.parametrize("command", ["plan", "check", "status", "freeze web", "observe"])
def test_reading_commands_run_nothing_of_the_repository_or_the_environment(
    host: Host, tmp_path: Path, command: str
) -> None:
    host.manifest(MANIFEST.partition("fresh:")[0])
    host.apply()
    aviary = Aviary(tmp_path / "marks")
    untrusted = plant(host, aviary)
    host.manifest(MANIFEST)
    log = tmp_path / "strace.log"
    # -I: envsync itself starts like from its script, without the variables of this shell.
    envsync = [*isolated_envsync(), *command.split()]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=execve", "-o", str(log), *envsync],
        cwd=host.directory,
        env={**base_environment(), **untrusted},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode in {0, 2}, done.stderr
    assert aviary.executed() == []
    started = programs(log)
    assert started, "strace did not even see envsync"
    for program, arguments in started[1:]:
        assert not Path(program).is_relative_to(host.directory), (program, arguments)
        if Path(program).parent.name.startswith("envsync-"):  # what uv gets instead of an interpreter: it adds `-S`
            assert "get_interpreter_info" in arguments, (program, arguments)
        elif Path(program).name != "uv":
            options = ['"-I"', '"-S"', '"-B"']
            assert is_interpreter_name(Path(program).name), (program, arguments)
            assert all(each in arguments for each in options), (program, arguments)
    if command == "plan":
        assert "frozen create: python 3.11" in " ".join(done.stdout.split())
        assert "fresh" in done.stdout
        assert (
            "envsync lock fresh" in done.stdout
        )  # only a build knows the packages: the plan says so, and does not build


def programs(log: Path) -> list[tuple[str, str]]:
    """Return (program, arguments) of every execve that succeeded, in order."""
    found = []
    for line in log.read_text().splitlines():
        match = re.search(r'execve\("(?P<program>[^"]+)", (?P<arguments>\[.*\]), .*\) = 0$', line)
        if match:
            found.append((match["program"], match["arguments"]))
    return found
