"""Checks whether all environments of a manifest are unchanged, by what an earlier run remembered."""

from __future__ import annotations

import os
import time

from reconciler.fastpath.agreement import (
    INVENTORY_SIGNATURE,
    agreement_path,
    evidence_unchanged,
    machine_identity,
    manifest_inputs_unchanged,
    manifest_reading_path,
    own_columns_path,
    read_cache_file,
)
from reconciler.fastpath.root_line import read_root
from reconciler.fastpath.stat_check import StatPass, entries_unchanged, environment_unchanged
from reconciler.fs.access_bits import access_to, lacks_access, root_bits
from reconciler.interpreters.search_path import is_searched
from reconciler.processes.affinity import processors_of_affinity
from reconciler.state.root_check import is_untracked, writers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from reconciler.fastpath.agreement import Agreement
    from reconciler.fastpath.stat_check import AcceptedDirectories, Columns, Portion

    # An environment's venv, the columns to check in it, its accepted directories, and its inventory file.
    _Remembered = tuple[str, Columns, AcceptedDirectories, str]
    _Work = tuple[Iterable[_Remembered | None], Portion]  # environments, and the portion of each one's entries

_STATE_DIRECTORIES = ("", "/generations", "/environments")
# None of them may be a symbolic link (`reconciler.state.root_trust`, `refuse_symlinks`).
_OWN_DIRECTORIES = (*_STATE_DIRECTORIES, "/deleted", "/adopted", "/cache", "/cache/uv", "/cache/agreed")
# The number of environments from which each of two processes takes half of them: at depth `metadata`, at depth `files`.
_TWO_PROCESSES_FROM = {False: 60, True: 6}


def count_unchanged(file: str, *, files: bool) -> int:
    """Return the number of environments that the manifest at `file` declares if all of them are unchanged, else 0.

    0 also means that the fast path cannot tell. `files` compares every file. Changes the working directory. Raises
    OSError.
    """
    file = os.path.abspath(file)  # noqa: PTH100  # no pathlib here
    root = read_root(file)
    reading = read_cache_file(manifest_reading_path(root, file))
    if reading is None or (reading["file"], reading["root"], reading["machine"]) != (file, root, machine_identity()):
        return 0
    names: list[str] = reading["names"]
    if not manifest_inputs_unchanged(reading) or not _nothing_undeclared(root, names):
        return 0
    if reading["access"] != root_bits(root):  # they must be able to read everything below it
        return 0
    if reading["writers"] != writers_of(root) or not is_untracked(root):
        return 0
    if any(os.path.islink(f"{root}/.envsync{each}") for each in _OWN_DIRECTORIES):  # noqa: PTH114  # no pathlib here
        return 0
    access = access_to(root)
    if any(lacks_access(f"{root}/.envsync{each}", access) for each in _STATE_DIRECTORIES):
        return 0
    order = sorted(names, key=lambda name: _recorded_at(root, name), reverse=True)
    check = _Check(root, reading, files=files)
    if files and None in map(check.agreement, order):  # before thousands of files are examined for nothing
        return 0
    first: _Work
    second: _Work
    if len(order) >= _TWO_PROCESSES_FROM[files] and processors_of_affinity() > 1:
        first, second = ((map(check.remembered, half), (0, 1)) for half in (order[::2], order[1::2]))
    elif files and processors_of_affinity() > 1:  # few environments with thousands of files: read once for both
        few = list(map(check.remembered, order))
        first, second = (few, (0, 2)), (few, (1, 2))
    else:
        return len(names) if check.all_unchanged(map(check.remembered, order), (0, 1)) else 0
    return len(names) if _in_two_processes(check, first, second) else 0


def _nothing_undeclared(root: str, names: Sequence[str]) -> bool:
    """Return whether all records and generations below the root are of declared environments; raises OSError.

    Any others would be deleted, so there is something to do. Generations of a deleted environment are kept too: it has
    no record, and nothing is at its path. After a rename, generations are below a former name that has no record, and
    its path points to the new name.
    """
    declared = set(names)
    records = os.listdir(f"{root}/.envsync/environments")
    if not declared.issuperset(each.removesuffix(".json") for each in records):
        return False
    others = set(os.listdir(f"{root}/.envsync/generations")) - declared
    if not others:
        return True
    others = {each for each in others if not _is_former_name(root, each, declared)}
    if not others:
        return True
    deleted = {each.removesuffix(".json") for each in os.listdir(f"{root}/.envsync/deleted")}
    return deleted.issuperset(others) and not any(os.path.lexists(f"{root}/{each}") for each in others)


