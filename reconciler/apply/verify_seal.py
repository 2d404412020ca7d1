"""Verify a sealed generation: compare what it contains with its seal."""

from dataclasses import replace

from reconciler.diff.integrity import Integrity, check_integrity
from reconciler.errors import StateError, UsageError
from reconciler.manifest.times import today_in_utc
from reconciler.observe.actual import ActualEnvironment, Depth
from reconciler.observe.environment import observe_environment
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.published_generation import PublishedGeneration
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
    be closed to users who may read the root. Raises UsageError if it does not exist or has no seal, StateError if its
    seal cannot be read.
    """
    seal, published = state.seal(name, number), state.sealed_generation(name, number)
    if seal is None or published is None:
        raise UsageError(f"generation {number} of `{name}` does not exist, or was never completed", hint=None)
    last = applied or replace(seal.applied, seal=seal.digest)
    if not modes:
        published = replace(published, access=0, closed=())
    return check_integrity(_observe(state, name, published, last, inodes, depth), last, today_in_utc())


def verify_published(state: State, name: str, inodes: InodeHashes, depth: Depth) -> Integrity | None:
    """Return how the published generation differs from its seal; None if `name` was never applied, or was deleted.

    If the record or the seal cannot be read, `problem` is why. A damaged seal is a finding.
    """
    last, problem = None, ""
    try:
        last = state.applied(name)
    except StateError as error:
        problem = state.layout.with_short_paths(error.message)
    published = state.published(name)
    if published is None or (last is None and published.unreadable):
        if last is None and not problem:
            return None
        number = last.generation if last is not None else state.layout.published_number(name)
        exists = published is not None
        return Integrity(name=name, generation=number, exists=exists, packages=(), findings=(), problem=problem)
    if last is None:
        return replace(verify_generation(state, name, published.generation, inodes, depth), problem=problem)
    found = check_integrity(_observe(state, name, published, last, inodes, depth), last, today_in_utc())
    return replace(found, problem="" if published.damaged else published.unreadable)


def _observe(
    state: State,
    name: str,
    published: PublishedGeneration | None,
    last: Applied,
    inodes: InodeHashes,
    depth: Depth,
) -> ActualEnvironment:
    return observe_environment(
        state.layout.environment(name),
        name=name,
        published=published,
        depth=depth,
        inodes=inodes,
        ignore_files=last.ignore_patterns("ignore_files", today_in_utc()),
    )
