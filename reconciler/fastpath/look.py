"""Looks whether all that a manifest declares is as it says, by what was remembered (see the package's own words)."""

from __future__ import annotations

import os

from reconciler.fastpath.agreement import (
    INVENTORY,
    agreement_file,
    machine,
    manifest_file,
    own_file,
    read_agreed,
    still_read_from,
    still_rests_on,
)
from reconciler.fastpath.root_line import root_named
from reconciler.fastpath.stat_check import Pass, files_untouched, untouched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.fastpath.agreement import Agreement
    from reconciler.fastpath.stat_check import Columns, Listed

    _Known = tuple[str, Columns, Listed, str]
    _Part = tuple[Iterable[_Known | None], tuple[int, int]]  # environments, and the share of each one's files

# From how many environments on each of two processes takes half of them, without comparing files and with.
_WORTH_TWO = {False: 60, True: 6}


def count_unchanged(file: str, *, files: bool) -> int:
    """Return how many environments the manifest at `file` declares if all are as it says; 0 where that is not known.

    `files` compares every file. The working directory is another one afterwards. Raises OSError.
    """
    file = os.path.abspath(file)  # noqa: PTH100  # no pathlib here
    root = root_named(file)
    manifest = read_agreed(manifest_file(root, file))
    if manifest is None or manifest["file"] != file or manifest["root"] != root or manifest["machine"] != machine():
        return 0
    names: list[str] = manifest["names"]
    if not still_read_from(manifest) or not _nothing_else(root, names):
        return 0
    order = sorted(names, key=lambda name: _recorded_at(root, name), reverse=True)
    look = _Look(root, manifest, files=files)
    if files and None in map(look.agreed, order):  # before thousands of files are looked at in vain
        return 0
    first: _Part
    second: _Part
    if len(order) >= _WORTH_TWO[files] and _processors() > 1:
        first, second = ((map(look.known, half), (0, 1)) for half in (order[::2], order[1::2]))
    elif files and _processors() > 1:  # few, but thousands of files each: what is known is read once, for both
        few = list(map(look.known, order))
        first, second = (few, (0, 2)), (few, (1, 2))
    else:
        return len(names) if look.all_unchanged(map(look.known, order), (0, 1)) else 0
    return len(names) if _two_at_a_time(look, first, second) else 0


def _nothing_else(root: str, names: Sequence[str]) -> bool:
    """Say whether nothing below the root has a name that is not declared, and would be deleted. Raises OSError."""
    declared = set(names)
    records = os.listdir(f"{root}/.envsync/environments")
    generations = os.listdir(f"{root}/.envsync/generations")
    return declared.issuperset(each.removesuffix(".json") for each in records) and declared.issuperset(generations)


def _recorded_at(root: str, name: str) -> int:
    """Return when an environment was recorded: the newest's inventory has the latest signatures of what is shared."""
    try:
        return os.lstat(f"{root}/.envsync/environments/{name}.json").st_ctime_ns
    except OSError:
        return 0


class _Look:
    """One look at the environments below a root, one at a time, keeping nothing of each but what its inodes hold."""

    def __init__(self, root: str, manifest: Agreement, *, files: bool) -> None:
        self._root = root
        self._manifest = manifest
        self._files = files
        self._pass = Pass(f"{root}/.envsync/cache/inodes", others=len(manifest["names"]) > 1)

    def agreed(self, name: str) -> Agreement | None:
        """Return what an environment's agreement says; None where it does not say that desired is last applied."""
        agreement = read_agreed(agreement_file(self._root, name))
        if agreement is None or agreement["manifest"] != self._manifest["digest"]:
            return None
        try:
            published = os.readlink(f"{self._root}/{name}")  # noqa: PTH115
        except OSError:
            return None
        return agreement if published == agreement["link"] and still_rests_on(agreement) else None

    def known(self, name: str) -> _Known | None:
        """Return what is known of an environment: its venv, what to look at in it, the directories that moved since,
        its inventory's file; None where its desired and last applied state are not known to be the same."""
        agreement = self.agreed(name)
        if agreement is None:
            return None
        inventory = agreement["inventory"]
        if not self._files:
            return agreement["venv"], agreement["metadata"], {}, inventory
        own = read_agreed(own_file(self._root, name))
        if own is None or (inventory, own[INVENTORY]) not in agreement["files"]:
            return None
        return agreement["venv"], own, agreement["listed"], inventory

    def all_unchanged(self, known: Iterable[_Known | None], share: tuple[int, int]) -> bool:
        """Say whether the actual state of several is the last applied one; of each, only a share is looked at."""
        for each in known:
            if each is None:
                return False
            venv, columns, listed, inventory = each
            if self._files:
                same = files_untouched(venv, columns, inventory, self._pass, listed, share, enter=True)
            else:
                same = untouched(venv, columns, self._pass, {}, share, enter=True)
            if not same:
                return False
        return True


def _two_at_a_time(look: _Look, first: _Part, second: _Part) -> bool:
    """Look at the second part in a child process."""
    child = os.fork()
    if child == 0:
        same = False
        try:
            same = look.all_unchanged(*second)
        finally:
            os._exit(0 if same else 1)
    same = look.all_unchanged(*first)
    _, status = os.waitpid(child, 0)
    return same and status == 0


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
