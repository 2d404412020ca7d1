"""The pre-commit hooks, by the real pre-commit: it clones the project, installs it, and runs them in a repository.

It is what `pre-commit try-repo` does, but that one would install it anew for each run. It needs the package index, as
the installation of the tests did.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.repository import NOBODY, git

PRE_COMMIT = Path(sys.executable).parent / "pre-commit"
TOP = Path(__file__).parent.parent.parent
PAGE = TOP / "docs/ci.md"
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "reconciler", ".pre-commit-hooks.yaml")
MANIFEST = 'version: 1\nproject: acme\nenvironments: {web: {python: ">=3.11", packages: [flask]}}\n'


def a_clone(directory: Path) -> Path:
    """Commit what is needed to install the project, as it stands, to a repository of its own."""
    directory.mkdir()
    for name in NEEDED:
        if (TOP / name).is_dir():
            shutil.copytree(TOP / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(TOP / name, directory / name)
    git(directory, "init", "--quiet")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "all")
    return directory


def test_the_hooks_find_a_wrong_manifest_and_a_missing_lock(tmp_path: Path) -> None:
    project = a_clone(tmp_path / "project")
    team = tmp_path / "team"
    team.mkdir()
    git(team, "init", "--quiet")
    (team / "envs.yaml").write_text(MANIFEST)
    git(team, "add", "--all")
    config = tmp_path / "config.yaml"
    shown = re.search(r"```yaml\n(# \.pre-commit-config\.yaml\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    ours = re.sub("https://[^ ]+", str(project), shown[1])
    config.write_text(re.sub("(?<=rev: )[0-9a-f]{40}", git(project, "rev-parse", "HEAD"), ours))

    def pre_commit(stage: str) -> tuple[int, str]:
        done = subprocess.run(
            [PRE_COMMIT, "run", "--config", config, "--all-files", "--hook-stage", stage, "--color=never", "--verbose"],
            cwd=team,
            env={**os.environ, **NOBODY, "PRE_COMMIT_HOME": str(tmp_path / "cache"), "PIP_NO_COMPILE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        return done.returncode, done.stdout + done.stderr

    code, said = pre_commit("pre-commit")
    assert code == 0, said
    assert "envs.yaml: 1 environment, no errors" in said
    assert "lock --check" not in said, "that one is for pre-push"
    code, said = pre_commit("pre-push")
    assert code == 1, said
    assert "web: pylock.web.toml is missing" in said
    (team / "envs.yaml").write_text(MANIFEST.replace("packages", "package"))
    code, said = pre_commit("pre-commit")
    assert code == 1, said
    assert "did you mean `packages`?" in said
