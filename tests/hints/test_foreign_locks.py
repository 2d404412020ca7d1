"""Hints about locks of other tools that an environment takes its packages from."""

import hashlib

from reconciler.lock.foreign_lock import source_text
from reconciler.manifest.desired import LockSource
from reconciler.manifest.reach import reach_of
from tests.functional.projects import write_project
from tests.hints.trials import Attempts, trial
from tests.host import Host

FORMAT = '[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\n'


def poetry_lock(host: Host, text: str = "", *, end: str = FORMAT) -> None:
    (host.directory / "poetry.lock").write_text(text + end, encoding="utf-8")


def package(host: Host, name: str, version: str, *, hashed: str = "") -> str:
    wheel = host.index.directory / f"{name}-{version}-py3-none-any.whl"
    sha256 = hashed or hashlib.sha256(wheel.read_bytes()).hexdigest()
    head = f'[[package]]\nname = "{name}"\nversion = "{version}"\ngroups = ["main", "dev"]\n'
    return f'{head}files = [{{file = "{wheel.name}", hash = "sha256:{sha256}"}}]\n'


def web(host: Host, more: str = "", *, file: str = "poetry.lock", head: str = "") -> None:
    host.manifest(f'web:\n  python: "3.11"\n  lock: {{from: {file}{more}}}\n{head}')


@trial(
    "lock/poetry_lock.py: run `poetry lock` with Poetry 2 or newer, which keeps the versions",
    "lock/pdm_lock.py: run `pdm lock --update-reuse --strategy inherit_metadata`, which keeps the versions",
    "lock/foreign_package.py: correct the {kind}s in the manifest, or make the lock again with its tool",
    "lock/foreign_lock.py: make it again with its tool, or correct the path in the manifest",
    "lock/foreign_lock.py: run the command again",
    "lock/foreign_lock.py: write `name` in the `[project]` table of its pyproject.toml",
    "lock/foreign_lock.py: write the path of a different lock, or remove `lock` and let envsync resolve",
    "lock/foreign_lock.py: write the path of a project of this lock in `project`, or remove `project`",
    "lock/update.py: upgrade that lock with its own tool, then run `envsync lock {names}`",
    "lock/foreign_lock.py: declare the index that the lock was made from in `indexes`; if the file was replaced there, make the lock again",
)
def test_locks_that_cannot_be_used(host: Host, attempts: Attempts) -> None:
    six = next(host.index.directory.glob("*-py3-none-any.whl")).name.split("-")[:2]
    web(host)
    poetry_lock(host, end=FORMAT.replace("2.1", "2.0"))
    attempts.provoke("plan")
    poetry_lock(host)
    attempts.gone("plan")

    poetry_lock(host, package(host, *six, hashed="1" * 64))
    attempts.provoke("plan")
    poetry_lock(host, package(host, *six))
    attempts.gone("plan")

    attempts.provoke("lock", "--upgrade")
    poetry_lock(host)
    attempts.follow()
    attempts.cured()

    poetry_lock(host, package(host, *six))
    web(host, ", groups: [test]")
    attempts.provoke("plan")
    web(host, ", groups: [dev]")
    attempts.gone("plan")

    web(host)
    poetry_lock(host, "= 1\n")
    attempts.provoke("plan")
    poetry_lock(host)
    attempts.gone("plan")

    (host.directory / "pdm.lock").write_text("[metadata]\nstrategy = []\n")
    web(host, file="pdm.lock")
    attempts.provoke("plan")
    (host.directory / "pdm.lock").write_text('[metadata]\nstrategy = ["inherit_metadata"]\n')
    attempts.gone("plan")

    (host.directory / "locks").mkdir(exist_ok=True)
    (host.directory / "locks" / "pylock.web.toml").write_text('lock-version = "1.0"\ncreated-by = "x"\npackages = []\n')
    web(host, file="locks/pylock.web.toml")
    attempts.provoke("plan")
    web(host)
    attempts.gone("plan")

    app = host.directory / "app"
    write_project(app, "app")
    (app / "pyproject.toml").write_text((app / "pyproject.toml").read_text().partition("[project]")[0])
    web(host, head="  project: {path: app}\n")
    attempts.provoke("plan")
    write_project(app, "app")
    attempts.gone("plan")

    write_project(host.directory / "other", "app")
    lock = '[[package]]\nname = "app"\nversion = "1.0"\nsource = { editable = "." }\n'
    (app / "uv.lock").write_text(f'version = 1\nrequires-python = ">=3.11"\n{lock}')
    web(host, file="app/uv.lock", head="  project: {path: other}\n")
    attempts.provoke("plan")
    web(host, file="app/uv.lock", head="  project: {path: app}\n")
    attempts.gone("plan")

    web(host)
    path = host.directory / "poetry.lock"
    before = LockSource(path=path, relative=path.name, tool="poetry", sha256="0" * 64)
    # A change between two reads in one process.
    attempts.refused(lambda: source_text(before, reach_of(before.path.parent)))
    attempts.gone("plan")
