"""Rollback: verify an older generation by hash, then publish it. A rename: offline, at once, nothing is built."""

from dataclasses import replace

from reconciler.apply.publish import publish
from reconciler.diff.integrity import Integrity, integrity
from reconciler.errors import ApplyError, UsageError
from reconciler.observe.actual import Depth
from reconciler.observe.environment import observe_environment
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


def roll_back(state: State, project: str, name: str, inodes: InodeHashes, *, to: int | None = None) -> Applied:
    """Publish generation `to` of `name` (default: the newest sealed one before the published); return what is applied.

    The root's lock must be held. Protection stays as it was set last. Raises UsageError where there is nothing to roll
    back to, ApplyError where the generation is not what was sealed, or the path is not ours.
    """
    current = state.applied(name)
    if current is None or current.project != project:
        raise UsageError(f"no environment {name} of project {project} was applied here")
    published = state.layout.published_number(name)
    sealed = [number for number in state.layout.generation_numbers(name) if state.seal(name, number) is not None]
    number = to if to is not None else max((each for each in sealed if each < published), default=0)
    if number not in sealed or number == published:
        others = ", ".join(str(each) for each in sealed if each != published) or "none"
        wanted = f"generation {to} of {name}" if to is not None else f"an older generation of {name}"
        reason = "is published already" if number == published and to is not None else "is not there"
        raise UsageError(f"{wanted} {reason}", hint=f"published: {published}; others kept: {others}")
    found = verify_generation(state, name, number, inodes)
    if not found.intact:
        raise ApplyError(
            f"generation {number} of {name} is not what was sealed: {_damage(found)}",
            hint=f"`envsync history {name}` lists the others; `envsync apply {name}` builds anew",
        )
    seal = state.seal(name, number)
    if seal is None:
        raise ApplyError(f"generation {number} of {name} vanished")
    publish(state.layout, name, number)
    applied = replace(
        seal.applied,
        seal=seal.digest,
        prevent_destroy=current.prevent_destroy,
        hooks_pending=bool(seal.applied.hooks_pending),
        rolled_back_from=published,
    )
    state.record(applied)
    return applied


def verify_generation(
    state: State,
    name: str,
    number: int,
    inodes: InodeHashes,
    depth: Depth = Depth.HASHES,
    *,
    applied: Applied | None = None,
) -> Integrity:
    """Hold one sealed generation, published or not, against its seal. Raises UsageError where it was never sealed.

    `applied` is what was last applied of a published one: it knows the seal, and its settings are in force since.
    """
    seal = state.seal(name, number)
    if seal is None:
        raise UsageError(f"generation {number} of {name} was never finished, or is not there")
    last = applied or replace(seal.applied, seal=seal.digest)
    ignored = last.settings.get("ignore_files")
    actual = observe_environment(
        state.layout.environment(name),
        name=name,
        published=state.as_published(name, number),
        depth=depth,
        inodes=inodes,
        ignore_files=tuple(str(each) for each in ignored) if isinstance(ignored, list) else (),
    )
    return integrity(actual, last)


def _damage(found: Integrity) -> str:
    """Say briefly what is wrong with a generation."""
    said = [f"{each.name} {each.message}" for each in found.packages]
    said += [f"{each.path or 'the environment'}: {each.detail}" for each in found.findings]
    if not said:
        return "its venv is gone"
    return "; ".join(said[:3]) + (f"; and {len(said) - 3} more" if len(said) > 3 else "")
