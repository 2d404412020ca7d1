"""A link or directory that appears at an environment's path while apply runs is neither replaced nor deleted."""

import sys
from pathlib import Path

import pytest

from tests.functional.host_state import finished
from tests.host import Host

WEB = 'web:\n  python: "3.11"\n  packages: [gamma]\n'
# Replaces what is at the environment's path, like another program would; it runs as a probe or as a hook.
SWAP = """\
import os, pathlib, shutil, sys
path, precious, kind = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
if path.is_symlink():
    path.unlink()
elif path.is_dir():
    shutil.rmtree(path)
path.symlink_to(precious) if kind == "link" else shutil.copytree(precious, path)
"""


@pytest.fixture
def precious(host: Host, tmp_path: Path) -> Path:
    directory = tmp_path / "precious"
    directory.mkdir()
    (directory / "thesis.txt").write_text("mine")
    (tmp_path / "swap.py").write_text(SWAP)
    return directory


def swap(host: Host, precious: Path, kind: str) -> str:
    """Return the command that puts a link to `precious`, or a copy of it, at the path of `web`, as a YAML list."""
    return f"[{sys.executable}, {precious.parent / 'swap.py'}, {host.venv('web')}, {precious}, {kind}]"


def assert_untouched(host: Host, precious: Path, kind: str) -> None:
    assert (precious / "thesis.txt").read_text() == "mine"
    assert (host.venv("web") / "thesis.txt").read_text() == "mine"
    assert host.venv("web").is_symlink() is (kind == "link")


def failure(host: Host, *arguments: str) -> str:
    """Apply, which must fail for `web`; return the message."""
    ran = host.envsync("apply", "--yes", "--output", "json", *arguments)
    assert ran.code == 1, ran.out + ran.err
    return str(finished(ran)["web"]["failure"]["message"])


@pytest.mark.parametrize("kind", ["link", "directory"])
@pytest.mark.parametrize("before", ["published", "absent"])
def test_before_publish(before: str, kind: str, host: Host, precious: Path) -> None:
    host.manifest(WEB)
    if before == "published":
        host.apply()
    host.manifest(WEB.replace("gamma", "beta") + f"  probes: [{{run: {swap(host, precious, kind)}}}]\n")
    assert "is not managed by envsync" in failure(host)
    assert_untouched(host, precious, kind)


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_before_delete(kind: str, host: Host, precious: Path) -> None:
    host.manifest(WEB + f"  hooks: {{before_delete: [{swap(host, precious, kind)}]}}\nkept:\n  python: '3.11'\n")
    host.apply()
    host.manifest("kept:\n  python: '3.11'\n")
    assert "is not managed by envsync" in failure(host)
    assert_untouched(host, precious, kind)


def test_before_adopt(host: Host, precious: Path) -> None:
    """What is adopted is a directory: a link that took its place is not moved away."""
    host.manifest(WEB)
    host.apply()
    host.venv("web").unlink()
    (host.venv("web") / "bin").mkdir(parents=True)
    (host.venv("web") / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    (host.venv("web") / "bin/python").symlink_to("/usr/bin/python3")
    host.manifest(WEB.replace("gamma", "beta") + f"  probes: [{{run: {swap(host, precious, 'link')}}}]\n")
    assert "is not managed by envsync" in failure(host, "--adopt")
    assert_untouched(host, precious, "link")
