"""A root that came with a commit, an archive or a copy is never believed, and nothing in it is run or overwritten."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host import Host, new_host
from tests.hostile.replaced_files import contents_of
from tests.repository import git

EVIL = "raise SystemExit('evil')\n"
COMMANDS = (
    ("check",),
    ("check", "--depth", "hashes"),
    ("plan",),
    ("status",),
    ("verify",),
    ("observe",),
    ("history",),
    ("freeze", "web"),
    ("diff", "web", "1"),
    ("apply", "--yes", "--locked"),
    ("rollback", "web"),
    ("hold", "web", "x"),
    ("gc",),
    ("destroy", "web", "--yes"),
)


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Host]:
    """Yield a clone whose `.envs` an attacker made: consistent, with a module that the wheel does not have."""
    with new_host(tmp_path) as host:
        host.manifest('web:\n  python: "3.12"\n  packages: [gamma]\n')
        host.env["XDG_STATE_HOME"] = str(tmp_path / "attacker")
        assert host.envsync("apply", "--yes").code == 0
        module = host.site_packages("web") / "gamma/__init__.py"
        module.unlink()
        module.write_text(EVIL, encoding="utf-8")
        git(host.directory, "init", "-q")
        git(host.directory, "add", "-A", "-f")
        git(host.directory, "commit", "-qm", "a pull request")
        host.env["XDG_STATE_HOME"] = str(tmp_path / "victim")
        yield host


def tracked(_host: Host) -> None:
    """Leave it as it was committed."""


def extracted(host: Host) -> None:
    """Take the files out of git: they came with an archive, or a cache of the CI service."""
    git(host.directory, "rm", "-rq", "--cached", ".envs")
    git(host.directory, "commit", "-qm", "removed")


def linked(host: Host) -> None:
    """Point the root to the attacker's directory elsewhere."""
    host.root.rename(host.directory.parent / "elsewhere")
    host.root.symlink_to(host.directory.parent / "elsewhere")
    git(host.directory, "rm", "-rq", "--cached", ".envs")


def of_a_submodule(host: Host) -> None:
    """Make the root a repository of its own, as a submodule is checked out."""
    git(host.directory, "rm", "-rq", "--cached", ".envs")
    git(host.root, "init", "-q")
    git(host.root, "add", "-A", "-f")
    git(host.root, "commit", "-qm", "inner")


