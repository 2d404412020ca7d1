"""Paths with blanks and Unicode, symbolic links, absolute roots, other working directories, a moved repository."""

import subprocess
from pathlib import Path

from tests.functional.host_state import published
from tests.host import Host, base_environment, new_host

WEB = 'web:\n  python: "3.11"\n  packages: [alpha, gamma]\n  probes: [{import: gamma}]\n'


def test_a_directory_with_blanks_quotes_and_unicode_works(tmp_path: Path) -> None:
    with new_host(tmp_path / "a b'c \"ü$日本") as host:
        host.manifest(WEB)
        host.apply()
        ran = host.envsync("run", "web", "--", "python", "-c", "import alpha; print(alpha.NAME)")
        assert ran.out == "alpha 1.1\n"
        command = ". .envs/web/bin/activate && python -c 'import sys; print(sys.prefix)'"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=host.directory,
            env=base_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert Path(done.stdout.strip()).samefile(host.venv("web"))
        assert (host.venv("web") / "bin/gamma").exists()


def test_an_absolute_root_and_a_link_to_it_are_the_same(host: Host, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    host.manifest(WEB, head=f"root: {elsewhere}\n")
    host.apply()
    assert (elsewhere / "web").is_symlink()
    assert not host.root.exists()
    host.root.symlink_to(elsewhere)
    host.manifest(WEB)
    assert host.envsync("check").code == 0, "the same root by a different path"
    host.apply()
    assert published(host, "web") == 1
    assert host.root.is_symlink()


def test_the_manifest_can_be_named_from_another_directory_and_by_a_variable(host: Host) -> None:
    host.manifest(WEB)
    below = host.directory / "below"
    below.mkdir()
    inside = Host(directory=below, index=host.index)
    assert inside.envsync("apply", "--yes", "-f", "../envs.yaml").code == 0
    assert published(host, "web") == 1
    assert not (below / ".envs").exists()
    assert not (below / "locks").exists()
    inside.env = {"ENVSYNC_FILE": "../envs.yaml"}
    assert inside.envsync("check").code == 0
    ran = inside.envsync("run", "web", "--", "python", "-c", "import os; print(os.getcwd())")
    assert ran.out == f"{below}\n", "the command starts in the current directory"
    assert inside.envsync("run", "-f", "../envs.yaml", "web", "--", "true").code == 0
    assert host.envsync("check").code == 0, "the same manifest from both"
    assert inside.envsync("check", env={"ENVSYNC_FILE": ""}).code == 3


def test_a_moved_repository_is_reported_and_rebuilt_at_its_new_path(host: Host) -> None:
    host.manifest(WEB)
    host.apply()
    moved = host.directory.with_name("moved")
    host.directory.rename(moved)
    there = Host(directory=moved, index=host.index)
    ran = there.envsync("check")
    assert ran.code == 1
    assert "was not made by envsync as this user at this place" in ran.err
    assert there.envsync("trust", "--yes").code == 0
    assert there.envsync("check").code == 2
    there.apply()
    assert there.envsync("run", "web", "--", "python", "-c", "import gamma").code == 0
