"""A job runs nothing of its checkout: the real steps install and run envsync in a repository full of canaries.

The tests that install need the package index, as the installation of the tests does.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.every_case import EVERY_CASE
from tests.host import Host, base_environment
from tests.repository import change_on_branch, commit, git, shell
from tests.surfaces.action import TOP, run_action
from tests.surfaces.hostile_checkout import HostileCheckout, fill
from tests.surfaces.pull_request import PullRequest

OF_THE_RUNNER = {
    name: os.environ[name] for name in ("PIP_CERT", "PIP_CACHE_DIR", "PIP_INDEX_URL") if name in os.environ
}


@pytest.fixture
def hostile(host: Host, tmp_path: Path) -> HostileCheckout:
    """Return the checkout of a pull request that upgrades alpha, and has canaries in every place."""
    change_on_branch(host)
    filled = fill(host.directory, tmp_path / "executed")
    git(host.directory, "add", "--all", "--force")
    commit(host, "canaries")
    git(host.directory, "update-ref", "refs/remotes/origin/main", "main")
    return filled


def test_the_canaries_would_be_executed(hostile: HostileCheckout) -> None:
    """Without -I, Python imports from the current directory first. This shows that the canaries can be seen."""
    environment = {name: value for name, value in base_environment().items() if name != "PYTHONPATH"}
    for started in ("-m venv --without-pip ../new", "-m pip --version", "-m reconciler --version", "-c 'import json'"):
        command = [sys.executable, *shlex.split(started)]
        subprocess.run(command, cwd=hostile.directory, env=environment, check=False, capture_output=True)
        assert hostile.executed(), started
        hostile.marks.unlink()
    isolated = [sys.executable, "-I", "-c", "import json"]
    subprocess.run(isolated, cwd=hostile.directory, env={**environment, **hostile.variables()}, check=True)
    assert not hostile.executed()


@pytest.mark.parametrize("variables", [False, True], ids=["plain", "with variables that name the checkout"])
def test_the_steps_of_a_pull_request_execute_nothing_of_it(
    host: Host, hostile: HostileCheckout, pull_request: PullRequest, tmp_path: Path, variables: bool
) -> None:
    step = run_action(
        host,
        tmp_path,
        {"command": "plan"},
        pull_request=pull_request,
        base="main",
        env=hostile.variables() if variables else {},
    )
    assert step.ran.code == 0, step.ran.err
    assert hostile.executed() == set()
    [comment] = pull_request.comments
    assert "alpha" in comment["body"]


def test_the_action_is_installed_from_its_own_files_only(
    host: Host, hostile: HostileCheckout, pull_request: PullRequest, tmp_path: Path
) -> None:
    env = {**hostile.variables(), **OF_THE_RUNNER}
    step = run_action(
        host, tmp_path, {"command": "plan"}, pull_request=pull_request, base="main", env=env, install=True
    )
    assert step.ran.code == 0, step.ran.err
    assert hostile.executed() == set()
    assert "alpha" in step.summary
    python = tmp_path / "runner/envsync/bin/python"
    where = "import reconciler, sys; print(reconciler.__file__, *sys.path, sep='\\n')"
    done = subprocess.run([python, "-I", "-c", where], capture_output=True, text=True, check=True)
    assert str(host.directory) not in done.stdout
    assert done.stdout.startswith(str(python.parent.parent)), "envsync was not copied into the new environment"
    checked = subprocess.run([python, "-I", "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_a_merge_request_executes_nothing_of_it_in_gitlab(host: Host, hostile: HostileCheckout, tmp_path: Path) -> None:
    """The template's lines as they are, with a clone of this repository in the place of the published one.

    The short form does not install envsync again: the test above does so with the same script, for the GitHub action.
    """
    source = tmp_path / "source"
    shutil.copytree(TOP / "reconciler", source / "reconciler", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOP / ".github", source / ".github")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(TOP / name, source / name)
    git(source, "init", "--quiet")
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", "all")
    outside = tmp_path / "a file of the user"
    outside.write_text("unchanged")
    (host.directory / "envsync-quality.json").symlink_to(outside)
    template = yaml.safe_load((TOP / "docs/gitlab-ci.yml").read_text(encoding="utf-8"))
    lines = [*template[".envsync"]["before_script"], *template["envsync-plan"]["script"]]
    [install] = [each for each in lines if "install.sh" in each]
    if not EVERY_CASE:
        lines[lines.index(install)] = f'ln -s {shlex.quote(sys.prefix)} "$place/venv"'
    given = {
        **{name: str(value) for name, value in template["variables"].items()},
        "ENVSYNC_REPOSITORY": str(source),
        "ENVSYNC_COMMIT": git(source, "rev-parse", "HEAD"),
        "CI_PROJECT_DIR": str(host.directory),
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(host.directory, "rev-parse", "main"),
    }
    done = shell(host, "\n".join(lines), {**hostile.variables(), **OF_THE_RUNNER, **given})
    assert done.code == 0, done.err
    assert "alpha" in done.out
    assert hostile.executed() == set()
    assert outside.read_text() == "unchanged"
    assert "alpha" in (host.directory / "envsync-quality.json").read_text()
