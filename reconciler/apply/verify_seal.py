"""Verify a sealed generation: compare what it contains with its seal."""

from dataclasses import replace

from reconciler.diff.integrity import Integrity, check_integrity
from reconciler.errors import UsageError
from reconciler.manifest.times import today_in_utc
from reconciler.observe.actual import Depth
from reconciler.observe.environment import observe_environment
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


def verify_generation(
    state: State,
    name: str,
    number: int,
    inodes: InodeHashes,
    depth: Depth = Depth.HASHES,
    *,
    applied: Applied | None = None,
) -> Integrity:
    """Return how one sealed generation, published or not, differs from its seal.

    For a published one pass its record as `applied`: the settings in it are newer than the seal. Raises UsageError if
    the generation does not exist or has no seal.
    """
    seal = state.seal(name, number)
    if seal is None:
        raise UsageError(f"generation {number} of {name} does not exist, or was never completed")
    last = applied or replace(seal.applied, seal=seal.digest)
    today = today_in_utc()
    actual = observe_environment(
        state.layout.environment(name),
        name=name,
        published=state.sealed_generation(name, number),
        depth=depth,
        inodes=inodes,
        ignore_files=last.ignore_patterns("ignore_files", today),
    )
    return check_integrity(actual, last, today)
