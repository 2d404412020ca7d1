"""Programs store the path of the interpreter that ran them; it works after its generation was collected."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from reconciler.apply.collected_path import MOST_LINKS, keep_paths
from reconciler.state.layout import Layout
from tests.functional.host_state import generations, published
from tests.host import Host
from tests.wheels import make_wheel

WEB = 'web:\n  python: "3.11"\n  packages: ["tool==%s.0"]\n  keep_generations: 1\n'
LAST = 6
# Stores sys.executable in the ways of `ipykernel install` (argv of kernel.json) and of `pre-commit install` (a shell
# script), and makes a virtual environment from it.
TOOL = """
import json, pathlib, subprocess, sys

VERSION = "%s"


def main():
    place = pathlib.Path(sys.argv[1])
    place.mkdir()
    (place / "kernel.json").write_text(json.dumps({"argv": [sys.executable, "-m", "tool", "version"]}))
    (place / "hook").write_text("#!/bin/sh\\nINSTALL_PYTHON=" + sys.executable + "\\n"
        'exec "$INSTALL_PYTHON" -m tool version\\n')
    (place / "hook").chmod(0o755)
    (place / "script").symlink_to(pathlib.Path(sys.executable).with_name("tool"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
"""
MAIN = 'import sys, tool\nprint(tool.VERSION) if sys.argv[1:] == ["version"] else tool.main()\n'


def upgrade(host: Host, number: int) -> None:
    """Build a generation of `web` with version `number` of the tool; it is the only one that is kept."""
    modules = {"tool/__init__.py": TOOL % number, "tool/__main__.py": MAIN}
    make_wheel(host.directory.parent / "wheels", "tool", f"{number}.0", modules=modules, scripts={"tool": "tool:main"})
    host.manifest(WEB % number)
    ran = host.envsync("apply", "--yes")
    assert ran.code == 0, ran.err


@pytest.fixture
def collected(host: Host) -> Host:
    """Return a host with `web` at generation 3, the only one that is kept."""
    for number in range(1, 4):
        upgrade(host, number)
    assert generations(host, "web") == [3]
    return host


def output(*argv: str | Path) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_what_tools_recorded_works_over_five_upgrades_and_starts_what_is_published(host: Host) -> None:
    for number in range(1, LAST + 1):
        upgrade(host, number)
        assert host.envsync("run", "web", "--", "tool", str(host.directory / f"run-{number}")).code == 0
        subprocess.run([host.root / "web/bin/tool", host.directory / f"script-{number}"], check=True)
    assert generations(host, "web") == [LAST]
    for number in range(1, LAST + 1):
        for how in ("run", "script"):
            place = host.directory / f"{how}-{number}"
            argv = json.loads((place / "kernel.json").read_text())["argv"]
            assert argv[0] == str(host.root / f".envsync/generations/web/{number}/venv/bin/python")
            assert output(*argv) == f"{LAST}\n"
            assert output(place / "hook") == f"{LAST}\n"
            assert output(place / "venv/bin/python", "-c", "print(1)") == "1\n"
            again = host.directory / f"again-{how}-{number}"
            output(place / "script", again)
            assert (again / "kernel.json").exists()
    assert host.check()["difference"] is False


def test_a_collected_generation_is_none_for_any_command(collected: Host) -> None:
    assert collected.envsync("gc").out == "No generations to delete.\n"
    kept = json.loads(collected.envsync("history", "--generations", "--output", "json").out)
    assert [each["number"] for each in kept] == [3]
    assert collected.envsync("rollback", "web", "--to", "2").code == 3
    assert collected.envsync("verify").code == 0
    collected.manifest(WEB % 1)
    collected.apply()
    assert published(collected, "web") == 4  # not the number of a link


def test_a_link_to_a_collected_generation_is_drift_and_run_refuses_it(collected: Host) -> None:
    path = collected.root / "web"
    path.unlink()
    path.symlink_to(".envsync/generations/web/2/venv")  # for example restored from a backup: it points to itself
    assert collected.envsync("run", "web", "--", "python", "-V").code == 125
    assert os.listdir(collected.root / ".envsync/generations/web/current") == ["venv"]
    assert collected.envsync("check").code == 2
    collected.apply()
    assert collected.envsync("run", "web", "--", "python", "-m", "tool", "version").out == "3\n"


def test_a_deleted_environment_leaves_no_link(collected: Host) -> None:
    assert collected.envsync("destroy", "web", "--yes").code == 0
    assert collected.envsync("gc", "--deleted").code == 0
    assert os.listdir(collected.root / ".envsync/generations") == []


def test_a_run_that_was_killed_before_it_made_the_link_loses_no_path(collected: Host) -> None:
    place = collected.root / ".envsync/generations/web"
    (place / "2").rename(place / "2.collected")
    assert collected.envsync("gc").code == 0
    assert (place / "2").readlink() == Path("current")
    assert not (place / "2.collected").is_symlink()


@pytest.mark.parametrize("foreign", ["current", "current/venv", "2"])
def test_what_is_not_ours_is_neither_replaced_nor_deleted(collected: Host, foreign: str, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "venv").mkdir(parents=True)
    place = collected.root / ".envsync/generations/web"
    if foreign == "current":
        (place / "current/venv").unlink()
        (place / "current").rmdir()
    else:
        (place / foreign).unlink()
    (place / foreign).symlink_to(precious)
    collected.manifest(WEB % 1)
    ran = collected.envsync("apply", "--yes")
    assert (place / foreign).readlink() == precious
    assert ran.code == 0
    assert ("was not deleted: its path goes through a symbolic link" in ran.err) == (foreign == "2")
    assert (place / "3").is_symlink() == (foreign == "2")
    collected.envsync("destroy", "web", "--yes")
    assert (place / foreign).readlink() == precious
    assert os.listdir(precious) == ["venv"]


def test_the_newest_hundred_links_are_kept(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.generation("web", 150).venv.mkdir(parents=True)
    keep_paths(layout, "web", dict.fromkeys(range(1, 150), "current"), gone=())
    assert layout.collected_numbers("web") == list(range(150 - MOST_LINKS, 150))
    assert layout.generation_numbers("web") == [150]
