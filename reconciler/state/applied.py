"""The last applied state, which is the third side of the three-way comparison."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.canonical_json import Json
from reconciler.lock.model import LockedPackage
from reconciler.state.hold import Hold
from reconciler.state.overlap import Overlap


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedInterpreter:
    """The base interpreter that a generation was built with."""

    path: str
    version: str
    implementation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was last applied to one environment.

    `generation` is the published one (0: owned, but never published). `settings` is the desired environment without its
    packages, as plain JSON (`reconciler.diff.settings`). `seal` is the digest of the published generation's seal.
    `installed` is what was observed when the generation was sealed: normalized name to `Distribution.identity`.
    `accepted` has the `Finding.key` of each finding that existed then (odd metadata in a wheel is not drift).
    `hooks_pending` means that hooks had to run after publish and did not finish. `hook_paths` and `hook_packages` are
    the paths and packages in the published generation that its hooks changed. `rolled_back_from` is the generation that
    a rollback replaced (0: none), and `rolled_back_because` why, if it failed after it was published. `rebuilt_from` is
    the generation whose lock a rollback rebuilt this one from, because the files of that one differed from its seal (0:
    an apply built it). `trial_since` is since when the published generation is on trial (`2026-11-30 09:12 UTC`; empty:
    it is not). `manifest` is the path of the manifest that applied it, relative to the root, and `repository` where git
    has that file (see `reconciler.state.owner`); both are empty if that is not known. `built_as` is the name that the
    environment had when the generation was built, empty if it is the same; it is not recorded.
    `overlaps` are the files that several packages of the generation contain, sorted.
    `hold` is why applies leave the environment alone (None: they do not); it is in the record, never in a seal.
    """

    name: str
    project: str
    generation: int
    interpreter: AppliedInterpreter
    packages: tuple[LockedPackage, ...]
    installed: Mapping[str, str]
    accepted: frozenset[str]
    settings: Mapping[str, Json]
    prevent_destroy: bool
    seal: str
    hooks_pending: bool = False
    hook_paths: frozenset[str] = frozenset()
    hook_packages: frozenset[str] = frozenset()
    rolled_back_from: int = 0
    rolled_back_because: str = ""
    rebuilt_from: int = 0
    trial_since: str = ""
    manifest: str = ""
    repository: str = ""
    overlaps: tuple[Overlap, ...] = ()
    hold: Hold | None = None
    built_as: str = ""

    def ignore_patterns(self, key: str, today: str) -> tuple[str, ...]:
        """Return the patterns of the setting `key` (`ignore` or `ignore_files`) that count on a day (`2026-12-31`)."""
        stored = self.settings.get(key)
        found = []
        for each in stored if isinstance(stored, list) else []:
            if not isinstance(each, dict):
                found.append(str(each))
            elif not each.get("until") or str(each["until"]) >= today:
                found.append(str(each.get("match")))
        return tuple(found)
