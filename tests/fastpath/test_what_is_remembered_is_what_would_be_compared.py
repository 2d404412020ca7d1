"""Of several environments those that are as they are remembered are not compared; that they were would say the same."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler
from reconciler.observe.actual import ActualEnvironment, Depth
from reconciler.observe.environments import observe
from reconciler.state import inode_hashes
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.layout import Layout
from tests.faults.damages import CATALOGUE, SERIES, Damage
from tests.host import Host, new_host

WEB = f'web:\n  python: "{SERIES}"\n  packages: [alpha, gamma]\n'
API = f'api:\n  python: "{SERIES}"\n  packages: [beta]\n'


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host with two environments, applied and locked."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        yield host


def settle(host: Host, manifest: str = WEB + API) -> None:
    """Bring a host to where everything is as its manifest says, and is remembered so."""
    host.manifest(manifest)
    host.apply()
    time.sleep(2 * TICK_NS / 1e9)  # what moved within a tick is never remembered
    reconciler.load(host.directory / "envs.yaml").plan()


def seen(host: Host, *, compare: bool) -> tuple[dict[str, ActualEnvironment], set[str]]:
    """Return what stands there at depth `files`, and which environments were not compared."""
    workspace = reconciler.load(host.directory / "envs.yaml")
    state = workspace.state
    looking = InodeHashes.load(state.layout.inode_hashes)
    names = state.last_applied()
    actual = observe(names, workspace.desired(), state, names, Depth.FILES, looking, compare=compare)
    return dict(actual.environments), looking.as_remembered


def test_what_nobody_touched_is_not_compared(standing: Host) -> None:
    settle(standing)
    compared, none = seen(standing, compare=True)
    remembered, both = seen(standing, compare=False)
    assert (none, both) == (set(), {"api", "web"})
    assert remembered == compared


@pytest.mark.parametrize("damage", CATALOGUE, ids=lambda each: each.name)
def test_a_damaged_generation_is_compared(damage: Damage, standing: Host) -> None:
    settle(standing)
    whole, _ = seen(standing, compare=True)
    layout = Layout(standing.root)
    damage.make(layout.generation("web", layout.published_number("web")))
    compared, _ = seen(standing, compare=True)
    remembered, quick = seen(standing, compare=False)
    assert remembered == compared
    assert "web" not in quick or compared["web"] == whole["web"]


def test_what_is_no_longer_ignored_is_found(standing: Host) -> None:
    settle(standing, WEB + '  ignore_files: ["var/**"]\n' + API)
    (standing.venv("web") / "var").mkdir()
    (standing.venv("web") / "var/a.log").write_text("one\n")
    time.sleep(2 * TICK_NS / 1e9)
    reconciler.load(standing.directory / "envs.yaml").plan()
    assert seen(standing, compare=False)[1] == {"api", "web"}
    standing.manifest(WEB + API)
    remembered, quick = seen(standing, compare=False)
    assert quick == {"api"}
    assert [each.path for each in remembered["web"].findings] == ["var/a.log"]


def test_what_is_no_longer_ignored_is_found_after_an_apply_that_did_not_look(standing: Host) -> None:
    ignoring = WEB + '  ignore_files: ["var/**"]\n' + API
    settle(standing, ignoring)
    (standing.venv("web") / "var").mkdir(exist_ok=True)
    (standing.venv("web") / "var/a.log").write_text("one\n")
    time.sleep(2 * TICK_NS / 1e9)
    standing.envsync("plan")
    assert standing.envsync("plan").out == "No changes. 2 environments are as envs.yaml says.\n"
    standing.manifest(WEB + API)
    assert standing.envsync("apply", "--yes", "--depth", "metadata").code == 0
    assert standing.envsync("check").code == 2


def test_of_one_that_is_built_anew_what_it_shares_is_read_no_second_time(
    standing: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(standing)
    read: list[str] = []
    hash_file = inode_hashes.hash_file

    def counted(path: str | Path) -> tuple[os.stat_result, str, os.stat_result]:
        read.append(str(path))
        return hash_file(path)

    monkeypatch.setattr(inode_hashes, "hash_file", counted)
    standing.manifest(WEB.replace("gamma", "beta") + API)
    reconciler.load(standing.directory / "envs.yaml").plan().apply()
    assert read
    assert not [path for path in read if path.endswith("alpha/__init__.py")]
