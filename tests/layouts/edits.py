"""The ten edits that are made to a repository, one after the other."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from reconciler.lock.toml_format import lock_text
from tests.layouts.layout import Layout, commit, git
from tests.layouts.source_tree import LOCKS
from tests.wheels import sha256

Edit = Callable[[Layout, Path, Path], bool]  # layout, repository, wheels of the index; False: not possible here


def _dependency(layout: Layout, repository: Path, _: Path) -> bool:
    return _change(layout.dependency, repository)


def _version(layout: Layout, repository: Path, _: Path) -> bool:
    return _change(layout.version, repository)


def _data(layout: Layout, repository: Path, _: Path) -> bool:
    return _change(layout.data, repository)


def _module(layout: Layout, repository: Path, _: Path) -> bool:
    return _change(layout.new_module, repository)


def _ignored(layout: Layout, repository: Path, _: Path) -> bool:
    return _change(layout.packaged_ignored, repository)


def _tag(_: Layout, repository: Path, __: Path) -> bool:
    git(repository, "tag", "v2.0.0")
    return True


def _commit(_: Layout, repository: Path, __: Path) -> bool:
    commit(repository)
    return True


def _neighbor(layout: Layout, repository: Path, _: Path) -> bool:
    return _change(layout.neighbor, repository)


def _lock(_: Layout, repository: Path, wheels: Path) -> bool:
    """Let the locks select the older version of alpha, as a commit of a colleague may do."""
    wheel = wheels / "alpha-1.0-py3-none-any.whl"
    for lock in repository.glob(LOCKS):
        document = tomllib.loads(lock.read_text(encoding="utf-8"))
        [package] = [each for each in document["packages"] if each["name"] == "alpha"]
        package["version"] = "1.0"
        [described] = package["wheels"]
        described["url"] = described["url"].replace("alpha-1.1-", "alpha-1.0-")
        described["hashes"] = {"sha256": sha256(wheel)}
        described["size"] = wheel.stat().st_size
        lock.write_text(lock_text(document), encoding="utf-8")
    commit(repository)
    return True


def _unpackaged(layout: Layout, repository: Path, _: Path) -> bool:
    return _change(layout.unpackaged, repository)


def _change(change: Callable[[Path], None] | None, repository: Path) -> bool:
    if change is not None:
        change(repository)
    return change is not None


# In this order: each finds what the earlier ones left.
EDITS: Mapping[str, Edit] = {
    "dependency": _dependency,
    "version": _version,
    "data": _data,
    "module": _module,
    "ignored": _ignored,
    "neighbor": _neighbor,
    "commit": _commit,
    "tag": _tag,
    "lock": _lock,
    "unpackaged": _unpackaged,
}
