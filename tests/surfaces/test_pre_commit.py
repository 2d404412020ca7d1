"""Run the hooks with the real pre-commit: it clones the project, installs it, and runs the hooks in a repository.

`pre-commit try-repo` does the same, but installs the project again for each run. This test needs the package index, as
the installation of the tests does.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.every_case import takes_longer
from tests.repository import NO_USER_CONFIGURATION, git

PRE_COMMIT = Path(sys.executable).parent / "pre-commit"
TOP = Path(__file__).parent.parent.parent
PAGE = TOP / "docs/ci.md"
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "reconciler", ".pre-commit-hooks.yaml")
MANIFEST = """\
version: 1
project: acme
environments: {web: {python: ">=3.11", packages: [flask], requirements: [deps/base]}}
"""


def a_clone(directory: Path) -> Path:
    """Commit the files that installing the project needs, as they currently are, to a new repository."""
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


@takes_longer
def test_the_hooks_find_a_wrong_manifest_and_a_missing_lock(tmp_path: Path) -> None:
    project = a_clone(tmp_path / "project")
    team = tmp_path / "team"
    team.mkdir()
    git(team, "init", "--quiet")
    (team / "deps").mkdir()
    (team / "deps/base").write_text("gunicorn\n")
    (team / "envs.yaml").write_text(MANIFEST)
    git(team, "add", "--all")
    config = tmp_path / "config.yaml"
    shown = re.search(r"```yaml\n(# \.pre-commit-config\.yaml\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    ours = re.sub(r"(?<=repo: )https://\S+", str(project), shown[1])
    config.write_text(re.sub(r"(?<=rev: )v\S+", git(project, "rev-parse", "HEAD"), ours))

    def pre_commit(stage: str, *files: str) -> tuple[int, str]:
        cache = {"PRE_COMMIT_HOME": str(tmp_path / "cache"), "PIP_NO_COMPILE": "1"}
        chosen = ["--files", *files] if files else ["--all-files"]
        done = subprocess.run(
            [PRE_COMMIT, "run", "--config", config, *chosen, "--hook-stage", stage, "--color=never", "--verbose"],
            cwd=team,
            env={**os.environ, **NO_USER_CONFIGURATION, **cache},
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        return done.returncode, done.stdout + done.stderr

    code, printed = pre_commit("pre-commit")
    assert code == 0, printed
    assert "envs.yaml: 1 environment, no errors" in printed
    assert "lock --check" not in printed, "`lock --check` is for pre-push"
    code, printed = pre_commit("pre-push")
    assert code == 1, printed
    assert "web: pylock.web.toml is missing" in printed
    (team / "deps/base").write_text("gunicorn ===\n")
    code, printed = pre_commit("pre-commit", "deps/base")
    assert code == 1, printed
    assert "deps/base:1" in printed
    git(team, "rm", "--quiet", "--force", "deps/base")
    code, printed = pre_commit("pre-commit", "envs.yaml")
    assert code == 1, printed
    assert "deps/base" in printed
    (team / "envs.yaml").write_text(MANIFEST.replace("packages", "package"))
    code, printed = pre_commit("pre-commit")
    assert code == 1, printed
    assert "did you mean `packages`?" in printed
