"""The command lines of the other tools. uv works offline with a warm cache, and each tool gets explicit paths."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import Fleet, Pins, Setup
from benchmarks.timing import Command


@dataclass(frozen=True, slots=True)
class Uv:
    """uv with one cache, without configuration, and with an absolute interpreter for each command."""

    setup: Setup
    cache: Path

    def _command(self, *arguments: str | Path, contains: str = "") -> Command:
        index = ["--default-index", self.setup.index] if self.setup.index and "freeze" not in arguments else []
        index = [] if "venv" in arguments else index
        fixed = ("--no-config", "--no-progress", "--color", "never", "--offline", "--cache-dir", str(self.cache))
        return Command(argv=(str(self.setup.tools.uv), *fixed, *map(str, arguments), *index), contains=contains)

    def freeze(self, python: Path) -> Command:
        """Return `uv pip freeze`."""
        return self._command("pip", "freeze", "-p", python, contains="==")

    def nothing_to_do(self, python: Path, requirements: Path) -> Command:
        """Return `uv pip sync --dry-run`, which must find nothing to do."""
        return self._command(*_SYNC, "--dry-run", "-p", python, requirements, contains="Would make no changes")

    def one_change(self, python: Path, requirements: Path) -> Command:
        """Return `uv pip sync --dry-run`, which must find one package to replace."""
        return self._command(*_SYNC, "--dry-run", "-p", python, requirements, contains="Would install 1 package")

    def venv(self, place: Path) -> Command:
        """Return `uv venv`."""
        return self._command("venv", "--no-project", "-p", self.setup.tools.base, place)

    def sync(self, venv: Path, requirements: Path, *options: str) -> Command:
        """Return `uv pip sync`, which must install something."""
        return self._command(*_SYNC, *options, "-p", venv / "bin/python", requirements, contains="Installed ")

    def compile(self, requirements: Path, output: Path) -> Command:
        """Return `uv pip compile` that writes the same kind of lock as envsync."""
        options = ("--universal", "--generate-hashes", "--format", "pylock.toml", "--preview-features", "pylock")
        return self._command("pip", "compile", *options, "-p", self.setup.tools.base, "-o", output, requirements)


_SYNC = ("pip", "sync", "--preview-features", "pylock")


def pip_freeze(pip: Path, python: Path) -> Command:
    """Return `pip --python ENV freeze --all`."""
    return Command(argv=(str(pip), "--python", str(python), "freeze", "--all"), contains="==")


@dataclass(frozen=True, slots=True)
class Others:
    """The commands of pip-sync and venvs for an environment of the measured pins (None: the tool is not measured)."""

    pip_sync: Command | None
    venvs: Command | None


def others(setup: Setup, kind: str) -> Others:
    """Make, on first use, an environment that pip-sync finds up to date, and one with `venvs converge`."""
    place = setup.work / "peers" / kind
    place.mkdir(parents=True, exist_ok=True)
    requirements = write_requirements(place / "requirements.txt", setup.sets.sets[kind])
    return Others(_pip_sync(setup, kind, place, requirements), _venvs(setup, kind, place, requirements))


def _pip_sync(setup: Setup, kind: str, place: Path, requirements: Path) -> Command | None:
    if setup.tools.pip_sync is None:
        return None
    venv = place / "venv"
    if not (venv / "pyvenv.cfg").exists():
        uv = Uv(setup, setup.warm_cache(kind))
        setup.do(uv.venv(venv), uv.sync(venv, requirements))
        install = (str(setup.tools.uv), "--system-certs", "--no-config", "pip", "install", "-p")
        setup.do(Command(argv=(*install, str(venv / "bin/python"), "pip")))
    python = str(venv / "bin/python")
    options = ("--dry-run", "--no-config", "--python-executable", python)
    return Command(argv=(str(setup.tools.pip_sync), *options, str(requirements)), contains="up-to-date")


def _venvs(setup: Setup, kind: str, place: Path, requirements: Path) -> Command | None:
    if setup.tools.venvs is None:
        return None
    root = place / "venvs"
    root.mkdir(exist_ok=True)
    (root / "virtualenvs.toml").write_text(
        f"[venv.one]\nrequirements = ['{requirements}']\npython = '{setup.tools.base}'\n", encoding="utf-8"
    )
    program = (str(setup.tools.venvs), "converge", "--root", str(root), "--link-dir", str(place))
    cache = (f"UV_CACHE_DIR={setup.warm_cache(kind)}", "UV_SYSTEM_CERTS=1")  # online, because it also resolves
    setup.do(Command(argv=("/usr/bin/env", *cache, *program)))
    setup.do(Command(argv=(*program, "--dry-run")))  # exits 2 if anything is left to do
    return Command(argv=program)


def write_requirements(path: Path, pins: Pins) -> Path:
    """Write a requirements file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
    return path


def checks(uv: Uv, fleet: Fleet, names: Iterable[str]) -> list[Command]:
    """Return `uv pip sync --dry-run` for each environment with its own lock."""
    return [uv.nothing_to_do(fleet.python(name), fleet.pylock(name)) for name in names]
