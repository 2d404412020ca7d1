"""What envsync writes into an environment's `bin`: its path in activate scripts, and a stub in the place of pip."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from reconciler.apply.bin_scripts import rewrite_activation, write_pip_stub


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Return the directory of the scripts of a venv."""
    found = tmp_path / "venv/bin"
    found.mkdir(parents=True)
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_activate_scripts_name_the_path_of_the_environment_and_keep_their_mode(scripts: Path, tmp_path: Path) -> None:
    venv = scripts.parent
    for name, access in (("activate", 0o640), ("activate.fish", 0o755), ("other", 0o644)):
        (scripts / name).write_text(f"A={venv}\nB={venv}/bin\n")
        (scripts / name).chmod(access)
    (scripts / "activate.csh").write_text("no path")
    os.link(scripts / "activate", tmp_path / "cached")
    unchanged = (scripts / "activate.csh").stat().st_ino
    rewrite_activation(venv, Path("/envs/web"))
    for name, access in (("activate", 0o640), ("activate.fish", 0o755)):
        assert (scripts / name).read_text() == "A=/envs/web\nB=/envs/web/bin\n"
        assert mode(scripts / name) == access
    for path in (scripts / "other", tmp_path / "cached"):
        assert path.read_text() == f"A={venv}\nB={venv}/bin\n"
    assert ((scripts / "activate.csh").stat().st_ino, (scripts / "activate.csh").read_text()) == (unchanged, "no path")


def test_only_regular_activate_scripts_are_changed(scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text(str(scripts.parent))
    (scripts / "activate.link").symlink_to(tmp_path / "outside")
    (scripts / "activate.d").mkdir()
    rewrite_activation(scripts.parent, Path("/envs/web"))
    assert (scripts / "activate.link").is_symlink()
    assert (tmp_path / "outside").read_text() == str(scripts.parent)


def test_the_stub_of_pip_refuses_and_says_what_to_do(scripts: Path) -> None:
    write_pip_stub(scripts.parent, "web")
    for name in ("pip", "pip3"):
        ran = subprocess.run([scripts / name, "install", "six"], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr == (
            "error: envsync manages environment `web`, and pip is not installed in it\n"
            "hint: add the package to the packages of `web` in the manifest, then run `envsync apply web`\n"
        )
        assert mode(scripts / name) == 0o755


def test_pip_that_is_installed_is_left_alone(scripts: Path) -> None:
    (scripts / "pip3").write_text("a package")
    write_pip_stub(scripts.parent, "web")
    assert (scripts / "pip3").read_text() == "a package"
    assert (scripts / "pip").read_text().startswith("#!/bin/sh\n")
    (scripts / "pip3").unlink()
    (scripts / "pip").write_text("pip itself")
    write_pip_stub(scripts.parent, "web")
    assert os.listdir(scripts) == ["pip"]
