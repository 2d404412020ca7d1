"""Renamed environments: what was applied and observed under the former name counts for the new one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from reconciler.diff.model import Fault, ReasonCode
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, ActualState, Occupant
from reconciler.state.applied import Applied
from reconciler.state.owner import OtherOwner

FOREIGN = frozenset({Occupant.DIRECTORY, Occupant.VENV, Occupant.SYMLINK, Occupant.OTHER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Renames:
    """The renames that a plan makes: `pairs` has the former name by the new one.

    `ineffective` has former names that are still applied although the new one is too, by the new one.
    `occupied` are new paths at which something is that envsync did not make.
    """

    pairs: Mapping[str, str] = field(default_factory=dict)
    ineffective: Mapping[str, str] = field(default_factory=dict)
    occupied: Mapping[str, ActualEnvironment] = field(default_factory=dict)

    def applied(self, applied: Mapping[str, Applied]) -> dict[str, Applied]:
        """Return what was last applied, by the new names."""
        former = set(self.pairs.values())
        found = {name: each for name, each in applied.items() if name not in former}
        return found | {
            new: replace(applied[old], name=new, built_as="") for new, old in self.pairs.items() if old in applied
        }

    def owners(self, owners: Mapping[str, OtherOwner]) -> dict[str, OtherOwner]:
        """Return who applied the environments that this manifest did not apply, by the new names."""
        return {**owners, **{new: owners[old] for new, old in self.pairs.items() if old in owners}}

    def faults(self, faults: Mapping[str, Fault], conflicts: Mapping[str, int]) -> dict[str, Fault]:
        """Return the faults, with those that block a rename.

        `conflicts` has, by the new name, a number that an earlier environment of that name has used as well.
        """
        found = dict(faults)
        for new, old in self.pairs.items():
            if old in faults:
                found[new] = replace(faults[old], message=f"`{old}` cannot be renamed: {faults[old].message}")
            elif new in conflicts:
                found[new] = Fault(
                    code=ReasonCode.NAME_IN_USE,
                    message=f"`{old}` cannot be renamed: an earlier `{new}` also has generation {conflicts[new]}",
                    hint="run `envsync gc --deleted` if it was deleted, or choose a different name",
                )
        return found

    def as_former(self, desired: DesiredState) -> DesiredState:
        """Return the desired state, to observe with: it also has the renamed environments under their former names."""
        former = [replace(each, name=self.pairs[each.name]) for each in desired.environments if each.name in self.pairs]
        return replace(desired, environments=(*desired.environments, *former))

    def observed(self, actual: ActualState) -> tuple["Renames", ActualState]:
        """Return the actual state by the new names, and the renames with what else is at their new paths."""
        found = dict(actual.environments)
        for new, old in self.pairs.items():
            if found[old].occupant in {Occupant.PUBLISHED, Occupant.DANGLING}:
                found[new] = replace(found[old], name=new, path=found[new].path)
        occupied = {new: actual.environments[new] for new in self.pairs if actual.environments[new].occupant in FOREIGN}
        return replace(self, occupied=occupied), replace(actual, environments=found)


NO_RENAMES = Renames()


def find_renames(desired: DesiredState, applied: Mapping[str, Applied], unreadable: Collection[str]) -> Renames:
    """Return the renames of the selected environments: the former name is known, and the new one was never applied.

    `unreadable` are the environments whose state cannot be read.
    """
    known = {*applied, *unreadable}
    renamed = {each.name: each.renamed_from for each in desired.environments if each.renamed_from in known}
    return Renames(
        pairs={new: old for new, old in renamed.items() if new not in known},
        ineffective={new: old for new, old in renamed.items() if new in known},
    )
