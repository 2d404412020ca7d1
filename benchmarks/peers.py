"""The command lines of the other tools. uv is offline and its cache warm; all of them are told where to look."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import Fleet, Ground, Pins
from benchmarks.timing import Command


@dataclass(frozen=True, slots=True)
class Uv:
    """uv with one cache; an absolute interpreter each time, no configuration."""

    ground: Ground
    cache: Path

    def _command(self, *arguments: str | Path, says: str = "") -> Command:
        index = ["--default-index", self.ground.index] if self.ground.index and "freeze" not in arguments else []
        index = [] if "venv" in arguments else index
        fixed = ("--no-config", "--no-progress", "--color", "never", "--offline", "--cache-dir", str(self.cache))
        return Command(argv=(str(self.ground.tools.uv), *fixed, *map(str, arguments), *index), says=says)

    def freeze(self, python: Path) -> Command:
        """`uv pip freeze`."""
        return self._command("pip", "freeze", "-p", python, says="==")

    def nothing_to_do(self, python: Path, requirements: Path) -> Command:
        """`uv pip sync --dry-run`, which must find nothing to do."""
        return self._command(*_SYNC, "--dry-run", "-p", python, requirements, says="Would make no changes")

    def one_change(self, python: Path, requirements: Path) -> Command:
        """`uv pip sync --dry-run`, which must find one package to exchange."""
        return self._command(*_SYNC, "--dry-run", "-p", python, requirements, says="Would install 1 package")

    def venv(self, place: Path) -> Command:
        """`uv venv`."""
        return self._command("venv", "--no-project", "-p", self.ground.tools.base, place)

    def sync(self, venv: Path, requirements: Path, *options: str) -> Command:
        """`uv pip sync`, which must install something."""
        return self._command(*_SYNC, *options, "-p", venv / "bin/python", requirements, says="Installed ")

    def compile(self, requirements: Path, output: Path) -> Command:
        """`uv pip compile` to the same kind of lock as envsync's."""
        options = ("--universal", "--generate-hashes", "--format", "pylock.toml", "--preview-features", "pylock")
        return self._command("pip", "compile", *options, "-p", self.ground.tools.base, "-o", output, requirements)


_SYNC = ("pip", "sync", "--preview-features", "pylock")


def pip_freeze(pip: Path, python: Path) -> Command:
    """`pip --python ENV freeze --all`."""
    return Command(argv=(str(pip), "--python", str(python), "freeze", "--all"), says="==")


@dataclass(frozen=True, slots=True)
class Others:
    """An environment as pip-sync and venvs each keep one, of the pins that are measured."""

    pip_sync: Command | None
    venvs: Command | None


def others(ground: Ground, kind: str) -> Others:
    """Make, at the first need, an environment that pip-sync finds in order and one that `venvs converge` made."""
    place = ground.work / "peers" / kind
    place.mkdir(parents=True, exist_ok=True)
    requirements = write_requirements(place / "requirements.txt", ground.sets.sets[kind])
    return Others(_pip_sync(ground, kind, place, requirements), _venvs(ground, kind, place, requirements))


def _pip_sync(ground: Ground, kind: str, place: Path, requirements: Path) -> Command | None:
    if ground.tools.pip_sync is None:
        return None
    venv = place / "venv"
    if not (venv / "pyvenv.cfg").exists():
        uv = Uv(ground, ground.warm_cache(kind))
        ground.do(uv.venv(venv), uv.sync(venv, requirements))
        install = (str(ground.tools.uv), "--system-certs", "--no-config", "pip", "install", "-p")
        ground.do(Command(argv=(*install, str(venv / "bin/python"), "pip")))
    python = str(venv / "bin/python")
    options = ("--dry-run", "--no-config", "--python-executable", python)
    return Command(argv=(str(ground.tools.pip_sync), *options, str(requirements)), says="up-to-date")


def _venvs(ground: Ground, kind: str, place: Path, requirements: Path) -> Command | None:
    if ground.tools.venvs is None:
        return None
    root = place / "venvs"
    root.mkdir(exist_ok=True)
    (root / "virtualenvs.toml").write_text(
        f"[venv.one]\nrequirements = ['{requirements}']\npython = '{ground.tools.base}'\n", encoding="utf-8"
    )
    program = (str(ground.tools.venvs), "converge", "--root", str(root), "--link-dir", str(place))
    cache = (f"UV_CACHE_DIR={ground.warm_cache(kind)}", "UV_SYSTEM_CERTS=1")  # online: it resolves, too
    ground.do(Command(argv=("/usr/bin/env", *cache, *program)))
    ground.do(Command(argv=(*program, "--dry-run")))  # exits 2 where there is anything left to do
    return Command(argv=program)


def write_requirements(path: Path, pins: Pins) -> Path:
    """Write a requirements file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
    return path


def checks(uv: Uv, fleet: Fleet, names: Iterable[str]) -> list[Command]:
    """Return a loop of `uv pip sync --dry-run` over environments, each with its own lock."""
    return [uv.nothing_to_do(fleet.python(name), fleet.pylock(name)) for name in names]
