"""`gc --cache` deletes what nothing needs from the caches of a root, and nothing else."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.canonical_json import Json
from reconciler.fastpath.record import MOST_READINGS
from reconciler.state.layout import Layout
from tests.functional.host_state import tree
from tests.host import Host, new_host, put_back
from tests.state.edited import edit_state_file, stored_in

WEB = 'web:\n  python: "3.11"\n  packages: [%s]\n  keep_generations: 2\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host whose cache has three packages, one of them in two versions; generations 2 and 3 are kept."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        for packages in ("alpha==1.0, gamma", "alpha==1.1", "beta"):
            host.manifest(WEB % packages)
            host.apply()
        yield host


@pytest.fixture
def thrice(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


def cached(host: Host) -> set[str]:
    """Return the wheels in the package cache, as `name/version`."""
    wheels = Layout(host.root).engine_cache.glob("wheels-v*/index/*/*/*.http")
    archives = list(Layout(host.root).engine_cache.glob("archive-v*/*"))
    found = {f"{each.parent.name}/{each.name.partition('-')[0]}" for each in wheels}
    assert len(archives) == len(found), "no archive without a wheel"
    return found


def collected(host: Host) -> dict[str, dict[str, Json]]:
    ran = host.envsync("gc", "--cache", "--output", "json")
    assert ran.code == 0, ran.err
    return {each["cache"]: each for each in json.loads(ran.out) if "cache" in each}


def test_only_packages_that_no_generation_has_are_deleted(thrice: Host) -> None:
    assert cached(thrice) == {"alpha/1.0", "alpha/1.1", "beta/2.0", "gamma/0.1"}
    before = tree(thrice.root / ".envsync/generations")
    (Layout(thrice.root).engine_cache / ".tmpleft").mkdir()
    found = collected(thrice)
    assert found["packages"]["count"]
    assert found["packages"]["bytes"]
    assert cached(thrice) == {"alpha/1.1", "beta/2.0"}
    assert tree(thrice.root / ".envsync/generations") == before
    assert not (Layout(thrice.root).engine_cache / ".tmpleft").exists()
    assert {kind: each["count"] for kind, each in collected(thrice).items()} == dict.fromkeys(found, 0)
    assert thrice.check("--depth", "hashes")["difference"] is False
    thrice.manifest(WEB % "alpha==1.1")
    assert thrice.envsync("lock").code == 0
    thrice.apply("--offline")
    thrice.manifest(WEB % "alpha==1.0, gamma")
    thrice.apply()


def test_entries_of_what_is_gone_are_deleted(thrice: Host) -> None:
    layout = Layout(thrice.root)
    shutil.copy(layout.agreements / "web", layout.agreements / "gone")
    elsewhere = thrice.directory / "elsewhere.yaml"
    shutil.copy(thrice.directory / "envs.yaml", elsewhere)
    assert thrice.envsync("plan", "--file", str(elsewhere)).code == 0
    assert len(list(layout.cache.glob("manifest-*"))) == 2
    elsewhere.unlink()
    facts = stored_in(layout.interpreter_facts)
    known = facts["interpreters"]
    edit_state_file(layout.interpreter_facts, {"interpreters": known | {"/gone/python3": next(iter(known.values()))}})
    found = collected(thrice)
    assert found["agreements"]["count"] == 1
    assert found["manifest readings"]["count"] == 1
    assert found["interpreters"]["count"] == 1
    assert found["file hashes"]["count"]
    assert "gone" not in os.listdir(layout.agreements)
    assert "web" in os.listdir(layout.agreements)
    assert stored_in(layout.interpreter_facts) == facts
    assert {each["count"] for each in collected(thrice).values()} == {0}


def test_the_users_own_package_cache_is_left_alone(host: Host, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    host.env = {"HOME": str(home)}
    host.manifest(WEB % "alpha==1.0", head="cache: user\n")
    host.apply()
    host.manifest(WEB % "beta" + "  description: x\n", head="cache: user\n")
    host.apply()
    before = tree(home)
    assert before
    found = collected(host)
    assert "packages" not in found
    assert tree(home) == before


def test_a_dry_run_of_it_is_refused(thrice: Host) -> None:
    assert thrice.envsync("gc", "--cache", "--dry-run").code == 3


def test_manifest_readings_are_bounded_without_it(host: Host) -> None:
    host.manifest(WEB % "beta")
    host.apply()
    cache = Layout(host.root).cache
    for number in range(MOST_READINGS + 10):
        (cache / f"manifest-{number:08x}").touch()
        os.utime(cache / f"manifest-{number:08x}", (0, number))
    host.manifest(WEB % "gamma")
    host.apply()
    readings = sorted(each.name for each in cache.glob("manifest-*"))
    assert len(readings) == MOST_READINGS
    assert f"manifest-{MOST_READINGS + 9:08x}" in readings
    assert "manifest-00000000" not in readings
    assert host.envsync("check").out.startswith("No ")
