"""The snapshot: what stands on a host and what was last applied there, to be judged where the host is not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from reconciler.canonical_json import Json
from reconciler.diff.settings import settings_of
from reconciler.errors import SnapshotError
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, ActualState, Depth, Occupant
from reconciler.snapshot.interpreters import KnownInterpreters
from reconciler.snapshot.string_encoding import leaving_settings
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One look at a root: every environment of its manifest, and every one that the project owns.

    `taken` is when (UTC, RFC 3339), `version` envsync's own, `platform` the host's (`linux x86_64`); `selected` says
    that only some environments were looked at. In `applied` secrets are `****`.
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

    def refuse_another(self, desired: DesiredState) -> None:
        """Raise SnapshotError where this is no snapshot of what `desired` asks for."""
        if self.project != desired.project:
            raise SnapshotError(
                f"the snapshot is of project {self.project}, and {desired.file.name} is project {desired.project}",
                hint="judge it by the manifest that it was taken with",
            )
        if not self.selected:
            return
        missing = [each.name for each in desired.environments if each.name not in self.environments]
        if missing or not desired.selected:
            raise SnapshotError(
                f"the snapshot is only of {', '.join(sorted(self.environments)) or 'no environment'}",
                hint="select these here, too, or take one of all: `envsync observe` without a name",
            )

    def actual(self, names: Iterable[str]) -> ActualState:
        """Return what stood there; what the manifest of that time did not name counts as absent."""
        found = {}
        for name in sorted(names):
            absent = ActualEnvironment(
                name=name, path=str(Path(self.root) / name), occupant=Occupant.ABSENT, depth=self.depth
            )
            found[name] = self.environments.get(name, absent)
        return ActualState(environments=found, depth=self.depth)

    def last_applied(self, desired: DesiredState) -> dict[str, Applied]:
        """Return what was last applied, each blotted secret put back where the manifest here would be blotted alike.

        (A secret that alone was changed is no difference then: what is not in the file cannot be compared.)
        """
        found = dict(self.applied)
        for each in desired.environments:
            if each.name in found:
                wanted = settings_of(each)
                settings = _recalled(dict(found[each.name].settings), leaving_settings(wanted), dict(wanted))
                found[each.name] = replace(found[each.name], settings=cast("dict[str, Json]", settings))
        return found


def _recalled(stored: Json, left: Json, here: Json) -> Json:
    """Return `stored` with each part that equals what `here` looks like once it left (`left`) as it is here."""
    if stored == left:
        return here
    if isinstance(stored, dict) and isinstance(left, dict) and isinstance(here, dict):
        return {
            key: _recalled(value, left[key], here[key]) if key in left and key in here else value
            for key, value in stored.items()
        }
    return stored
