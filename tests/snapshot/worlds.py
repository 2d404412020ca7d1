"""Snapshots made from the worlds of tests/cases/plan."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import yaml

from reconciler.interpreters.model import Interpreter
from reconciler.snapshot.interpreters import KnownInterpreters
from reconciler.snapshot.model import Snapshot
from tests.plan.build import World, world

CASES = Path(__file__).parent.parent / "cases" / "plan"
ROOT = "/srv/envs"


@cache
def worlds() -> dict[str, World]:
    loaded = {path.stem: yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader) for path in CASES.glob("*.yaml")}
    return {name: world(case) for name, case in sorted(loaded.items())}


def interpreter(version: str, path: str = "") -> Interpreter:
    series = version.rpartition(".")[0]
    tag = f"cp{series.replace('.', '')}"
    markers = {
        "implementation_name": "cpython",
        "implementation_version": version,
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "6.1",
        "platform_system": "Linux",
        "platform_version": "#1",
        "python_full_version": version,
        "python_version": series,
        "sys_platform": "linux",
    }
    return Interpreter(
        path=path or f"/opt/python/{version}/bin/python",
        version=version,
        implementation="cpython",
        markers=markers,
        tags=(f"{tag}-{tag}-linux_x86_64", "py3-none-any"),
    )


def snapshot(seen: World) -> Snapshot:
    """Return the snapshot that `observe` would take of a world."""
    environments = {
        name: replace(each, path=f"{ROOT}/{name}", depth=seen.actual.depth)
        for name, each in sorted(seen.actual.environments.items())
    }
    return Snapshot(
        project="acme",
        root=ROOT,
        version="0.1.0",
        platform="linux x86_64",
        taken="2026-01-02T03:04:05Z",
        depth=seen.actual.depth,
        selected=False,
        interpreters=KnownInterpreters(
            found=(interpreter("3.12.1"),), others=(interpreter("3.11.4", "/opt/kept/python"),)
        ),
        environments=environments,
        applied={
            name: replace(each, manifest=seen.owners[name].manifest if name in seen.owners else "")
            for name, each in seen.applied.items()
            if name in environments
        },
    )
