"""The catalogue of manual damage to a generation, each with what `plan` must show (docs/design.md, "Observation")."""

import os
import py_compile
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reconciler.observe.actual import Depth
from reconciler.state.layout import Generation

SERIES = f"{sys.version_info.major}.{sys.version_info.minor}"  # the interpreter that runs this makes the bytecode
_EVERYONES = Path(f"/usr/bin/python{SERIES}")  # an interpreter that every user may run, if there is one
PYTHON = str(_EVERYONES) if _EVERYONES.exists() else SERIES
CLOSED = "module closed to others"
_DEPTHS = (Depth.METADATA, Depth.FILES, Depth.HASHES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One kind of damage to a generation.

    `slot` is what it damages: two damages of one slot would hide each other. `needs` is the package that must be
    installed. `depth` is the lowest depth that shows it as drift; None if it has no effect. `reason` is the reason that
    the environment must have, unless the line of `package` shows the change. `shown` is the path (relative to the venv)
    that must be named. `shared` is a file that is written in place, which also damages every generation that links it.
    """

    name: str
    make: Callable[[Generation], None]
    slot: str
    needs: str = ""
    depth: Depth | None = Depth.FILES
    reason: str = "files-drifted"
    package: str = ""
    shown: str = ""
    shared: str = ""

    def seen_at(self, depth: Depth) -> bool:
        """Return whether it is drift at `depth`."""
        return self.depth is not None and _DEPTHS.index(depth) >= _DEPTHS.index(self.depth)

    def __repr__(self) -> str:
        return self.name


PACKAGES = f"lib/python{SERIES}/site-packages"
BETA, INFO, GAMMA = f"{PACKAGES}/beta.py", f"{PACKAGES}/beta-2.0.dist-info", f"{PACKAGES}/gamma/__init__.py"
SITECUSTOMIZE = f"{PACKAGES}/sitecustomize.py"

_Make = Callable[[Generation], None]


def _write(path: str, content: bytes) -> _Make:
    """Return a function that writes a file in place, or adds it."""

    def make(generation: Generation) -> None:
        (generation.venv / path).write_bytes(content)

    return make


def _remove(path: str) -> _Make:
    return lambda generation: (generation.venv / path).unlink()


def _edit_unseen(generation: Generation) -> None:
    """Edit a module in place without changing its size, and restore its mtime."""
    module = generation.venv / BETA
    before = module.stat()
    module.write_bytes(b"#" * before.st_size)
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace_file(generation: Generation) -> None:
    (generation.venv / BETA).unlink()
    (generation.venv / BETA).write_text("NAME = 'replaced'\n")


def _replace_by_link(generation: Generation) -> None:
    (generation.venv / BETA).unlink()
    (generation.venv / BETA).symlink_to("/nowhere/beta.py")


def _flip_executable(generation: Generation) -> None:
    module = generation.venv / BETA
    module.chmod(module.stat().st_mode ^ 0o111)


def _close_to_others(generation: Generation) -> None:
    module = generation.venv / BETA
    module.chmod(module.stat().st_mode & ~0o077)


def _touch(generation: Generation) -> None:
    os.utime(generation.venv / BETA)


def _dangle(generation: Generation) -> None:
    (generation.venv / "bin/python").unlink()
    (generation.venv / "bin/python").symlink_to("/nowhere/python")


def _flip_system(generation: Generation) -> None:
    configuration = generation.venv / "pyvenv.cfg"
    text = configuration.read_text()
    flipped = text.replace("include-system-site-packages = false", "include-system-site-packages = true")
    assert text != flipped
    configuration.write_text(flipped)


def _change_home(generation: Generation) -> None:
    configuration = generation.venv / "pyvenv.cfg"
    lines = configuration.read_text().splitlines()
    configuration.write_text("\n".join("home = /nowhere" if each.startswith("home") else each for each in lines) + "\n")


def _rename_scripts(generation: Generation) -> None:
    script = generation.venv / "bin/activate"
    script.write_text(script.read_text().replace("/.envs/", "/.moved/"))


def _duplicate(generation: Generation) -> None:
    other = generation.venv / PACKAGES / "beta-1.9.dist-info"
    shutil.copytree(generation.venv / INFO, other)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: beta\nVersion: 1.9\n")


def _install(generation: Generation) -> None:
    info = generation.venv / PACKAGES / "delta-3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: delta\nVersion: 3.0\n")
    (info / "RECORD").write_text("delta-3.0.dist-info/METADATA,,\ndelta-3.0.dist-info/RECORD,,\n")


def _upgrade(generation: Generation) -> None:
    new = generation.venv / PACKAGES / "beta-2.1.dist-info"
    (generation.venv / INFO).rename(new)
    (new / "METADATA").unlink()
    (new / "METADATA").write_text("Metadata-Version: 2.1\nName: beta\nVersion: 2.1\n")


def _leave_over(generation: Generation) -> None:
    (generation.venv / PACKAGES / "~ip-26.0.dist-info").mkdir()


def _add_directory(generation: Generation) -> None:
    (generation.venv / "var").mkdir()


def _compile(generation: Generation) -> None:
    py_compile.compile(str(generation.venv / GAMMA), doraise=True)


def _compile_other(generation: Generation) -> None:
    """Replace the bytecode of a module by that of different code, as an attacker would."""
    module = generation.venv / GAMMA
    other = generation.directory / "other.py"
    other.write_text("import os\n")
    py_compile.compile(str(other), cfile=_cached(module), doraise=True)
    other.unlink()


def _cached(module: Path) -> str:
    return str(module.parent / "__pycache__" / f"{module.stem}.{sys.implementation.cache_tag}.pyc")


_MODULE = {"slot": "beta.py", "needs": "beta", "package": "beta", "shown": BETA}
_METADATA = {"slot": "beta info", "needs": "beta", "package": "beta", "depth": Depth.METADATA}
_DAMAGED = {**_METADATA, "reason": "environment-damaged"}
_CFG = {"slot": "pyvenv.cfg", "depth": Depth.METADATA, "reason": "environment-damaged", "shown": "pyvenv.cfg"}


def _damage(name: str, make: _Make, **what: object) -> Damage:
    return Damage(name=name, make=make, **what)  # type: ignore[arg-type]  # the groups above, by keyword


CATALOGUE: tuple[Damage, ...] = (
    # files
    _damage("module edited in place", _write(BETA, b"NAME = 'mine'\n"), shared=BETA, **_MODULE),
    _damage("module edited, size and mtime put back", _edit_unseen, shared=BETA, **_MODULE),
    _damage("module replaced", _replace_file, **_MODULE),
    _damage("module replaced by a link", _replace_by_link, **_MODULE),
    _damage("module deleted", _remove(BETA), **_MODULE),
    _damage("module's executable bit flipped", _flip_executable, shared=BETA, **_MODULE),
    _damage(CLOSED, _close_to_others, shared=BETA, **{**_MODULE, "reason": "environment-damaged"}),
    _damage("module touched", _touch, slot="beta.py", needs="beta", depth=None),
    _damage(
        "stray .pth",
        _write(f"{PACKAGES}/evil.pth", b"import os\n"),
        slot="evil.pth",
        depth=Depth.METADATA,
        shown=f"{PACKAGES}/evil.pth",
    ),
    _damage(
        "sitecustomize.py",
        _write(SITECUSTOMIZE, b"import os\n"),
        slot="sitecustomize",
        depth=Depth.METADATA,
        shown=SITECUSTOMIZE,
    ),
    _damage("empty directory added", _add_directory, slot="var", shown="var"),
    _damage("uv's lock file left behind", _write(".lock", b""), slot=".lock", depth=None),
    _damage("bytecode alone", _write(f"{PACKAGES}/evil.pyc", b"x" * 20), slot="evil", shown=f"{PACKAGES}/evil.pyc"),
    _damage("bytecode next to its source", _compile, slot="bytecode", needs="gamma", depth=None),
    _damage("bytecode of something else", _compile_other, slot="bytecode", needs="gamma", depth=Depth.HASHES),
    # metadata
    _damage("RECORD removed", _remove(f"{INFO}/RECORD"), **_DAMAGED),
    _damage("METADATA removed", _remove(f"{INFO}/METADATA"), **_DAMAGED),
    _damage("METADATA emptied", _write(f"{INFO}/METADATA", b""), shared=f"{INFO}/METADATA", **_DAMAGED),
    _damage(
        "METADATA not UTF-8",
        _write(f"{INFO}/METADATA", b"Metadata-Version: 2.1\nName: beta\nVersion: 2.0\nSummary: \xff\n"),
        shared=f"{INFO}/METADATA",
        **_DAMAGED,
    ),
    _damage("duplicate dist-info", _duplicate, **_DAMAGED),
    _damage("dist-info removed", lambda each: shutil.rmtree(each.venv / INFO), **_METADATA, reason="packages-drifted"),
    _damage("a different version installed manually", _upgrade, **_METADATA, reason="packages-drifted"),
    _damage(
        "a package installed manually",
        _install,
        slot="delta",
        depth=Depth.METADATA,
        reason="packages-drifted",
        package="delta",
    ),
    _damage("~ip leftover", _leave_over, slot="~ip", depth=Depth.METADATA, reason="environment-damaged"),
    _damage(
        "egg-link",
        _write(f"{PACKAGES}/legacy.egg-link", b"/nowhere\n."),
        slot="egg-link",
        depth=Depth.METADATA,
        reason="environment-damaged",
    ),
    # the environment itself
    _damage(
        "dangling bin/python",
        _dangle,
        slot="bin/python",
        depth=Depth.METADATA,
        reason="environment-damaged",
        shown="bin/python",
    ),
    _damage("pyvenv.cfg removed", _remove("pyvenv.cfg"), **_CFG),
    _damage("system site packages flipped", _flip_system, **_CFG),
    _damage("wrong home", _change_home, **_CFG),
    _damage("pyvenv.cfg emptied", _write("pyvenv.cfg", b""), **_CFG),
    _damage(
        "scripts name a different place",
        _rename_scripts,
        slot="activate",
        depth=Depth.METADATA,
        reason="environment-damaged",
        shown="bin/activate",
    ),
)
BY_NAME = {each.name: each for each in CATALOGUE}
# One of each kind: the depth and the reason that show it, and whether it also damages other generations. The last one
# changes nothing that a directory shows.
ONE_OF_EACH_KIND: tuple[Damage, ...] = (
    *{(each.depth, each.reason, bool(each.shared)): each for each in reversed(CATALOGUE)}.values(),
    BY_NAME["module edited, size and mtime put back"],
)
