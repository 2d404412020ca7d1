"""A uv in the test process: the real engine runs, and its command lines are carried out here instead of by a program.

It creates small venvs, and installs packages whose files the test gives. It can fail with a text that uv prints.
"""

import os
import posixpath
import py_compile
import shlex
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uv

from reconciler.engines.uv import UvEngine
from reconciler.processes.child import Completed
from tests.wheels import record_hash

SITE = "lib/python3.11/site-packages"
PROGRAM = "/usr/bin/uv"
_COMMANDS = ("venv", "pip", "cache")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One command: its options of every run, its arguments, and what it got.

    `document` is the pylock.toml that the command names, and `configuration` the text of its uv.toml.
    """

    options: list[str]
    arguments: list[str]
    environment: Mapping[str, str]
    document: Mapping[str, Any] = field(default_factory=dict)
    configuration: str = ""

    @property
    def command(self) -> str:
        """Return the command without its arguments, such as `pip sync`."""
        return " ".join(self.arguments[: 1 if self.arguments[0] == "venv" else 2])

    def after(self, option: str) -> str:
        """Return the argument after an option."""
        return self.arguments[self.arguments.index(option) + 1]


@dataclass
class FakeUv:
    """Carries out the commands; `packages` are the files in the site-packages directory of each package, by its name.

    `failures` are printed instead of an installation, one for each `pip sync`. `after` is called after each one that
    succeeds, with the venv and the number of times that `pip sync` ran.
    """

    packages: dict[str, dict[str, bytes]]
    calls: list[Call] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    after: Callable[[Path, int], object] = lambda *_: None

    def engine(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> UvEngine:
        """Return an engine whose uv this is, for the time of a test."""
        monkeypatch.setattr(uv, "find_uv_bin", lambda: PROGRAM)
        monkeypatch.setattr("reconciler.engines.uv.run_child", self.run)
        return UvEngine(ambient={}, cache=cache)

    @property
    def syncs(self) -> list[Call]:
        """Return the installations of a whole environment."""
        return [each for each in self.calls if each.command == "pip sync"]

    @property
    def refreshed(self) -> list[list[str]]:
        """Return for each of them the packages that were deleted from the cache before it."""
        found: list[list[str]] = [[]]
        for call in self.calls:
            if call.command == "cache clean":
                found[-1] += call.arguments[2:]
            elif call.command == "pip sync":
                found.append([])
        assert found.pop() == []
        return found

    def run(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float, **_: object) -> Completed:
        """Carry out a command, and return its result: the seam below the engine (`run_child`)."""
        assert cwd.is_dir()
        assert timeout > 0
        program, *given = argv
        assert program == PROGRAM
        start = next(place for place, each in enumerate(given) if each in _COMMANDS)
        call = self._call(given[:start], given[start:], env)
        self.calls.append(call)
        Path(call.options[call.options.index("--cache-dir") + 1]).mkdir(parents=True, exist_ok=True)
        match call.command:
            case "venv":
                _create(call)
            case "pip sync":
                if self.failures:
                    text = self.failures.pop(0)
                    return Completed(argv=tuple(argv), returncode=2, stdout=b"", stderr=text.encode(), timed_out=False)
                self._install(call)
                self.after(_venv(call), len(self.syncs))
            case "pip install":
                self._install(call)
            case "pip uninstall":
                for name in call.arguments[4:]:
                    _uninstall(_venv(call), name)
            case command:
                assert command in {"cache clean", "cache prune"}
        return Completed(argv=tuple(argv), returncode=0, stdout=b"", stderr=b"", timed_out=False)

    def _call(self, options: list[str], arguments: list[str], env: Mapping[str, str]) -> Call:
        more: dict[str, Any] = {}
        if arguments[0] == "venv":  # the interpreter is a script, which starts the real one with options
            place = arguments.index("-p") + 1
            _, interpreter, *flags, _ = shlex.split(Path(arguments[place]).read_text().splitlines()[1])
            assert flags == ["-I", "-S", "-B"]
            arguments = [*arguments[:place], interpreter, *arguments[place + 1 :]]
        if arguments[-1].endswith(".toml"):
            more["document"] = tomllib.loads(Path(arguments[-1]).read_text())
        if options[0] == "--config-file":
            more["configuration"] = Path(options[1]).read_text()
        return Call(options=options, arguments=arguments, environment=env, **more)

    def _install(self, call: Call) -> None:
        venv = _venv(call)
        assert (venv / "pyvenv.cfg").is_file()
        for package in call.document["packages"]:
            install_package(venv, package["name"], self.packages[package["name"]])
        if "--compile-bytecode" in call.arguments:
            for module in (venv / SITE).glob("**/*.py"):
                py_compile.compile(str(module), doraise=True)


def install_package(venv: Path, name: str, files: Mapping[str, bytes], *, requires: str = "") -> None:
    """Write version 1.0 of a package as an installer does: its metadata, and those of its files that are in the venv.

    The paths of `files` are as in RECORD. An empty file has no hash there. `requires` is a line of the metadata.
    """
    info = venv / SITE / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}")
    rows = [f"{path},{record_hash(content) if content else ''},{len(content)}" for path, content in files.items()]
    (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/METADATA,,", f"{info.name}/RECORD,,", ""]))
    for path, content in files.items():
        if ".." not in path:
            (venv / SITE / path).parent.mkdir(parents=True, exist_ok=True)
            (venv / SITE / path).write_bytes(content)


def _create(call: Call) -> None:
    """Create a venv (PEP 405) with the files that envsync reads or changes."""
    venv, interpreter = Path(call.arguments[-1]), Path(call.after("-p"))
    flag = str("--system-site-packages" in call.arguments).lower()
    (venv / SITE).mkdir(parents=True)
    (venv / "bin").mkdir()
    (venv / "pyvenv.cfg").write_text(
        f"home = {interpreter.parent}\ninclude-system-site-packages = {flag}\nversion = 3.11.7\n"
    )
    (venv / "bin/python").symlink_to(interpreter)
    (venv / "bin/activate").write_text(f"VIRTUAL_ENV={venv}\n")


def _uninstall(venv: Path, name: str) -> None:
    """Delete what the RECORD of a package lists, wherever it is, and its metadata."""
    info = venv / SITE / f"{name}-1.0.dist-info"
    for row in (info / "RECORD").read_text().splitlines():
        path = posixpath.normpath(f"{venv / SITE}/{row.partition(',')[0]}")
        if os.path.lexists(path):
            Path(path).unlink()
    shutil.rmtree(info)


def _venv(call: Call) -> Path:
    """Return the venv of the interpreter that a command names."""
    python = Path(call.after("-p"))
    assert python.parts[-2:] == ("bin", "python")
    return python.parents[1]
