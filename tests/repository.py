"""A team's git repository with `envs.yaml`, on a host that has the environments; uses the real git."""

import os
import subprocess
import sys
from pathlib import Path

from tests.host import Host, Ran, base_environment

NO_USER_CONFIGURATION = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
SETTINGS = (
    "user.name=ada",
    "user.email=ada@acme.example",
    "init.defaultBranch=main",
    "advice.detachedHead=false",
    "protocol.file.allow=always",
)
WEB = """
web:
  python: ">=3.11"
  packages: [alpha==1.0, gamma]
tools:
  python: ">=3.11"
  packages: [gamma]
"""


def git(directory: Path, *arguments: str) -> str:
    """Run git in a directory, without configuration of the user or the system; return its output."""
    settings = [word for each in SETTINGS for word in ("-c", each)]
    done = subprocess.run(
        ["git", *settings, *arguments],
        cwd=directory,
        env={**base_environment(), **NO_USER_CONFIGURATION},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(host: Host, message: str = "a change") -> str:
    """Commit all files in the host's directory, after `git init` if needed; return the commit."""
    if not (host.directory / ".git").exists():
        git(host.directory, "init", "--quiet")
    git(host.directory, "add", "--all")
    git(host.directory, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(host.directory, "rev-parse", "HEAD")


def committed_on_main(host: Host) -> None:
    """Create the repository, with manifest and locks on `main`."""
    host.manifest(WEB)
    assert host.envsync("lock").code == 0
    commit(host, "web and tools")


def change_on_branch(host: Host, branch: str = "newer-alpha") -> None:
    """Upgrade alpha and update the lock, on a branch."""
    git(host.directory, "switch", "--quiet", "--create", branch)
    edited = (host.directory / "envs.yaml").read_text().replace("alpha==1.0", "alpha==1.1")
    (host.directory / "envs.yaml").write_text(edited)
    assert host.envsync("lock").code == 0
    commit(host, "alpha 1.1")


def merge(host: Host, branch: str = "newer-alpha") -> None:
    """Check out `main` and merge a branch into it."""
    git(host.directory, "switch", "--quiet", "main")
    git(host.directory, "merge", "--quiet", "--no-ff", "--message", f"merge {branch}", branch)


def edit_manually(host: Host, environment: str = "web") -> Path:
    """Edit a module of beta in place; return its path."""
    module = host.site_packages(environment) / "beta.py"
    module.chmod(0o644)
    module.write_text("NAME = 'patched on the host'\n")
    return module


def on_path(host: Host) -> dict[str, str]:
    """Return variables with which a shell finds the envsync and python of this test run."""
    directory = str(Path(sys.executable).parent)
    return {**base_environment(), **host.env, "PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"}


def shell(host: Host, script: str, env: dict[str, str]) -> Ran:
    """Run lines in bash, in the host's directory; the first failure ends them."""
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=host.directory,
        env={**on_path(host), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)
