"""Hints about a root that another user may have written, and `envsync trust`."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.hints.trials import Attempts, trial
from tests.host import Host
from tests.lock.workbench import git_environment

WEB = 'web:\n  python: "3.11"\n'


def prepare(host: Host, environments: str = "") -> None:
    """Apply on a host whose user has a key of its own, so that nothing is remembered for the user of the tests."""
    host.env["XDG_STATE_HOME"] = str(host.directory.parent / "state")
    host.manifest(environments)
    ran = host.envsync("apply", "--yes")
    assert ran.code == 0, ran.out + ran.err


def git(directory: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=directory, env=git_environment(), capture_output=True, check=True)


def do(directory: Path, hint: str) -> None:
    """Run the first command of a hint."""
    command = shlex.split(re.findall(r"`([^`]+)`", hint)[0])
    subprocess.run(command, cwd=directory, env=git_environment(), capture_output=True, check=True)


@trial(
    "state/root_trust.py: run the command as its owner (`sudo -u {} envsync ...`), or run `envsync trust` once to read it, and to run programs from it, as this user",
    "state/root_mutex.py: run the command as its owner (`sudo -u {theirs} envsync ...`), or change the owner: `chown -R {ours} {root}`",
)
def test_a_root_of_another_user(host: Host, attempts: Attempts) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory to a different user")
    prepare(host, WEB)
    subprocess.run(["chown", "-R", "1:1", host.root], check=True)
    attempts.provoke("plan")
    attempts.follow()
    attempts.gone("plan")
    assert host.envsync("run", "web", "python", "-c", "").code == 0
    hint = attempts.provoke("apply", "--yes")
    subprocess.run(shlex.split(hint.split("`")[3]), cwd=host.directory, check=True)
    attempts.gone("apply", "--yes")


@trial(
    "state/root_trust.py: run `chmod {} {}`",
    "state/root_trust.py: run `chmod {} {}`, or `envsync trust --group` if the group shares the root on purpose",
)
def test_a_root_that_others_may_write_to(host: Host, attempts: Attempts) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory to any group")
    prepare(host)
    os.chown(host.root, -1, 12345)
    host.root.chmod(0o777)
    do(host.directory, attempts.provoke("plan"))
    attempts.cured()
    do(host.directory, attempts.provoke("plan"))
    attempts.gone("plan")
    host.root.chmod(0o775)
    assert host.envsync("plan").code == 1
    attempts.follow()
    attempts.gone("plan")
    attempts.gone("apply", "--yes")


@trial(
    "state/root_trust.py: if you restored, moved or copied it, or an older envsync made it, run `envsync trust`; otherwise delete it, then run `envsync apply`"
)
def test_a_root_that_was_made_elsewhere(host: Host, attempts: Attempts) -> None:
    prepare(host, WEB)
    shutil.copytree(host.root, host.directory / "copy", symlinks=True)
    host.manifest(WEB, head="root: copy\n")
    attempts.provoke("plan")
    shutil.rmtree(host.directory / "copy")
    attempts.follow_only("apply")
    attempts.gone("plan", "--detailed-exitcode")
    (host.directory / "copy").rename(host.directory / "moved")
    host.manifest(WEB, head="root: moved\n")
    attempts.again("state/root_trust.py: if")
    attempts.provoke("plan")
    attempts.follow_only("trust")
    attempts.gone("plan")
    attempts.gone("apply", "--yes")
    assert host.envsync("check").code == 0


@trial(
    "state/root_trust.py: run `git rm -r --cached {}` in the repository, delete `{}`, then run `envsync apply`",
    "state/root_trust.py: delete `{}`, and run `git rm --cached {}` in the repository",
)
def test_what_git_tracks(host: Host, attempts: Attempts) -> None:
    prepare(host, WEB)
    git(host.directory, "init", "-q")
    git(host.directory, "add", "--force", ".envs")
    hint = attempts.provoke("plan")
    do(host.directory, hint)
    shutil.rmtree(hint.split("`")[3])
    attempts.follow()
    attempts.gone("plan", "--detailed-exitcode")

    state = Path(host.env["XDG_STATE_HOME"])
    git(state, "init", "-q")
    git(state, "add", "-A")
    hint = attempts.provoke("plan")
    Path(hint.split("`")[1]).unlink()
    git(state, *shlex.split(hint.split("`")[3])[1:])
    assert host.envsync("trust", "--yes").code == 0
    attempts.gone("plan")


@trial(
    "state/root_trust.py: set `XDG_STATE_HOME` to a directory that only this user may write to",
    "state/root_trust.py: run `envsync trust` after you deleted it: a new one is made",
)
def test_the_key_of_the_user(host: Host, attempts: Attempts) -> None:
    host.manifest("")
    host.env["XDG_STATE_HOME"] = str(host.directory / "envs.yaml")
    attempts.provoke("apply", "--yes")
    host.env["XDG_STATE_HOME"] = str(host.directory / "state")
    attempts.gone("apply", "--yes")

    key = host.directory / "state/envsync/key"
    key.chmod(0o644)
    shutil.rmtree(host.root)
    attempts.provoke("apply", "--yes")
    key.unlink()
    attempts.follow()
    attempts.gone("apply", "--yes")


@trial(
    "maintenance.py: run `envsync apply`, which makes it",
    "cli/confirmation.py: add `--yes` to {purpose} without confirmation",
)
def test_trust(host: Host, attempts: Attempts) -> None:
    host.manifest("")
    attempts.provoke("trust", "--yes")
    attempts.follow()
    attempts.gone("trust", "--yes")
    attempts.provoke("trust")
    attempts.gone("trust", *attempts.options())
