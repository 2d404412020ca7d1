"""The fast path does not answer for what it cannot see: directories outside of the environment, unreadable files."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from reconciler.observe.actual import Depth
from tests.fastpath.test_same_answer_as_the_full_program import full, quick
from tests.functional.test_reading_commands_need_no_write_permission import readable_interpreter
from tests.host import Host, new_host
from tests.unprivileged import reachable_directory, unprivileged
from tests.wheels import make_wheel

DEPTHS = (Depth.METADATA, Depth.FILES)
WEB = 'web:\n  python: "3.11"\n  packages: [gamma]\n'


def test_a_distribution_in_a_directory_that_a_pth_file_names_is_noticed(host: Host, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    make_wheel(host.index.directory, "linker", "1.0", modules={"linker.pth": f"{outside}\n"})
    host.manifest(WEB.replace("gamma", "linker"))
    host.apply()
    assert not full(host)
    assert [host.envsync("check", "--depth", depth.value).code for depth in DEPTHS] == [0, 0]
    info = outside / "stray-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stray\nVersion: 1.0\n")
    assert [quick(host, depth) for depth in DEPTHS] == [0, 0]
    assert [host.envsync("check", "--depth", depth.value).code for depth in DEPTHS] == [2, 2]
    shutil.rmtree(info)
    assert host.envsync("check").code == 0


def test_a_pth_file_that_names_no_outside_directory_costs_no_speed(host: Host) -> None:
    make_wheel(host.index.directory, "liner", "1.0", modules={"liner.pth": "import sys\n", "liner.py": ""})
    host.manifest(WEB.replace("gamma", "liner"))
    host.apply()
    assert not full(host)
    assert [quick(host, depth) for depth in DEPTHS] == [1, 1]


def test_a_link_to_a_directory_is_one_entry_and_what_it_points_to_does_not_count(host: Host, tmp_path: Path) -> None:
    """Below an ignored directory that was made later, one link points outside and another to its own directory."""
    outside = tmp_path / "outside"
    outside.mkdir()
    host.manifest(WEB + '  ignore_files: ["var/**"]\n')
    host.apply()
    var = host.venv("web") / "var"
    var.mkdir()
    (var / "data").symlink_to(outside)
    (var / "circle").symlink_to(".")
    assert not full(host)
    assert quick(host, Depth.FILES) == 1
    (outside / "file").write_text("theirs")
    assert quick(host, Depth.FILES) == 1


@pytest.mark.parametrize("hidden", ["more", "locks", ".envs/.envsync/environments", ".envs/.envsync/generations"])
def test_what_the_user_cannot_read_is_not_called_unchanged(hidden: str) -> None:
    with reachable_directory() as directory, new_host(directory) as host:
        (host.directory / "more").mkdir()
        (host.directory / "more/requirements.txt").write_text("beta\n")
        web = WEB.replace('"3.11"', str(readable_interpreter(host)))
        host.manifest(web + "  requirements: [more/requirements.txt]\n")
        host.apply()
        assert not full(host)
        with unprivileged():
            assert [quick(host, depth) for depth in DEPTHS] == [1, 1]
        (host.directory / hidden).chmod(0o700)
        with unprivileged():
            assert [quick(host, depth) for depth in DEPTHS] == [0, 0]


def test_another_path_that_does_not_have_the_interpreter_is_noticed(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The full program does not start what only the record names (docs/design.md, "Interpreters")."""
    for directory in ("one", "two"):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "python3").symlink_to(os.path.realpath(sys.executable))
    version = ".".join(map(str, sys.version_info[:3]))
    host.env = {"PATH": f"{tmp_path}/one", "PYENV_ROOT": "/nowhere"}
    host.manifest(WEB.replace("3.11", version))
    host.apply()
    for name, value in host.env.items():
        monkeypatch.setenv(name, value)
    assert [quick(host, depth) for depth in DEPTHS] == [1, 1]
    monkeypatch.setenv("PATH", f"{tmp_path}/two:{tmp_path}//one/")
    assert [quick(host, depth) for depth in DEPTHS] == [1, 1]
    host.env["PATH"] = f"{tmp_path}/two"
    monkeypatch.setenv("PATH", host.env["PATH"])
    assert [quick(host, depth) for depth in DEPTHS] == [0, 0]
    ran = host.envsync("check")
    assert ran.code == 2
    assert "only the record of the environment names it" in " ".join(ran.out.split())
    host.manifest(WEB.replace("3.11", f"{tmp_path}/one/python3"))  # as the hint says
    host.apply()
    assert [quick(host, depth) for depth in DEPTHS] == [1, 1]
