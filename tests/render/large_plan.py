"""A plan of many environments with many packages each."""

from dataclasses import replace
from typing import Any

from reconciler.plan.model import Plan
from tests.plan.build import world


def large_plan(number: int, *, changed: int, packages: int = 60) -> Plan:
    """Return a plan of `number` environments; of the first `changed`, a third is new and a third has drift."""
    then = {f"package-{index:02d}": "1.0.0" for index in range(packages)}
    now = then | {f"package-{index:02d}": "1.1.0" for index in range(0, packages, 7)}
    edited = {"code": "file-changed", "path": "lib/python3.12/site-packages/package_01/api.py", "content": "a"}
    manifest: dict[str, Any] = {"drift": now, "new": now, "pending": now, "same": then}
    made = world(
        {
            "manifest": {name: {"packages": each} for name, each in manifest.items()},
            "applied": {name: {"packages": then, "generation": 3} for name in manifest if name != "new"},
            "actual": {"drift": {"findings": [{**edited, "package": "package-01"}]}},
        }
    ).plan()
    *kinds, same = made.environments
    copies = [kinds[index % len(kinds)] if index < changed else same for index in range(number)]
    named = tuple(replace(each, name=f"service-{index:04d}") for index, each in enumerate(copies))
    return replace(made, environments=named)
