"""Interpreters that are shell scripts: they report facts like a real one, and count how often they are started."""

import json
from collections.abc import Mapping
from pathlib import Path

USUAL = {"name": "linux-x86_64", "bits": 64, "glibc": "2.36"}


def fake_interpreter(
    directory: Path,
    name: str,
    version: str,
    *,
    implementation: str = "cpython",
    free_threaded: bool = False,
    debug: bool = False,
    soabi: str | None = None,
    platform: Mapping[str, object] = USUAL,
) -> Path:
    """Write an executable that claims to be Python `version`; each start adds a line to `<path>.started`.

    PyPy has a usual `soabi`, unless it is given; for others it is empty. `platform` are its facts about the platform.
    """
    if soabi is None:
        soabi = {"pypy": "pypy310-pp73-x86_64-linux-gnu"}.get(implementation, "")
    series = ".".join(version.split(".")[:2])
    facts = {
        "version": version,
        "debug": debug,
        "free_threaded": free_threaded,
        "pymalloc": True,
        "extensions": f".{soabi}.so" if soabi else "",
        "platform": dict(platform),
        "markers": {
            "implementation_name": implementation,
            "implementation_version": version,
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": "CPython",
            "platform_release": "6",
            "platform_system": "Linux",
            "platform_version": "#1",
            "python_full_version": version,
            "python_version": series,
            "sys_platform": "linux",
        },
    }
    return script(directory, name, f"cat <<'END'\n{json.dumps(facts)}\nEND\n")


def script(directory: Path, name: str, body: str) -> Path:
    """Write an executable shell script that counts its starts in `<path>.started`."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\necho started >> '{path}.started'\n{body}")
    path.chmod(0o755)
    return path


def times_started(path: Path) -> int:
    """Return how often a script was started."""
    starts = Path(f"{path}.started")
    return len(starts.read_text().splitlines()) if starts.exists() else 0
