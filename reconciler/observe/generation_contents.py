"""What two generations contain, as their seals and inventories say, to compare them. Runs nothing.

Scripts contain the path of their generation, so they differ in every generation. They are read and compared without
that path. Bytecode is not compared: it follows from its source and contains the path as well.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from reconciler.canonical_json import Json
from reconciler.fs.read import read_inside
from reconciler.lock.model import LockedPackage
from reconciler.observe.bytecode import bytecode_source
from reconciler.observe.record_file import recorded_paths
from reconciler.observe.site import find_site
from reconciler.observe.startup import find_startup_files
from reconciler.state.applied import AppliedInterpreter
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import load_inventory
from reconciler.state.layout import Generation
from reconciler.state.seal import Seal
from reconciler.state.store import State

_LARGEST_SCRIPT = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationContents:
    """One sealed generation.

    `created` is the time of its seal (UTC, RFC 3339). `installed` has version and origin of each distribution by
    normalized name (`Distribution.identity`), `locked` the packages of its lock. `files` has what each file contains,
    by its path in the environment, as `Inventory.content` returns it, and `owners` the package that lists a file in its
    RECORD. `startup` are the paths of the files that make Python run code at every start. `size` is the sum of the
    files' sizes in bytes, bytecode included.
    """

    number: int
    created: str
    interpreter: AppliedInterpreter
    installed: Mapping[str, str]
    locked: Mapping[str, LockedPackage]
    settings: Mapping[str, Json]
    files: Mapping[str, bytes]
    owners: Mapping[str, str]
    startup: frozenset[str]
    size: int


def read_contents(state: State, seals: tuple[Seal, Seal]) -> tuple[GenerationContents, GenerationContents]:
    """Return the contents of two generations of one environment, by their seals.

    A file that differs only in the path of its generation is left out of both. Raises StateError or InventoryError if
    the inventory of one cannot be read.
    """
    before, after = (_read(state, seal) for seal in seals)
    first, second = (state.layout.generation(seal.applied.name, seal.applied.generation) for seal in seals)
    moved = set(_files_that_name_their_path(first, before, second, after))
    moved |= set(_records_of(moved, first, before, second, after))
    return _without(before, moved), _without(after, moved)


def _read(state: State, seal: Seal) -> GenerationContents:
    generation = state.layout.generation(seal.applied.name, seal.applied.generation)
    inventory = load_inventory(generation.inventory, digest=seal.inventory)
    files = dict(_contents(inventory))
    return GenerationContents(
        number=seal.applied.generation,
        created=seal.created,
        interpreter=seal.applied.interpreter,
        installed=seal.applied.installed,
        locked={each.name: each for each in seal.applied.packages},
        settings=seal.applied.settings,
        files=files,
        owners=_owners(str(generation.venv), inventory.directories),
        startup=_startup(str(generation.venv), seal.applied.interpreter.version),
        size=sum(inventory.sizes),
    )


def _contents(inventory: Inventory) -> Iterable[tuple[str, bytes]]:
    for _, directory, positions in inventory.by_directory():
        for position in positions:
            name = inventory.names[position]
            path = f"{directory}/{name}" if directory else name
            if not bytecode_source(path):
                yield path, inventory.content(position)


def _owners(venv: str, directories: Iterable[str]) -> dict[str, str]:
    """Return the package of each file that a RECORD lists; one that cannot be read lists nothing."""
    owners: dict[str, str] = {}
    for directory in directories:
        site, _, name = directory.rpartition("/")
        if not name.endswith(".dist-info"):
            continue
        package = str(canonicalize_name(name.removesuffix(".dist-info").rpartition("-")[0]))
        try:
            text = read_inside(f"{venv}/{directory}/RECORD", venv).decode("utf-8", "surrogateescape")
        except OSError:
            continue
        owners |= dict.fromkeys(recorded_paths(text, site), package)
    return owners


def _startup(venv: str, version: str) -> frozenset[str]:
    """Return the paths of the startup files that are on disk now."""
    return frozenset(each.path for each in find_startup_files(venv, find_site(venv, version)))


def _files_that_name_their_path(
    first: Generation, before: GenerationContents, second: Generation, after: GenerationContents
) -> Iterable[str]:
    """Yield the files that are equal if each generation's path is taken out of its own file."""
    for path, content in before.files.items():
        if after.files.get(path, content) != content:
            one, other = _sealed_text(first, path, content), _sealed_text(second, path, after.files[path])
            if one is not None and one == other:
                yield path


def _sealed_text(generation: Generation, path: str, content: bytes) -> bytes | None:
    """Return a file without its generation's path; None if it is large, unreadable, or not as it was sealed."""
    try:
        text = read_inside(f"{generation.venv}/{path}", str(generation.venv), limit=_LARGEST_SCRIPT)
    except OSError:
        return None
    if hashlib.sha256(text).digest() != content[:32]:
        return None
    return text.replace(os.fsencode(generation.venv), b"")


def _records_of(
    moved: set[str], first: Generation, before: GenerationContents, second: Generation, after: GenerationContents
) -> Iterable[str]:
    """Yield each RECORD that differs only in the hashes of the files `moved`."""
    for path, content in before.files.items():
        if not path.endswith(".dist-info/RECORD") or after.files.get(path, content) == content:
            continue
        site = path.rpartition("/")[0].rpartition("/")[0]
        texts = _sealed_text(first, path, content), _sealed_text(second, path, after.files[path])
        if None not in texts:
            one, other = (_rows_without(text or b"", site, moved) for text in texts)
            if one == other:
                yield path


def _rows_without(record: bytes, site: str, moved: set[str]) -> list[str]:
    """Return the rows of a RECORD, those of `moved` without their hash and size; bytecode is left out."""
    rows = []
    for row in record.decode("utf-8", "surrogateescape").splitlines():
        paths = recorded_paths(row, site)
        if paths and bytecode_source(paths[0]):
            continue
        rows.append(re.sub(r",[^,]*,[^,]*$", "", row) if paths and paths[0] in moved else row)
    return sorted(rows)


def _without(contents: GenerationContents, moved: set[str]) -> GenerationContents:
    kept = {path: content for path, content in contents.files.items() if path not in moved}
    return GenerationContents(
        number=contents.number,
        created=contents.created,
        interpreter=contents.interpreter,
        installed=contents.installed,
        locked=contents.locked,
        settings=contents.settings,
        files=kept,
        owners=contents.owners,
        startup=contents.startup,
        size=contents.size,
    )
