"""Edits that several environments or generations share: hard links to one file, which one edit changes in all."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from reconciler.backticks import in_backticks
from reconciler.diff.findings import SHOWN
from reconciler.observe.actual import ActualState, EditedInode

Member = TypeVar("Member", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedEdits(Generic[Member]):
    """Files that the same `members` (at least two, in order) share and that were edited; `paths` are relative."""

    members: tuple[Member, ...]
    paths: tuple[str, ...]

    def sentence(self, members: str) -> str:
        """Return a sentence that says which `members` share the edits."""
        number = len(self.paths)
        shown = listed([in_backticks(each) for each in self.paths])
        if number == 1:
            return f"one edit is shared by {members} (hard links to one file): {shown}"
        return f"{number} edits are shared by {members} (hard links to the same files): {shown}"


def shared_edits(edited: Mapping[Member, Iterable[EditedInode]]) -> tuple[SharedEdits[Member], ...]:
    """Return which of the `edited` files (by environment or generation) are the same inode in at least two of them."""
    places: dict[tuple[int, int], dict[Member, str]] = {}
    for member, inodes in edited.items():
        for each in inodes:
            places.setdefault((each.device, each.inode), {}).setdefault(member, each.path)
    paths: dict[tuple[Member, ...], list[str]] = {}
    for found in places.values():
        if len(found) > 1:
            paths.setdefault(tuple(found), []).append(next(iter(found.values())))
    return tuple(SharedEdits(members=members, paths=tuple(sorted(paths[members]))) for members in paths)


def shared_edit_notes(actual: ActualState) -> dict[str, tuple[str, ...]]:
    """Return by environment the sentences about its edits that other environments share; most have none."""
    edited = {name: actual.environments[name].edited for name in sorted(actual.environments)}
    notes: dict[str, tuple[str, ...]] = {}
    for each in shared_edits(edited):
        sentence = each.sentence(listed([in_backticks(name) for name in each.members]))
        for name in each.members:
            notes[name] = (*notes.get(name, ()), sentence)
    return notes


def listed(parts: Sequence[str]) -> str:
    """Return `a, b and c`, or the first three parts of a sentence and how many more there are."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) > SHOWN:
        first = ", ".join(parts[:SHOWN])
        return f"{first} and {len(parts) - SHOWN} more"
    first = ", ".join(parts[:-1])
    return f"{first} and {parts[-1]}"
