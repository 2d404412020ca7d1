"""One change on its way from a laptop to a host, typed as people and CI type it: what `docs/ci.md` prints.

Three clones of one repository: `laptop` (a person's), `ci` (has no environments) and `host` (has them). Each scene is
lines behind the prompt of one of them. `python -m tests.walk` writes the scenes' output into the page anew.
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
from tests.repository import NOBODY, SETTINGS, git
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
    "by hand": """
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
class Country:
    """Where the walk goes: the directory that has the clones, and the index that all of them use."""

    directory: Path
    index: ServedIndex

    def path(self, clone: str) -> Path:
        return self.directory / clone

    def at(self, clone: str) -> Host:
        return Host(directory=self.path(clone), index=self.index)

    def run(self, clone: str, script: str) -> tuple[int, str]:
        """Run lines of bash in a clone; return the last one's exit code, and both streams as a terminal shows them."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-c", script.replace("/tmp/", f"{self.directory}/tmp/")],  # noqa: S108  # the page's, not ours
            cwd=self.directory / clone,
            env={**base_environment(), **NOBODY, "PATH": path, "UV_DEFAULT_INDEX": self.index.url, **_configured()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        return done.returncode, self._anywhere(done.stdout)

    def scene(self, name: str) -> str:
        """Play a scene; return it as its terminals show it."""
        lines = [line.strip().partition("$ ")[::2] for line in SCENES[name].strip().splitlines()]
        shown = ""
        for clone, group in groupby(lines, key=lambda line: line[0]):
            for _, command in group:
                _, said = self.run(clone, command)
                shown += f"{clone}$ {command}\n{said}"
        return shown

    def _anywhere(self, text: str) -> str:
        """Return output with what differs from machine to machine put as on one that could be anybody's."""
        for clone in CLONES:
            text = text.replace(str(self.directory / clone), "/srv/acme")
        text = text.replace(f"{self.directory}/tmp/", "/tmp/").replace(self.index.base, "https://pypi.acme.example")  # noqa: S108
        text = re.sub(r"python 3\.\d+\.\d+", "python 3.13.9", text)
        text = re.sub(r" in\s+/srv", " in /srv", text)  # a long path was put on a line of its own
        text = re.sub(r"\d+ files\)", "37 files)", text)  # of a venv: each Python's has its own
        return re.sub(r"\b\d+(\.\d+)?s \(", "0.4s (", text)


def _configured() -> dict[str, str]:
    pairs = [each.partition("=")[::2] for each in SETTINGS]
    named = {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in enumerate(pairs)}
    valued = {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(pairs)}
    return {"GIT_CONFIG_COUNT": str(len(pairs)), **named, **valued}


def settle(directory: Path, index: ServedIndex) -> Country:
    """Bring three clones to where a team is on any day: on `main` manifest and locks, and the host has applied them."""
    for name, version, requires in _WHEELS:
        make_wheel(index.directory, name, version, requires=requires)
    country = Country(directory=directory, index=index)
    (directory / "tmp").mkdir()
    git(directory, "init", "--quiet", "--bare", "origin")
    git(directory, "clone", "--quiet", "origin", "laptop")
    (directory / "laptop/envs.yaml").write_text(_MANIFEST.format(url=index.url))
    for clone, script in (
        ("laptop", "envsync lock && git add . && git commit -qm 'web and jobs' && git push -q origin main"),
        (".", "git clone -q origin ci && git clone -q origin host"),
        ("host", "envsync apply --yes"),
    ):
        code, said = country.run(clone, script)
        assert code == 0, said
    return country


def written_anew(page: str, scenes: dict[str, str]) -> str:
    """Return the page with every scene's block as it was played."""
    return BLOCK.sub(lambda found: f"<!-- walk {found['scene']} -->\n```console\n{scenes[found['scene']]}```\n", page)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, serve_index(Path(made) / "wheels") as served:
        settled = settle(Path(made), served)
        played = {name: settled.scene(name) for name in SCENES}
    if "--print" in sys.argv:
        print("\n".join(f"== {name}\n{text}" for name, text in played.items()))
    else:
        PAGE.write_text(written_anew(PAGE.read_text(encoding="utf-8"), played), encoding="utf-8")