def _is_former_name(root: str, name: str, declared: Collection[str]) -> bool:
    """Return whether a name without a record is the former name of a declared environment, and nothing else.

    Its path points to that, or only links to that are left of it.
    """
    from reconciler.state.former_name import renamed_to  # rarely needed

    if renamed_to(root, name) in declared:
        return True
    with os.scandir(f"{root}/.envsync/generations/{name}") as entries:
        return not os.path.lexists(f"{root}/{name}") and all(each.is_symlink() for each in entries)


def _recorded_at(root: str, name: str) -> int:
    """Return when an environment was last applied (nanoseconds).

    The newest is checked first, because its inventory has the latest signatures of shared files.
    """
    try:
        return os.lstat(f"{root}/.envsync/environments/{name}.json").st_ctime_ns
    except OSError:
        return 0


class _Check:
    """One check of the environments below a root, one at a time; only the contents of inodes are kept for the next."""

    def __init__(self, root: str, reading: Agreement, *, files: bool) -> None:
        self._root = root
        self._reading = reading
        self._files = files
        self._pass = StatPass(root, shared=len(reading["names"]) > 1)

    def agreement(self, name: str) -> Agreement | None:
        """Return an environment's agreement, None unless its desired state certainly equals its last applied state."""
        agreement = read_cache_file(agreement_path(self._root, name))
        if agreement is None or agreement["manifest"] != self._reading["digest"]:
            return None
        if agreement["access"] != self._reading["access"]:  # the mode of the root was changed since
            return None
        searched = agreement.get("searched", "/")  # the cache of an older envsync does not have it
        if searched and not is_searched(searched, os.environ):
            return None  # with this PATH, its interpreter would not be found
        try:
            published = os.readlink(f"{self._root}/{name}")  # noqa: PTH115
        except OSError:
            return None
        if agreement["until"] and agreement["until"] < time.strftime("%Y-%m-%d", time.gmtime()):
            return None  # an exception has expired since
        if self._is_closed(agreement["venv"].removesuffix("/venv")):
            return None
        return agreement if published == agreement["link"] and evidence_unchanged(agreement) else None

    def _is_closed(self, generation: str) -> bool:
        """Return whether users who may read the root cannot read a generation; the full program names what is closed.

        Its record, seal and inventory are among the files whose signatures are compared.
        """
        access = self._pass.access
        paths = (generation[: generation.rindex("/")], generation, f"{generation}/pylock.toml", f"{generation}/in-use")
        return bool(access) and any(lacks_access(each, access) for each in paths)

    def remembered(self, name: str) -> _Remembered | None:
        """Return what is remembered of an environment, None if that cannot be used."""
        agreement = self.agreement(name)
        if agreement is None:
            return None
        inventory = agreement["inventory"]
        if not self._files:
            return agreement["venv"], agreement["metadata"], {}, inventory
        own = read_cache_file(own_columns_path(self._root, name))
        if own is None or [inventory, own[INVENTORY_SIGNATURE]] not in agreement["files"]:
            return None
        return agreement["venv"], own, agreement["listed"], inventory

    def all_unchanged(self, environments: Iterable[_Remembered | None], portion: Portion) -> bool:
        """Return whether the actual state of all `environments` is the last applied one, in a portion of each."""
        for each in environments:
            if each is None:
                return False
            venv, columns, accepted, inventory = each
            if self._files:
                same = environment_unchanged(
                    venv, columns, inventory, self._pass, accepted, portion, change_directory=True
                )
            else:
                same = entries_unchanged(venv, columns, self._pass, {}, portion, change_directory=True)
            if not same:
                return False
        return True


def _in_two_processes(check: _Check, first: _Work, second: _Work) -> bool:
    """Return whether all is unchanged; a child process checks the second half of the work."""
    child = os.fork()
    if child == 0:
        same = False
        try:
            same = check.all_unchanged(*second)
        finally:
            os._exit(0 if same else 1)
    same = check.all_unchanged(*first)
    _, status = os.waitpid(child, 0)
    return same and status == 0
