"""Queries a base interpreter for its facts (PEP 508 markers, PEP 425 tags): the only program that planning may start.

It runs with `-I -S -B`: without site directories (no `.pth`, no sitecustomize) and variables, and writes nothing.
"""

import json
import os
from pathlib import Path
from typing import Any

from packaging import tags as pep425
from packaging.version import Version

from reconciler.errors import InterpreterError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.interpreters.model import Interpreter
from reconciler.processes.child import run_child

_TIMEOUT_SECONDS = 30.0

# os.uname, not platform.uname: the latter starts `uname -p` on Python 3.8.
_SCRIPT = """
import json, os, platform, sys, sysconfig
def full(info):
    text = "%d.%d.%d" % info[:3]
    return text if info[3] == "final" else text + info[3][0] + str(info[4])
uname = os.uname()
print(json.dumps({
    "version": platform.python_version(),
    "debug": hasattr(sys, "gettotalrefcount"),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "soabi": sysconfig.get_config_var("SOABI") or "",
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
            [path, "-I", "-S", "-B", "-c", _SCRIPT],
            env={"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")},
            cwd=Path("/"),
            timeout=_TIMEOUT_SECONDS,
        )
    except OSError as error:
        raise InterpreterError(f"`{path}` could not be started: {error.strerror}", hint=os_error_hint(error)) from error
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
            tags=_tags(facts, markers),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InterpreterError(f"`{path}` is not a Python interpreter: its facts are unreadable", hint=None) from error


def _tags(facts: dict[str, Any], markers: dict[str, str]) -> tuple[str, ...]:
    """Compute the PEP 425 tags, best first, as `packaging.tags.sys_tags` would inside that interpreter."""
    major, minor = (int(part) for part in markers["python_version"].split("."))
    platforms = list(pep425.platform_tags())
    if markers["implementation_name"] == "cpython":
        base = f"cp{major}{minor}" + ("t" if facts["free_threaded"] else "")
        abis = [base + "d", base] if facts["debug"] else [base]
        own = pep425.cpython_tags((major, minor), abis, platforms)
        name = f"cp{major}{minor}"
    else:
        name = (
            "pp" if markers["implementation_name"] == "pypy" else markers["implementation_name"]
        ) + f"{major}{minor}"
        abi = "_".join(str(facts["soabi"]).split("-")[:2]).replace(".", "_") or "none"
        own = pep425.generic_tags(name, [abi], platforms)
    return tuple(str(tag) for tag in (*own, *pep425.compatible_tags((major, minor), name, platforms)))
