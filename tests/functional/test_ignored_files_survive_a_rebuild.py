"""A rebuild carries the files over that `ignore_files` matches, or it is blocked until `--drop-ignored`."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.host_state import planned, published, steps
from tests.host import Host, new_host, put_back
from tests.wheels import make_wheel

WEB = (
    'web:\n  python: "3.11"\n  packages: [alpha==%s, gamma]\n'
    "  link_mode: copy\n  keep_generations: 1\n  ignore_files: %s\n"
)


def declare(host: Host, version: str = "1.0", globs: str = '["share/**"]', python: str = "3.11") -> None:
    host.manifest((WEB % (version, globs)).replace("3.11", python))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with `web` applied."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        declare(host)
        host.apply()
        yield host


@pytest.fixture
def web(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


def blocked(host: Host) -> list[str]:
    return [each["code"] for each in planned(host)["web"]["blocked"]]


def test_files_links_and_empty_directories_are_copied_with_mode_time_and_owner(
    web: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = web.venv("web") / "share/jupyter"
    (share / "empty").mkdir(parents=True)
    (share / "mine").write_text("settings of a week")
    (share / "mine").chmod(0o640)
    os.utime(share / "mine", (1_700_000_000, 1_700_000_000))
    (share / "tool").write_text("#!/bin/sh\n")
    (share / "tool").chmod(0o755)
    (share / "link").symlink_to("mine")
    (share / "away").symlink_to("/nowhere")
    share.chmod(0o750)
    if os.geteuid() == 0:
        os.chown(share / "mine", 4242, 4242)
    before = (share / "mine").stat()
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(share)
        server.bind("socket")
    declare(web, "1.1")
    assert planned(web)["web"]["notes"] == ["6 ignored files are carried over"]
    assert "carry-over" in steps(web, "web")
    web.apply()
    share = web.venv("web").resolve() / "share/jupyter"
    after = (share / "mine").stat()
    assert published(web, "web") == 2
    assert (share / "mine").read_text() == "settings of a week"
    assert [(each.st_mode, each.st_mtime, each.st_uid, each.st_nlink) for each in (before, after)] == [
        (stat.S_IFREG | 0o640, 1_700_000_000.0, 4242 if os.geteuid() == 0 else os.geteuid(), 1)
    ] * 2
    assert after.st_ino != before.st_ino, "two generations never share a file that changes"
    assert os.access(share / "tool", os.X_OK)
    assert ((share / "link").readlink(), (share / "away").readlink()) == (Path("mine"), Path("/nowhere"))
    assert (share / "empty").is_dir()
    assert stat.S_IMODE(share.stat().st_mode) == 0o750
    assert not (share / "socket").exists()


@pytest.mark.parametrize("depth", ["metadata", "files", "hashes"])
def test_they_are_carried_over_at_every_depth(web: Host, depth: str) -> None:
    path = web.venv("web") / "share/x/y"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    for version in ("1.1", "1.0"):
        declare(web, version)
        web.apply("--depth", depth) if depth != "files" else web.apply()
        assert path.read_text() == "mine"


def test_an_edited_file_of_a_package_is_carried_over_while_the_package_stays_the_same(web: Host) -> None:
    globs = '["lib/**/gamma/__init__.py", "lib/**/alpha/__init__.py"]'
    declare(web, globs=globs)
    web.apply()
    for name in ("alpha", "gamma"):
        (web.site_packages("web") / name / "__init__.py").write_text(f"EDITED = '{name}'\n")
    assert web.envsync("check").code == 0
    declare(web, "1.1", globs=globs)
    assert blocked(web) == ["ignored-would-be-lost"]
    ran = web.envsync("apply", "--yes")
    assert ran.code == 4
    assert "alpha/__init__.py" in ran.out
    assert "gamma/__init__.py" not in ran.out.partition("would lose")[2].partition("hint")[0]
    assert published(web, "web") == 1
    (web.site_packages("web") / "alpha/__init__.py").write_text("NAME = 'alpha 1.0'\n")
    web.apply()
    assert published(web, "web") == 2
    assert (web.site_packages("web") / "gamma/__init__.py").read_text() == "EDITED = 'gamma'\n"
    assert "1.1" in (web.site_packages("web") / "alpha/__init__.py").read_text()


def test_files_of_a_python_version_are_not_carried_into_a_different_one(web: Host) -> None:
    globs = '["**/mine.txt"]'
    declare(web, globs=globs)
    web.apply()
    (web.site_packages("web") / "mine.txt").write_text("mine")
    (web.venv("web") / "mine.txt").write_text("mine")
    declare(web, globs=globs, python="3.12")
    assert blocked(web) == ["ignored-would-be-lost"]
    assert planned(web, "--drop-ignored")["web"]["notes"] == ["2 ignored files are left behind in the old generation"]
    web.apply("--drop-ignored")
    assert not (web.venv("web") / "mine.txt").exists()


def test_a_file_that_the_new_version_brings_too_is_not_replaced_silently(web: Host) -> None:
    make_wheel(
        web.index.directory, "gamma", "0.2", modules={"gamma/__init__.py": "", "gamma/own.cfg": "from the wheel"}
    )
    globs = '["**/own.cfg"]'
    declare(web, globs=globs)
    web.apply()
    mine = web.site_packages("web") / "gamma/own.cfg"
    mine.write_text("mine")
    assert web.envsync("lock", "-P", "gamma").code == 0
    ran = web.envsync("apply", "--yes")
    assert ran.code == 1
    assert "would lose files that `ignore_files` matches: `lib/python3.11/site-packages/gamma/own.cfg`" in ran.err
    assert published(web, "web") == 1
    assert mine.read_text() == "mine"
    web.apply("--drop-ignored")
    assert (web.site_packages("web") / "gamma/own.cfg").read_text() == "from the wheel"


def test_nothing_is_written_through_a_symbolic_link_of_the_new_generation(web: Host, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    mine = web.venv("web") / "share/link/x"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    link = "import os, sys; os.makedirs(sys.prefix + '/share', exist_ok=True); "
    link += f"os.symlink({str(outside)!r}, sys.prefix + '/share/link')"
    web.manifest((WEB % ("1.1", '["share/**"]')) + f'  probes: [{{run: [python, -c, "{link}"]}}]\n')
    ran = web.envsync("apply", "--yes")
    assert ran.code == 1
    assert "share/link/x" in ran.err
    assert list(outside.iterdir()) == []
    assert (published(web, "web"), mine.read_text()) == (1, "mine")


def test_a_damaged_inventory_blocks_a_rebuild_because_it_is_unknown_what_was_added(web: Host) -> None:
    inventory = web.root / ".envsync/generations/web/1/inventory"
    inventory.write_bytes(b"x")
    assert blocked(web) == ["ignored-would-be-lost"]
    web.apply("--drop-ignored")


def test_a_script_that_names_the_old_generation_is_not_drift_after_it_was_carried_over(web: Host) -> None:
    globs = '["bin/mine"]'
    declare(web, globs=globs)
    web.apply()
    script = web.venv("web") / "bin/mine"
    script.write_text(f"#!{web.venv('web').resolve()}/bin/python\n")
    script.chmod(0o755)
    declare(web, "1.1", globs=globs)
    web.apply()
    assert (web.venv("web") / "bin/mine").exists()


def test_a_saved_plan_is_still_valid_after_another_ignored_file_was_written(web: Host) -> None:
    mine = web.venv("web") / "share/x"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("1")
    declare(web, "1.1")
    assert web.envsync("lock").code == 0
    assert web.envsync("plan", "--out", "plan.json").code == 0
    mine.with_name("y").write_text("2")
    mine.write_text("3")
    assert web.envsync("apply", "--plan", "plan.json").code == 0
    share = web.venv("web") / "share"
    assert {each: (share / each).read_text() for each in ("x", "y")} == {"x": "3", "y": "2"}
