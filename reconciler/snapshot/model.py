"""The snapshot: a host's environments and what was last applied to them, so that another machine can make the plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from reconciler.backticks import list_in_backticks
from reconciler.canonical_json import Json
from reconciler.diff.model import Fault
from reconciler.diff.settings import settings_of
from reconciler.errors import SnapshotError
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, ActualState, Depth, Occupant
from reconciler.snapshot.interpreters import KnownInterpreters
from reconciler.snapshot.string_encoding import redact_settings
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One observation of a root: every environment that its manifest declares, and every one that the project owns.

    `taken` is the time (UTC, RFC 3339), `version` is envsync's own, `platform` is the host's (`linux x86_64`).
    `selected` is whether only some environments were observed. In `applied`, secrets are `****`, and `manifest` is
    empty unless another manifest than the observed one applied the environment. `faults` has the environments whose
    record or seal could not be read; `applied` then has what is known of them.
    """

    project: str
    root: str
    version: str
    platform: str
    taken: str
    depth: Depth
    selected: bool
    interpreters: KnownInterpreters
    environments: Mapping[str, ActualEnvironment]
    applied: Mapping[str, Applied]
    faults: Mapping[str, Fault] = field(default_factory=dict)

    def refuse_mismatch(self, desired: DesiredState) -> None:
        """Raise SnapshotError unless this is a snapshot of the project and the environments of `desired`."""
        if self.project != desired.project:
            raise SnapshotError(
                f"the snapshot is of project `{self.project}`, but the manifest declares project `{desired.project}`",
                hint="compare it with the manifest of the same project",
            )
        if not self.selected:
            return
        missing = [each.name for each in desired.environments if each.name not in self.environments]
        if missing or not desired.selected:
            raise SnapshotError(
                f"the snapshot contains only {list_in_backticks(sorted(self.environments)) or 'no environment'}",
                hint="select the same environments, or take a snapshot of all with `envsync observe` without a name",
            )

    def actual(self, names: Iterable[str]) -> ActualState:
        """Return the actual state of the named environments; one that is not in the snapshot counts as absent."""
        found = {}
        for name in sorted(names):
            absent = ActualEnvironment(
                name=name, path=str(Path(self.root) / name), occupant=Occupant.ABSENT, depth=self.depth
            )
            found[name] = self.environments.get(name, absent)
        return ActualState(environments=found, depth=self.depth)

    def state_faults(self, desired: DesiredState) -> dict[str, Fault]:
        """Return the faults of the selected environments and, without a selection, of undeclared ones."""
        selected = {each.name for each in desired.environments}
        undeclared = set() if desired.selected else self.faults.keys() - desired.declared
        return {name: each for name, each in self.faults.items() if name in selected | undeclared}

    def last_applied(self, desired: DesiredState) -> dict[str, Applied]:
        """Return what was last applied, with the masked values filled in from the manifest where all else is equal.

        If only a value that is not public changed, nothing differs: it is not in the snapshot, so it is not compared.
        """
        found = dict(self.applied)
        for each in desired.environments:
            if each.name in found:
                declared = settings_of(each)
                settings = _fill_in(dict(found[each.name].settings), redact_settings(declared), dict(declared))
                found[each.name] = replace(found[each.name], settings=cast("dict[str, Json]", settings))
        return found


def _fill_in(stored: Json, redacted: Json, declared: Json) -> Json:
    """Return `stored`, with each part that equals its part of `redacted` replaced by the same part of `declared`.

    `redacted` is `declared` with its secrets redacted.
    """
    if stored == redacted:
        return declared
    if isinstance(stored, dict) and isinstance(redacted, dict) and isinstance(declared, dict):
        return {
            key: _fill_in(value, redacted[key], declared[key]) if key in redacted and key in declared else value
            for key, value in stored.items()
        }
    if isinstance(stored, list) and isinstance(redacted, list) and isinstance(declared, list):
        return [_fill_in_item(at, each, redacted, declared) for at, each in enumerate(stored)]
    return stored


def _fill_in_item(at: int, stored: Json, redacted: list[Json], declared: list[Json]) -> Json:
    """Return the item of a list as `_fill_in` does: by its position if that fits, else by an equal one elsewhere."""
    equal = [number for number, each in enumerate(redacted) if each == stored]
    if equal:
        return declared[at if at in equal else equal[0]]
    return _fill_in(stored, redacted[at], declared[at]) if at < len(redacted) else stored
