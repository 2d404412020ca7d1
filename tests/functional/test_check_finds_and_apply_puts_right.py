"""`check` finds every kind of manual change to an environment, and one `apply` repairs it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory_file import save_inventory
from reconciler.state.inventory_scan import take_inventory
from tests.host import Host, base_environment, new_host, put_back
from tests.wheels import make_wheel

WEB = """
web:
  python: "3.11"
  packages: [alpha==1.0, gamma]
"""

Damage = Callable[[Host], None]


def uv(host: Host, *arguments: str) -> None:
    """Change the environment manually, as a person with uv would."""
    from uv import find_uv_bin

    venv = host.venv("web").resolve()
    command = [find_uv_bin(), "pip", *arguments[:1], "-p", str(venv / "bin/python"), "--no-config", *arguments[1:]]
    subprocess.run(command, check=True, capture_output=True, env=base_environment())


def package_uninstalled(host: Host) -> None:
    uv(host, "uninstall", "gamma")


def package_upgraded(host: Host) -> None:
    uv(host, "install", "--default-index", host.index.url, "alpha==1.1")


def package_added(host: Host) -> None:
    uv(host, "install", "--default-index", host.index.url, "delta")


def module_edited(host: Host) -> None:
    (host.site_packages("web") / "beta.py").write_text("NAME = 'mine'\n")


def module_deleted(host: Host) -> None:
    (host.site_packages("web") / "beta.py").unlink()


def stray_pth_added(host: Host) -> None:
    (host.site_packages("web") / "evil.pth").write_text("import os\n")


def record_removed(host: Host) -> None:
    (host.site_packages("web") / "beta-2.0.dist-info/RECORD").unlink()


def metadata_emptied(host: Host) -> None:
    (host.site_packages("web") / "beta-2.0.dist-info/METADATA").write_text("")


def pyvenv_cfg_removed(host: Host) -> None:
    (host.venv("web") / "pyvenv.cfg").unlink()


def interpreter_dangling(host: Host) -> None:
    python = host.venv("web") / "bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")


def module_edited_with_the_same_size_and_mtime(host: Host) -> None:
    module = host.site_packages("web") / "beta.py"
    before = module.stat()
    module.write_text("NAME = 'atad'\n"[: before.st_size].ljust(before.st_size, "\n"))
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = module.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def inventory_written_again_after_an_edit(host: Host) -> None:
    module_edited(host)
    venv = host.venv("web").resolve()
    save_inventory(take_inventory(venv, InodeHashes()), venv.parent / "inventory")


DAMAGES: list[tuple[Damage, set[str], set[tuple[str, str, str]]]] = [
    # the damage, the environment's reasons, the changes of packages (name, action, reason)
    (package_uninstalled, {"packages-drifted"}, {("gamma", "install", "removed-by-hand")}),
    (package_upgraded, {"packages-drifted"}, {("alpha", "downgrade", "changed-by-hand")}),
    (package_added, {"packages-drifted"}, {("delta", "remove", "installed-by-hand")}),
    (module_edited, {"files-drifted"}, {("beta", "repair", "files-edited")}),
    (module_deleted, {"files-drifted"}, {("beta", "repair", "files-edited")}),
    (stray_pth_added, {"files-drifted"}, set()),
    (record_removed, {"environment-damaged"}, {("beta", "repair", "metadata-damaged")}),
    (metadata_emptied, {"environment-damaged"}, {("beta", "repair", "metadata-damaged")}),
    (pyvenv_cfg_removed, {"environment-damaged"}, set()),
    (interpreter_dangling, {"environment-damaged"}, set()),
    (module_edited_with_the_same_size_and_mtime, {"files-drifted"}, {("beta", "repair", "files-edited")}),
    (inventory_written_again_after_an_edit, {"environment-damaged"}, set()),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with `web` applied, and with delta in the index."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        make_wheel(host.index.directory, "delta", "3.0")
        host.manifest(WEB)
        host.apply()
        yield host


@pytest.fixture
def applied(made: Host) -> Iterator[Host]:
    """Yield that host, which remembers all its files, and put everything back after the test."""
    with put_back(made) as host:
        time.sleep(2 * TICK_NS / 1e9)  # a change within the last tick is never remembered
        assert host.environment("web")["action"] == "no-op"
        yield host


@pytest.mark.parametrize(("damage", "reasons", "packages"), DAMAGES, ids=lambda each: getattr(each, "__name__", ""))
def test_manual_damage_is_found_as_drift_and_repaired(
    applied: Host, damage: Damage, reasons: set[str], packages: set[tuple[str, str, str]]
) -> None:
    host = applied
    intact = host.freeze("web")

    damage(host)

    found = host.environment("web")
    assert found["action"] == "update"
    assert reasons <= {each["code"] for each in found["reasons"]}, found["reasons"]
    assert {each["origin"] for each in found["reasons"]} == {"drift"}
    assert packages <= {(each["name"], each["action"], each["reason"]) for each in found["packages"]}, found["packages"]

    host.apply()
    assert host.freeze("web") == intact
    assert host.environment("web")["action"] == "no-op"


def test_a_directory_at_the_path_of_an_environment_blocks_and_is_not_changed(applied: Host) -> None:
    applied.venv("web").unlink()
    applied.venv("web").mkdir()
    (applied.venv("web") / "thesis.txt").write_text("mine")

    found = applied.environment("web")
    assert [each["code"] for each in found["blocked"]] == ["not-ours"]
    ran = applied.envsync("apply", "--yes")
    assert (ran.code, ran.err) == (4, "Not applied: 1 blocked.\n")
    assert applied.envsync("apply", "--yes", "--adopt", "-q").err == ""
    assert applied.envsync("apply", "--yes", "--adopt").code == 4
    assert (applied.venv("web") / "thesis.txt").read_text() == "mine"


def test_a_venv_that_envsync_did_not_create_blocks_until_it_is_adopted_and_is_kept(applied: Host) -> None:
    applied.venv("web").unlink()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(applied.venv("web"))], check=True)
    (applied.venv("web") / "marker").write_text("theirs")

    assert [each["code"] for each in applied.environment("web")["blocked"]] == ["not-ours"]
    assert applied.envsync("apply", "--yes").code == 4
    assert (applied.venv("web") / "marker").exists()

    applied.apply("--adopt")
    assert applied.venv("web").is_symlink()
    kept = list((applied.root / ".envsync/adopted/web").glob("*/venv/marker"))
    assert [each.read_text() for each in kept] == ["theirs"]


def test_a_version_raised_in_the_manifest_is_a_pending_upgrade(applied: Host) -> None:
    applied.manifest(WEB.replace("alpha==1.0", "alpha==1.1"))

    assert {each["code"] for each in applied.environment("web")["reasons"]} == {"lock-stale"}
    planned = applied.envsync("plan", "--output", "json").json()["environments"][0]
    assert {(each["name"], each["action"], each["origin"]) for each in planned["packages"]} == {
        ("alpha", "upgrade", "pending")
    }
    applied.apply()
    assert "alpha==1.1" in applied.freeze("web")


def test_a_different_python_in_the_manifest_replaces_the_environment(applied: Host) -> None:
    applied.manifest(WEB.replace('"3.11"', f'"{other_python(applied)}"'))

    planned = applied.envsync("plan", "--output", "json").json()["environments"][0]
    assert planned["action"] == "replace"
    assert "interpreter-changed" in {each["code"] for each in planned["reasons"]}
    applied.apply()
    assert f"python{other_python(applied)}" in str(applied.site_packages("web"))


def test_an_environment_removed_from_the_manifest_is_deleted(host: Host) -> None:
    host.manifest(WEB + "old:\n  python: '3.11'\n")
    host.apply()
    host.manifest(WEB)

    found = host.environment("old")
    assert found["action"] == "delete"
    assert {each["code"] for each in found["reasons"]} == {"not-in-manifest"}
    host.apply()
    assert not os.path.lexists(host.venv("old"))
    assert (host.root / ".envsync/deleted/old.json").exists(), "it can be restored"
    assert host.venv("web").is_symlink()


def other_python(host: Host) -> str:
    """Return a version other than 3.11 that this machine has; skip the test if there is none."""
    versions = ("3.12", "3.13", "3.10", "3.9")
    found = [version for version in versions if version not in missing_pythons(*versions)]
    if not found:
        pytest.skip("needs a second Python version, but this machine has only one")
    return found[0]


def missing_pythons(*versions: str) -> list[str]:
    """Return those of `versions` that neither the system nor pyenv has."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return [
        version
        for version in versions
        if not shutil.which(f"python{version}", path="/usr/bin:/usr/local/bin") and not list(pyenv.glob(f"{version}.*"))
    ]
