"""Verify a sealed generation: compare what it contains with its seal."""

from dataclasses import replace

from reconciler.diff.integrity import Integrity, check_integrity
from reconciler.errors import UsageError
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
    modes: bool = True,
) -> Integrity:
    """Return how one sealed generation, published or not, differs from its seal.

    For a published one pass its record as `applied`: the settings in it are newer than the seal. Without `modes` it may
    be closed to users who may read the root. Raises UsageError if it does not exist or has no seal.
    """
    seal, published = state.seal(name, number), state.sealed_generation(name, number)
    if seal is None or published is None:
        raise UsageError(f"generation {number} of `{name}` does not exist, or was never completed")
    last = applied or replace(seal.applied, seal=seal.digest)
    ignored = last.settings.get("ignore_files")
    actual = observe_environment(
        state.layout.environment(name),
        name=name,
        published=published if modes else replace(published, access=0, closed=()),
        depth=depth,
        inodes=inodes,
        ignore_files=tuple(str(each) for each in ignored) if isinstance(ignored, list) else (),
    )
    return check_integrity(actual, last)
