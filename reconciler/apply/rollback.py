"""Roll back: verify an older generation by hash, then publish it by a rename, without network or build."""

from dataclasses import replace

from reconciler.apply.publish import publish
from reconciler.apply.verify_seal import verify_generation
from reconciler.diff.integrity import Integrity
from reconciler.errors import ApplyError, UsageError
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State, never_applied


def roll_back(state: State, project: str, name: str, inodes: InodeHashes, *, to: int | None = None) -> Applied:
    """Publish generation `to` of `name`, by default the newest one before the published; return what is applied now.

    The root mutex must be held. `prevent_destroy` stays as it was applied last. Raises UsageError if the generation
    does not exist, StateError if its seal or the record cannot be read, or ApplyError if it differs from its seal or if
    something else is at the environment's path.
    """
    current = state.applied(name)
    if current is None or current.project != project:
        raise UsageError(
            never_applied([name]),
            hint="run `envsync status` to list the environments",
        )
    published = state.layout.published_number(name)
    if to is not None:
        state.seal(name, to)  # if it is there and cannot be read, that is the error
    sealed = state.sealed_numbers(name)
    number = to if to is not None else max((each for each in sealed if each < published), default=0)
    if number not in sealed or number == published:
        others = ", ".join(str(each) for each in sealed if each != published)
        if to is None:
            problem = f"environment {name} has no generation older than the published one ({published})"
        elif to == published:
            problem = f"generation {to} of {name} is already published"
        else:
            problem = f"environment {name} has no generation {to}"
        hint = (
            f"choose another generation with `--to`: {others}"
            if others
            else f"change the manifest and run `envsync apply {name}`"
        )
        raise UsageError(problem, hint=hint)
    found = verify_generation(state, name, number, inodes)
    if not found.intact:
        raise ApplyError(
            f"generation {number} of {name} differs from its seal: {_describe_damage(found)}",
            hint=f"choose another generation (`envsync history {name} --generations`), or run `envsync apply {name}`",
        )
    seal = state.seal(name, number)
    if seal is None:
        raise ApplyError(f"generation {number} of {name} was deleted during the rollback")
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


def _describe_damage(found: Integrity) -> str:
    """Return in one sentence how a generation differs from its seal: the first three differences, and how many more."""
    explained = {each.name for each in found.packages}
    differences = [f"{each.name}: {each.message}" for each in found.packages]
    differences += [
        f"{each.path or 'the environment'}: {each.detail}" for each in found.findings if each.package not in explained
    ]
    if not differences:
        return "its virtual environment does not exist"
    return "; ".join(differences[:3]) + (f"; and {len(differences) - 3} more" if len(differences) > 3 else "")