WAYS = {
    tracked: "root-tracked",
    extracted: "root-untrusted",
    linked: "root-untrusted",
    of_a_submodule: "root-tracked",
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_root_that_this_user_did_not_make_is_refused_by_every_command(
    way: Callable[[Host], None], clone: Host
) -> None:
    way(clone)
    before = contents_of(clone.root.resolve())
    for arguments in COMMANDS:
        in_json = () if arguments[0] in {"freeze", "observe"} else ("--output", "json")
        ran = clone.envsync(*arguments, *in_json)
        assert ran.code == 1, (arguments, ran.out, ran.err)
        assert "No drift" not in ran.out
        if in_json:
            assert f'"{WAYS[way]}"' in ran.out, (arguments, ran.out)
    ran = clone.envsync("run", "web", "--", "python", "-c", "import gamma")
    assert ran.code == 125
    assert "evil" not in ran.out + ran.err
    assert contents_of(clone.root.resolve()) == before


def test_after_the_hint_the_environment_is_that_of_the_lock(clone: Host) -> None:
    hint = clone.envsync("check").err
    assert "git rm -r --cached .envs" in hint
    git(clone.directory, "rm", "-rq", "--cached", ".envs")
    shutil.rmtree(clone.root / ".envsync")
    assert clone.envsync("apply", "--yes", "--locked").code == 0
    assert "evil" not in clone.envsync("run", "web", "--", "python", "-c", "import gamma").err


def test_a_forged_package_cache_alone_installs_nothing(clone: Host, tmp_path: Path) -> None:
    cache = clone.root / ".envsync/cache/uv"
    cache.rename(tmp_path / "cache")
    shutil.rmtree(clone.root)
    cache.parent.mkdir(parents=True)
    (tmp_path / "cache").rename(cache)
    assert clone.envsync("apply", "--yes", "--locked").code == 1
    git(clone.directory, "rm", "-rq", "--cached", ".envs")
    ran = clone.envsync("apply", "--yes", "--locked")
    assert ran.code == 1
    assert "was not made by envsync as this user" in ran.err


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host with a root of its own, with two environments."""
    with new_host(tmp_path_factory.mktemp("own")) as host:
        host.manifest('web:\n  python: "3.12"\n  packages: [gamma]\njob:\n  python: "3.12"\n  packages: [beta]\n')
        host.apply()
        yield host


def _forged_record(state: Path) -> None:
    record = state / "environments/web.json"
    stored = json.loads(record.read_text(encoding="utf-8"))
    stored["applied"]["settings"]["env"] = {"LD_PRELOAD": "/evil.so"}
    record.write_text(json.dumps(stored), encoding="utf-8")


def _record_of_another(state: Path) -> None:
    shutil.copy(state / "environments/job.json", state / "environments/web.json")


def _forged_seal(state: Path) -> None:
    seal = state / "generations/web/1/seal.json"
    stored = json.loads(seal.read_text(encoding="utf-8"))
    seal.write_text(json.dumps({**stored, "inventory": "sha256:0"}), encoding="utf-8")


def _inventory_of_another(state: Path) -> None:
    shutil.copy(state / "generations/job/1/inventory", state / "generations/web/1/inventory")


@pytest.mark.parametrize("forge", [_forged_record, _record_of_another, _forged_seal, _inventory_of_another])
def test_a_forged_file_in_ones_own_root_is_damage_of_its_environment(
    forge: Callable[[Path], None], own: Host, tmp_path: Path
) -> None:
    state = own.root / ".envsync"
    saved = tmp_path / "saved"
    shutil.copytree(state, saved, symlinks=True)
    try:
        forge(state)
        ran = own.envsync("check", "--output", "json")
        assert ran.code == 2, ran.out + ran.err
        found = {each["name"]: each for each in ran.json()["environments"]}
        assert found["job"]["action"] == "no-op"
        assert found["web"]["action"] != "no-op" or found["web"]["blocked"]
    finally:
        for name in ("environments/web.json", "generations/web/1/seal.json", "generations/web/1/inventory"):
            shutil.copy2(saved / name, state / name)


def test_a_forged_record_gives_a_service_no_variables(own: Host, tmp_path: Path) -> None:
    record = own.root / ".envsync/environments/web.json"
    saved = record.read_bytes()
    try:
        _forged_record(own.root / ".envsync")
        ran = own.envsync("run", "web", "--", "python", "-c", "import os; print(os.environ.get('LD_PRELOAD'))")
        assert ran.code == 125
        assert "was not written by envsync as this user" in ran.err
    finally:
        record.write_bytes(saved)


@pytest.mark.parametrize("name", ["cache/agreed", "cache", "cache/uv", "environments", "generations", "deleted"])
@pytest.mark.parametrize("command", [("check",), ("destroy", "web", "--yes"), ("gc", "--cache"), ("apply", "--yes")])
def test_a_link_in_the_place_of_a_directory_is_not_followed(
    name: str, command: tuple[str, ...], own: Host, tmp_path: Path
) -> None:
    place, outside = own.root / ".envsync" / name, tmp_path / "outside"
    outside.mkdir()
    for each in ("web", "web.own", "web.json", "job"):
        (outside / each).write_text("mine", encoding="utf-8")
    moved = place.with_name(f"{place.name}-moved")
    if place.exists():
        place.rename(moved)
    place.symlink_to(outside)
    before = contents_of(outside)
    try:
        ran = own.envsync(*command)
        assert ran.code == 1
        assert "is a symbolic link, which envsync does not follow" in ran.err
        assert contents_of(outside) == before
    finally:
        place.unlink()
        if moved.exists():
            moved.rename(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files to another user")
def test_a_root_of_another_user_is_refused_until_it_is_trusted(tmp_path: Path) -> None:
    with new_host(tmp_path) as host:
        host.env["XDG_STATE_HOME"] = str(tmp_path / "state")
        host.manifest('web:\n  python: "3.12"\n  packages: [gamma]\n')
        assert host.envsync("apply", "--yes").code == 0
        for path in (host.root, host.root / ".envsync"):
            os.chown(path, 12345, 12345)
        for arguments in (("check",), ("status",), ("apply", "--yes")):
            ran = host.envsync(*arguments)
            assert ran.code == 1, arguments
            assert "belongs to #12345, and you are root" in ran.err
        assert host.envsync("run", "web", "--", "true").code == 125
        assert "of #12345 is trusted for this user" in host.envsync("trust", "--yes").out
        assert host.envsync("check").out.startswith("No drift")
        assert host.envsync("run", "web", "--", "python", "-c", "print(1)").out == "1\n"
        assert host.envsync("apply", "--yes").code == 1  # only the owner writes


@pytest.mark.parametrize(("mode", "who"), [(0o777, "every user"), (0o757, "every user"), (0o770, "the group")])
def test_a_root_that_others_may_write_to_is_refused(mode: int, who: str, own: Host) -> None:
    for path in (own.root, own.root / ".envsync"):
        before = path.stat().st_mode
        gid = path.stat().st_gid
        os.chown(path, -1, 12345)
        path.chmod(mode)
        try:
            for arguments in (("check",), ("plan",), ("apply", "--yes")):
                ran = own.envsync(*arguments)
                assert ran.code == 1, arguments
                assert f"{who}" in ran.err
                assert f"may write to `{path}`" in ran.err
            assert own.envsync("run", "web", "--", "true").code == 125
        finally:
            os.chown(path, -1, gid)
            path.chmod(before)
    assert own.envsync("check").code == 0
