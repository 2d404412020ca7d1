"""Compare kept generations with their seals, and find the edits that they share."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.apply.damage import describe_damage
from reconciler.apply.verify_seal import verify_generation, verify_published
from reconciler.diff.integrity import Integrity
from reconciler.diff.shared_edits import listed, shared_edits
from reconciler.errors import NewerFormatError, StateError, UsageError
from reconciler.observe.actual import Depth
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.set_aside import failure_of
from reconciler.state.store import State


class GenerationState(StrEnum):
    """The state of a kept generation; the first that applies, from the bottom."""

    KEPT = "kept"
    PUBLISHED = "published"
    ADOPTED = "adopted"  # the directory that `--adopt` replaced, which has no seal
    DAMAGED = "damaged"  # its files differ from its seal
    DRIFTED = "drifted"  # it was replaced because it had drifted
    FAILED = "failed"  # it was rolled back because a hook or its health check failed
    UNREADABLE = "unreadable"  # its seal
    NEWER = "newer-format"


def generation_state(
    *,
    published: bool,
    drifted: bool = False,
    failed: str = "",
    damaged: bool = False,
    unreadable: bool = False,
    newer: bool = False,
) -> GenerationState:
    """Return the state of a generation with or without a readable seal; `failed` is why it was rolled back."""
    if newer:
        return GenerationState.NEWER
    if unreadable:
        return GenerationState.UNREADABLE
    if failed:
        return GenerationState.FAILED
    if drifted:
        return GenerationState.DRIFTED
    if damaged:
        return GenerationState.DAMAGED
    return GenerationState.PUBLISHED if published else GenerationState.KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedGeneration:
    """A kept generation compared with its seal.

    `drifted` is whether it was replaced because it had drifted, `failed` why it was rolled back, `newer` whether a
    newer envsync made it. `shared` are sentences about edits that it shares with other generations.
    """

    integrity: Integrity
    published: bool = False
    drifted: bool = False
    failed: str = ""
    newer: bool = False
    shared: tuple[str, ...] = ()

    @property
    def state(self) -> GenerationState:
        """Return its state in one word."""
        return generation_state(
            published=self.published,
            drifted=self.drifted,
            failed=self.failed,
            damaged=not self.integrity.intact,
            unreadable=bool(self.integrity.problem),
            newer=self.newer,
        )

    @property
    def problem(self) -> str:
        """Return what is wrong with it as the end of a sentence, empty if it can be rolled back to as it is."""
        if self.integrity.problem:
            return self.integrity.problem
        if not self.integrity.intact:
            return f"differs from its seal: {describe_damage(self.integrity)}"
        return f"failed: {self.failed}" if self.failed else ""


def verify_generations(
    state: State, generations: Iterable[tuple[str, int]], inodes: InodeHashes, depth: Depth = Depth.HASHES
) -> list[VerifiedGeneration]:
    """Return how each of the `generations` (name and number) differs from its seal.

    One that is collected meanwhile is left out.
    """
    found = [each for name, number in generations if (each := _verify(state, name, number, inodes, depth)) is not None]
    edited = {(each.integrity.name, each.integrity.generation): each.integrity.edited for each in found}
    sentences: dict[tuple[str, int], tuple[str, ...]] = {}
    for shared in shared_edits(edited):
        for member in shared.members:
            sentences[member] = (*sentences.get(member, ()), shared.sentence(_members(shared.members)))
    return [replace(each, shared=sentences.get((each.integrity.name, each.integrity.generation), ())) for each in found]


def _verify(state: State, name: str, number: int, inodes: InodeHashes, depth: Depth) -> VerifiedGeneration | None:
    """Compare one generation with its seal; return None if it was collected meanwhile."""
    generation = state.layout.generation(name, number)
    published = state.layout.published_number(name) == number
    try:
        compared = verify_published(state, name, inodes, depth) if published else None
        if compared is None or compared.generation != number:  # a different one was published meanwhile
            published = False
            compared = verify_generation(state, name, number, inodes, depth, modes=False)
    except UsageError:
        return None
    except StateError as error:
        problem = state.layout.with_short_paths(error.message)
        compared = Integrity(name=name, generation=number, exists=True, packages=(), findings=(), problem=problem)
        return VerifiedGeneration(integrity=compared, newer=isinstance(error, NewerFormatError))
    if not published and not generation.seal.exists():
        return None
    return VerifiedGeneration(
        integrity=compared,
        published=published,
        drifted=generation.drifted.exists(),
        failed=failure_of(generation),
        newer=bool(compared.problem) and _has_newer_seal(state, name, number),
    )


def _has_newer_seal(state: State, name: str, number: int) -> bool:
    """Return whether a newer envsync made the seal of a generation."""
    try:
        state.seal(name, number)
    except StateError as error:
        return isinstance(error, NewerFormatError)
    return False


def _members(members: Iterable[tuple[str, int]]) -> str:
    """Return `generations 1 and 2 of web` for each environment, in backticks."""
    numbers: dict[str, list[str]] = {}
    for name, number in members:
        numbers.setdefault(name, []).append(str(number))
    return listed(
        [f"generation{'' if len(found) == 1 else 's'} {listed(found)} of `{name}`" for name, found in numbers.items()]
    )
