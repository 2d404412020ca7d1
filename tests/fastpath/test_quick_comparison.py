"""Environments that the quick comparison finds unchanged are not compared, with the same result."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.fastpath.quick_comparison import QuickComparison
from reconciler.observe.actual import ActualEnvironment, Depth
from reconciler.observe.environments import observe_environments
from reconciler.state import inode_hashes
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.layout import Layout
from tests.every_case import usually
from tests.faults.damages import CATALOGUE, ONE_OF_EACH_KIND, SERIES, Damage
from tests.host import Host, new_host

WEB = f'web:\n  python: "{SERIES}"\n  packages: [alpha, gamma]\n'
API = f'api:\n  python: "{SERIES}"\n  packages: [beta]\n'


@pytest.fixture(scope="module")
def applied_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a host with two environments, applied and locked."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        yield host


def settle(host: Host, manifest: str = WEB + API) -> None:
    """Make everything on a host match its manifest, and let a run remember it."""
    host.manifest(manifest)
    host.apply()
    time.sleep(2 * TICK_NS / 1e9)  # a change within the last tick is never remembered
    reconciler.load(host.directory / "envs.yaml").plan()


def seen(host: Host, *, compare: bool) -> tuple[dict[str, ActualEnvironment], set[str]]:
    """Return the actual environments at depth `files`, and which of them were not compared."""
    workspace = reconciler.load(host.directory / "envs.yaml")
    state = workspace.state
    inodes = InodeHashes.load(state.layout.inode_hashes)
    names = state.last_applied()
    actual = observe_environments(names, workspace.desired(), state, names, Depth.FILES, inodes, compare=compare)
    return dict(actual.environments), inodes.quickly_compared


def test_an_unchanged_environment_is_not_compared(applied_host: Host) -> None:
    settle(applied_host)
    compared, none = seen(applied_host, compare=True)
    remembered, both = seen(applied_host, compare=False)
    assert (none, both) == (set(), {"api", "web"})
    assert remembered == compared


def test_an_environment_is_compared_if_not_all_who_may_enter_the_root_may_read_it(applied_host: Host) -> None:
    settle(applied_host)
    state = reconciler.load(applied_host.directory / "envs.yaml").state
    published = state.published("web")
    assert published is not None

    def known(**changes: Any) -> bool:
        return QuickComparison(state.layout).files_as_sealed("web", replace(published, **changes), ())

    assert known()
    assert not known(closed=("web",))
    assert not known(seal="")
    assert not known(venv=published.venv.parent)
    assert not known(inventory=published.inventory.with_name("other"))
    assert not QuickComparison(state.layout).files_as_sealed("web", published, ("var/**",))
    assert not QuickComparison(state.layout).files_as_sealed("other", published, ())
    mode = state.layout.root.stat().st_mode & 0o777
    state.layout.root.chmod(mode ^ 0o010)
    assert not known()
    state.layout.root.chmod(mode)
    assert known()
    os.utime(published.inventory.with_name("seal.json"))
    assert not known()


@pytest.mark.parametrize("damage", usually(ONE_OF_EACH_KIND, CATALOGUE), ids=lambda each: each.name)
def test_a_damaged_generation_is_compared(damage: Damage, applied_host: Host) -> None:
    """The short form has one damage of each kind: the same comparison finds the others."""
    settle(applied_host)
    undamaged, _ = seen(applied_host, compare=True)
    layout = Layout(applied_host.root)
    damage.make(layout.generation("web", layout.published_number("web")))
    compared, _ = seen(applied_host, compare=True)
    remembered, quick = seen(applied_host, compare=False)
    assert remembered == compared
    assert "web" not in quick or compared["web"] == undamaged["web"]


def test_a_file_that_is_no_longer_ignored_is_found(applied_host: Host) -> None:
    settle(applied_host)  # removes the files of other tests
    settle(applied_host, WEB + '  ignore_files: ["var/**"]\n' + API)
    (applied_host.venv("web") / "var").mkdir()
    (applied_host.venv("web") / "var/a.log").write_text("one\n")
    time.sleep(2 * TICK_NS / 1e9)
    reconciler.load(applied_host.directory / "envs.yaml").plan()
    assert seen(applied_host, compare=False)[1] == {"api"}, "a rebuild must know which ignored files exist"
    applied_host.manifest(WEB + API)
    remembered, quick = seen(applied_host, compare=False)
    assert quick == {"api"}
    assert [each.path for each in remembered["web"].findings] == ["var/a.log"]


def test_a_file_that_is_no_longer_ignored_is_found_after_an_apply_that_compared_no_files(applied_host: Host) -> None:
    ignoring = WEB + '  ignore_files: ["var/**"]\n' + API
    settle(applied_host, ignoring)
    (applied_host.venv("web") / "var").mkdir(exist_ok=True)
    (applied_host.venv("web") / "var/a.log").write_text("one\n")
    time.sleep(2 * TICK_NS / 1e9)
    applied_host.envsync("plan")
    assert applied_host.envsync("plan").out == "No changes. 2 environments match `envs.yaml`.\n"
    applied_host.manifest(WEB + API)
    assert applied_host.envsync("apply", "--yes", "--depth", "metadata").code == 0
    assert applied_host.envsync("check").code == 2


def test_a_new_generation_does_not_read_shared_files_again(applied_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(applied_host)
    read: list[str] = []
    hash_file = inode_hashes.hash_file

    def counted(path: str | Path) -> tuple[os.stat_result, str, os.stat_result]:
        read.append(str(path))
        return hash_file(path)

    monkeypatch.setattr(inode_hashes, "hash_file", counted)
    applied_host.manifest(WEB.replace("gamma", "beta") + API)
    reconciler.load(applied_host.directory / "envs.yaml").plan().apply()
    assert read
    assert not [path for path in read if path.endswith("alpha/__init__.py")]
