"""Finds out whether a venv was moved after it was created: its scripts contain the absolute path of the venv."""

import os
import re
from collections.abc import Collection
from hashlib import sha256

from reconciler.backticks import in_backticks
from reconciler.fs.read import read_regular
from reconciler.manifest.paths import LONGEST_PATH
from reconciler.observe.actual import Finding, FindingCode

_ACTIVATE_SCRIPTS = ("activate", "activate.csh", "activate.fish")
_VIRTUAL_ENV = re.compile(
    r"""^[ \t]*+(?:export |setenv |set -gx )?[ \t]*+VIRTUAL_ENV[= ][ \t]*+(['"]?)(/[^'"\n\0]*+)\1[ \t\r]*$""",
    re.MULTILINE,
)
_SHEBANG = re.compile(rb"#![ \t]*(?P<path>/[^\n\0]*)")
_TRAMPOLINE = re.compile(rb"#![ \t]*/bin/sh[ \t]*\r?\n'''exec' [\"']?(?P<path>/[^\"'\n\0]*?)[\"']? \"\$0\"")
_PYTHON = re.compile(r"^(?:python|pypy)[0-9.]*t?$")
_LIMIT_BYTES = 1024 * 1024
_SYSTEM = frozenset({"/usr/bin", "/bin", "/usr/local/bin"})


def relocated_scripts(venv: str, places: Collection[str], home: str, *, only_activate: bool) -> list[Finding]:
    """Return a finding for each script in `bin` that names an environment at a path other than `places`.

    `home` is the directory of the base interpreter; scripts that use this interpreter, or one of the system, name no
    environment. With `only_activate` only `bin/activate` is read, because all scripts are moved together.
    """
    allowed = {os.path.normpath(place) for place in places}
    allowed |= {os.path.realpath(place) for place in places}
    findings = []
    try:
        names = ["activate"] if only_activate else sorted(os.listdir(f"{venv}/bin"))
    except OSError:
        return []
    for name in names:
        if name.startswith(("python", "pypy")):
            continue
        try:
            content = read_regular(f"{venv}/bin/{name}", limit=_LIMIT_BYTES)
        except OSError:
            continue  # a symbolic link, a directory or a large program, but not a script with a path
        named = _path_in_activate(content) if name in _ACTIVATE_SCRIPTS else _path_in_shebang(content, home)
        if named and not _is_one_of(named, allowed):
            finding = Finding(
                code=FindingCode.MOVED,
                path=f"bin/{name}",
                detail=f"it names the environment {in_backticks(named)}",
                content=sha256(content).hexdigest(),
            )
            findings.append(finding)
    return findings


def _is_one_of(path: str, allowed: Collection[str]) -> bool:
    """Return whether a path, or its target, is one of the paths.

    A longer text than any path is not resolved, because that takes quadratic time.
    """
    return len(path) <= LONGEST_PATH and (os.path.normpath(path) in allowed or os.path.realpath(path) in allowed)


def _path_in_activate(content: bytes) -> str:
    match = _VIRTUAL_ENV.search(content.decode("utf-8", "surrogateescape"))
    return match[2].rstrip() if match else ""


def _path_in_shebang(content: bytes, home: str) -> str:
    """Return the environment whose interpreter a script's first line names, empty if it names none."""
    if not content.startswith(b"#!"):
        return ""
    match = _TRAMPOLINE.match(content) or _SHEBANG.match(content)
    if match is None:
        return ""
    interpreter = match["path"].decode("utf-8", "surrogateescape").strip()
    interpreter = interpreter if match.re is _TRAMPOLINE else interpreter.split(" ")[0]
    directory, _, program = interpreter.rpartition("/")
    if not _PYTHON.match(program) or directory in {*_SYSTEM, home.rstrip("/")} or not directory.endswith("/bin"):
        return ""
    return directory.removesuffix("/bin")
