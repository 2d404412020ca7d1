"""Run the commands that `docs/ci.md` shows: one change on its way from a laptop to a host.

There are three clones of one repository: `laptop` (of a person), `ci` (has no environments) and `host` (has them). A
scene is a list of commands with the prompt of the clone they run in. `python -m tests.walk` runs every scene and writes
its output into the page.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.host import Host, base_environment
from tests.index import ServedIndex, serve_index
from tests.repository import NO_USER_CONFIGURATION, SETTINGS, git
from tests.wheels import make_wheel

PAGE = Path(__file__).parent.parent / "docs/ci.md"
BLOCK = re.compile(r"<!-- walk (?P<scene>[a-z ]+) -->\n```console\n(?P<text>.*?)```\n", re.DOTALL)
CLONES = ("laptop", "ci", "host")
SCENES = {
    "edit": """
        laptop$ git switch --quiet --create newer-flask
        laptop$ sed -i 's/flask==3.0.3/flask>=3.1,<4/' envs.yaml
        laptop$ envsync lock
        laptop$ envsync validate
        laptop$ git commit --quiet --all --message 'web: flask 3.1'
        laptop$ git push --quiet origin newer-flask
    """,
    "pull request": """
        ci$ git fetch --quiet && git switch --quiet newer-flask
        ci$ envsync plan --against origin/main --output markdown
    """,
    "merge": """
        laptop$ git switch --quiet main
        laptop$ git merge --quiet --no-ff --message 'Merge newer-flask' newer-flask
        laptop$ git push --quiet
    """,
    "save": """
        host$ git pull --quiet
        host$ envsync plan --out /tmp/approve.json > /dev/null
        host$ envsync show /tmp/approve.json
    """,
    "apply": """
        host$ envsync apply --plan /tmp/approve.json
        host$ envsync check; echo "exit code $?"
    """,
    "next": """
        laptop$ sed -i 's/gunicorn==23.0.0/gunicorn==23.1.0/' envs.yaml && envsync lock
        laptop$ git commit --quiet --all --message 'web: gunicorn 23.1'
        laptop$ git push --quiet
        host$ git pull --quiet
        host$ envsync plan --out /tmp/approve.json
    """,
    "manual change": """
        host$ uv pip install --quiet --python .envs/web werkzeug==3.0.6
    """,
    "refused": """
        host$ envsync apply --plan /tmp/approve.json; echo "exit code $?"
    """,
    "nightly": """
        host$ envsync check --only drift; echo "exit code $?"
        host$ envsync check --only drift --output github
    """,
    "away": """
        host$ envsync observe --out /tmp/actual.json
        ci$ git switch --quiet main && git pull --quiet
        ci$ envsync check --only drift --actual /tmp/actual.json; echo "exit code $?"
    """,
    "again": """
        host$ envsync plan --out /tmp/approve.json > /dev/null
        host$ envsync apply --plan /tmp/approve.json
        host$ envsync check; echo "exit code $?"
    """,
}
_MANIFEST = """\
version: 1
project: acme
indexes: [{{name: acme, url: "{url}"}}]
environments:
  web:
    python: ">=3.11"
    packages:
      - flask==3.0.3
      - gunicorn==23.0.0
  jobs:
    python: ">=3.11"
    packages: [celery]
"""
_WHEELS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("celery", "5.5.3", ()),
    ("flask", "3.0.3", ("werkzeug>=3.0,<3.1",)),
    ("flask", "3.1.2", ("werkzeug>=3.1",)),
    ("gunicorn", "23.0.0", ()),
    ("gunicorn", "23.1.0", ()),
    ("werkzeug", "3.0.6", ()),
    ("werkzeug", "3.1.3", ()),
)


@dataclass(frozen=True, kw_only=True)
class Clones:
    """The directory that has the three clones, and the package index that all of them use."""

    directory: Path
    index: ServedIndex

    def path(self, clone: str) -> Path:
        return self.directory / clone

    def at(self, clone: str) -> Host:
        return Host(directory=self.path(clone), index=self.index)

    def run(self, clone: str, script: str) -> tuple[int, str]:
        """Run lines of bash in a clone; return the last exit code, and both streams in the order of a terminal."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        own = {"PATH": path, "UV_DEFAULT_INDEX": self.index.url, **_configured()}
        done = subprocess.run(
            ["bash", "-c", script.replace("/tmp/", f"{self.directory}/tmp/")],  # noqa: S108  # the page shows it so
            cwd=self.directory / clone,
            env={**base_environment(), **NO_USER_CONFIGURATION, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        return done.returncode, self._normalized(done.stdout)

    def scene(self, name: str) -> str:
        """Run a scene; return prompts, commands and output like in a terminal."""
        lines = [line.strip().partition("$ ")[::2] for line in SCENES[name].strip().splitlines()]
        shown = ""
        for clone, group in groupby(lines, key=lambda line: line[0]):
            for _, command in group:
                _, output = self.run(clone, command)
                shown += f"{clone}$ {command}\n{output}"
        return shown

    def _normalized(self, text: str) -> str:
        """Return output with paths, versions, counts and times that differ between machines replaced by fixed ones."""
        for clone in CLONES:
            text = text.replace(str(self.directory / clone), "/srv/acme")
        text = text.replace(f"{self.directory}/tmp/", "/tmp/").replace(self.index.base, "https://pypi.acme.example")  # noqa: S108
        text = re.sub(r"python 3\.\d+\.\d+", "python 3.13.9", text)
        text = re.sub(r" in\s+/srv", " in /srv", text)  # a long path wraps to its own line
        text = re.sub(r"\d+ files\)", "37 files)", text)  # the number depends on the Python version
        return re.sub(r"\b\d+(\.\d+)?s \(", "0.4s (", text)


def _configured() -> dict[str, str]:
    pairs = [each.partition("=")[::2] for each in SETTINGS]
    named = {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in enumerate(pairs)}
    valued = {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(pairs)}
    return {"GIT_CONFIG_COUNT": str(len(pairs)), **named, **valued}


def make_clones(directory: Path, index: ServedIndex) -> Clones:
    """Return three clones whose `main` has a manifest and its locks; the host has applied them."""
    for name, version, requires in _WHEELS:
        make_wheel(index.directory, name, version, requires=requires)
    clones = Clones(directory=directory, index=index)
    (directory / "tmp").mkdir()
    git(directory, "init", "--quiet", "--bare", "origin")
    git(directory, "clone", "--quiet", "origin", "laptop")
    (directory / "laptop/envs.yaml").write_text(_MANIFEST.format(url=index.url))
    for clone, script in (
        ("laptop", "envsync lock && git add . && git commit -qm 'web and jobs' && git push -q origin main"),
        (".", "git clone -q origin ci && git clone -q origin host"),
        ("host", "envsync apply --yes"),
    ):
        code, output = clones.run(clone, script)
        assert code == 0, output
    return clones


def with_scenes(page: str, scenes: dict[str, str]) -> str:
    """Return the page with the output of every scene replaced."""
    return BLOCK.sub(lambda found: f"<!-- walk {found['scene']} -->\n```console\n{scenes[found['scene']]}```\n", page)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, serve_index(Path(scratch) / "wheels") as served:
        team = make_clones(Path(scratch), served)
        played = {name: team.scene(name) for name in SCENES}
    if "--print" in sys.argv:
        print("\n".join(f"== {name}\n{text}" for name, text in played.items()))
    else:
        PAGE.write_text(with_scenes(PAGE.read_text(encoding="utf-8"), played), encoding="utf-8")
