"""Queries a base interpreter for its facts (PEP 508 markers, PEP 425 tags): the only program that planning may start.

It runs with `-I -S -B`: without site directories (no `.pth`, no sitecustomize) and variables, and writes nothing.
"""

import json
import os
from pathlib import Path
from typing import Any

from packaging import tags as pep425
from packaging.version import Version

from reconciler.errors import InterpreterError, OldInterpreterError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.interpreters.model import Interpreter
from reconciler.interpreters.platform_tags import Platform, platform_tags
from reconciler.processes.child import run_child

_TIMEOUT_SECONDS = 30.0
_TOO_OLD = 91  # the exit code of the script

# It runs with Python 3.6 and later. os.uname, not platform.uname: the latter starts `uname -p` on Python 3.8. Only the
# loader of musl knows its version; the system starts that program with every start of the interpreter in any case.
SCRIPT = """
import sys
if sys.version_info < (3, 6):
    sys.stderr.write("Python %d.%d" % sys.version_info[:2])
    sys.exit(91)
import json, os, platform, struct, sysconfig
def full(info):
    text = "%d.%d.%d" % info[:3]
    return text if info[3] == "final" else text + info[3][0] + str(info[4])
def glibc():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION").split()[1]
    except (AttributeError, IndexError, OSError, ValueError):
        pass
    try:
        import ctypes
        version = ctypes.CDLL(None).gnu_get_libc_version
        version.restype = ctypes.c_char_p
        return version().decode("ascii")
    except (AttributeError, ImportError, OSError, ValueError):
        return ""
def elf():
    with open(sys.executable, "rb") as file:
        head = file.read(64)
        if head[:4] != b"\\x7fELF":
            return "", False
        order = "<" if head[5] == 1 else ">"
        if head[4] == 2:
            start, flags, size, count = struct.unpack(order + "32xQ8xI2xHH6x", head)
        else:
            start, flags, size, count = struct.unpack(order + "28xI4xI2xHH6x", head[:52])
        machine = struct.unpack(order + "H", head[18:20])[0]
        hard_float = head[4] == 1 and machine == 40 and flags & 0xFF000400 == 0x05000400
        for number in range(count):
            file.seek(start + number * size)
            entry = file.read(size)
            if struct.unpack(order + "I", entry[:4])[0] == 3:
                if head[4] == 2:
                    place, length = struct.unpack(order + "8xQ16xQ", entry[:40])
                else:
                    place, length = struct.unpack(order + "4xI8xI", entry[:20])
                file.seek(place)
                return os.fsdecode(file.read(length).rstrip(b"\\0")), hard_float
        return "", hard_float
def musl(loader):
    if "musl" not in loader:
        return ""
    import subprocess
    done = subprocess.run([loader], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    lines = done.stderr.decode("utf-8", "replace").split("\\n")
    return next((line.split()[1] for line in lines if line.startswith("Version ")), "")
uname = os.uname()
library, loader, hard_float = "", "", False
if sys.platform.startswith("linux"):
    try:
        loader, hard_float = elf()
    except (OSError, struct.error):
        pass
    library = glibc()
mac = platform.mac_ver() if sys.platform == "darwin" else ("", "", "")
print(json.dumps({
    "version": platform.python_version(),
    "debug": hasattr(sys, "gettotalrefcount"),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "pymalloc": sysconfig.get_config_var("WITH_PYMALLOC") not in (0, ""),
    "extensions": sysconfig.get_config_var("EXT_SUFFIX") or "",
    "platform": {
        "name": sysconfig.get_platform(),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "glibc": library,
        "musl": "" if library else musl(loader),
        "hard_float": hard_float,
        "macos": mac[0],
        "macos_machine": mac[2],
    },
    "markers": {
        "implementation_name": sys.implementation.name,
        "implementation_version": full(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": uname.machine,
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": uname.release,
        "platform_system": uname.sysname,
        "platform_version": uname.version,
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    },
}))
"""


def query_interpreter(path: str) -> Interpreter:
    """Start the interpreter at `path` (absolute) once and return its facts.

    Raises InterpreterError if it does not start or is not a Python 3 interpreter.
    """
    try:
        done = run_child(
            [path, "-I", "-S", "-B", "-c", SCRIPT],
            # Without the variable, a Python that was built for an old macOS reports 10.16 on every later one.
            env={"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "SYSTEM_VERSION_COMPAT": "0"},
            cwd=Path("/"),
            timeout=_TIMEOUT_SECONDS,
        )
    except OSError as error:
        raise InterpreterError(f"`{path}` could not be started: {error.strerror}", hint=os_error_hint(error)) from error
    if done.timed_out:
        raise InterpreterError(f"`{path}` did not answer within {_TIMEOUT_SECONDS:g} seconds", hint=None)
    if done.returncode == _TOO_OLD or done.stderr.startswith(b"Unknown option: -I\n"):  # Python 2 has no such option
        raise OldInterpreterError(f"`{path}` is older than Python 3.6", hint=None, details=done.last_lines(1))
    if not done.ok:
        raise InterpreterError(f"`{path}` did not report its version", hint=None, details=done.last_lines(5))
    try:
        facts: dict[str, Any] = json.loads(done.stdout)
        markers = {str(key): str(value) for key, value in facts["markers"].items()}
        return Interpreter(
            path=path,
            version=str(Version(facts["version"].removesuffix("+"))),  # "3.13.0+" is a build between releases
            implementation=markers["implementation_name"],
            markers=markers,
            tags=supported_tags(facts),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InterpreterError(f"`{path}` is not a Python interpreter: its facts are unreadable", hint=None) from error


def supported_tags(facts: dict[str, Any]) -> tuple[str, ...]:
    """Compute the PEP 425 tags from what `SCRIPT` printed, best first: those that pip would find in that interpreter.

    Raises ValueError, KeyError or TypeError if the facts make no sense.
    """
    major, minor = (int(part) for part in facts["markers"]["python_version"].split("."))
    platforms = list(platform_tags(Platform(**facts["platform"])))
    implementation = facts["markers"]["implementation_name"]
    pure: str | None
    if implementation == "cpython":
        pure = f"cp{major}{minor}"
        own = pep425.cpython_tags((major, minor), _cpython_abis(facts, (major, minor)), platforms)
    else:
        short = {"pypy": "pp"}.get(implementation, implementation)
        pure = "pp3" if implementation == "pypy" else None
        own = pep425.generic_tags(f"{short}{major}{minor}", _other_abis(str(facts["extensions"])), platforms)
    return tuple(str(tag) for tag in (*own, *pep425.compatible_tags((major, minor), pure, platforms)))


def _cpython_abis(facts: dict[str, Any], version: tuple[int, int]) -> list[str]:
    """Return the binary interfaces of a CPython; a debug build also loads the modules of a usual one, since 3.8."""
    usual = f"cp{version[0]}{version[1]}{'t' if facts['free_threaded'] else ''}"
    if version < (3, 8):
        return [f"{usual}{'d' if facts['debug'] else ''}{'m' if facts['pymalloc'] else ''}"]
    return [f"{usual}d", usual] if facts["debug"] else [usual]


def _other_abis(extensions: str) -> list[str]:
    """Return the binary interface in the suffix of compiled modules: `.pypy310-pp73-x86_64-linux-gnu.so`."""
    parts = extensions.split(".")
    name = parts[1] if len(parts) > 2 else ""
    words = name.split("-")
    if name.startswith("pypy"):
        words = words[:2]
    elif name.startswith("graalpy"):
        words = words[:3]
    return ["_".join(words)] if name else []
