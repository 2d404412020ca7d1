"""`status --size`: what an environment has for itself, what it shares, and what deleting older generations frees."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.functional.host_state import tree
from tests.host import Host

TWO = """
web:
  python: "3.11"
  packages: [alpha==%s]
  keep_generations: 3
  link_mode: %s
job:
  python: "3.11"
  packages: [beta]
"""


def occupied(*directories: Path) -> int:
    """Return the bytes that `du` would report: each inode once."""
    found = {}
    for directory in directories:
        for place, names, files in os.walk(directory):
            for path in [place, *(os.path.join(place, name) for name in names + files)]:  # noqa: PTH118
                status = os.lstat(path)
                found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


@pytest.mark.parametrize("mode", ["hardlink", "copy"])
def test_sizes_are_those_of_du_and_of_what_gc_frees(host: Host, mode: str) -> None:
    for version in ("1.0", "1.1", "1.0"):
        host.manifest(TWO % (version, mode))
        host.apply()
    before = tree(host.root / ".envsync/generations")
    ran = host.envsync("status", "--size", "--output", "json")
    assert ran.code == 0
    assert tree(host.root / ".envsync/generations") == before
    rows = {each["name"]: each for each in json.loads(ran.out)}
    web, job = rows["web"], rows["job"]
    generation = host.root / ".envsync/generations/web/3"
    assert web["size"]["own"] + web["size"]["shared"] == occupied(generation)
    assert (web["size"]["shared"] > 0) == (mode == "hardlink")
    assert job["size"]["reclaimable"] == 0
    generations, cache = host.root / ".envsync/generations", host.root / ".envsync/cache/uv"
    full = occupied(generations, cache)
    host.manifest((TWO % ("1.0", mode)).replace("keep_generations: 3", "keep_generations: 1"))
    host.apply()
    current = occupied(generations / "web/current")
    assert full - occupied(generations, cache) + current == web["size"]["reclaimable"]


def test_what_was_adopted_and_what_was_deleted_count(host: Host) -> None:
    def rows(*arguments: str) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in json.loads(host.envsync("status", "--output", "json", *arguments).out)}

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", host.root / "job"], check=True)
    adopted, generations = host.root / ".envsync/adopted/job/1", host.root / ".envsync/generations/job"
    host.manifest((TWO % ("1.0", "copy")) + "  link_mode: copy\n")
    host.apply("--adopt")
    assert rows("--size")["job"]["size"]["reclaimable"] == occupied(adopted)
    host.manifest((TWO % ("1.0", "copy")).partition("job:")[0])
    assert rows("--size")["job"]["state"] == "pending"
    host.apply()
    found = rows("--size")
    assert (list(found), found["web"]["state"], found["job"]["state"]) == (["job", "web"], "ok", "deleted")
    assert (found["job"]["packages"], found["job"]["generation"]) == (None, 0)
    size = occupied(adopted, *(each for each in generations.iterdir() if each.name.isdigit()))
    assert found["job"]["size"] == {"own": 0, "shared": 0, "reclaimable": size}
    assert list(rows("--size", "web")) == list(rows()) == ["web"]


def test_sizes_are_shown_as_text_only_if_requested(host: Host) -> None:
    host.manifest(TWO % ("1.0", "copy"))
    host.apply()
    shown = host.envsync("status", "--size", env={"COLUMNS": "200"}).out.splitlines()
    assert shown[0].split() == [
        "NAME",
        "STATE",
        "PYTHON",
        "PACKAGES",
        "GENERATION",
        "OWN",
        "SHARED",
        "RECLAIMABLE",
        "PATH",
    ]
    assert "KiB" in shown[1]
    assert "OWN" not in host.envsync("status").out
    assert '"size"' not in host.envsync("status", "--output", "json").out
