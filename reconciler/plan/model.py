"""The plan: everything that apply will do (docs/design.md, "Plan"). The same value is rendered and applied."""

import os
import sys
from dataclasses import dataclass, field, fields
from enum import StrEnum

from reconciler.canonical_json import digest, to_json
from reconciler.diff.model import Origin, PackageChange, Reason, SettingChange, Target
from reconciler.events import Failure
from reconciler.json_output import safe_json
from reconciler.observe.actual import Depth, Finding
from reconciler.state.hold import Hold

FORMAT_VERSION = "1.1"


class Action(StrEnum):
    """What happens to one environment."""

    NO_OP = "no-op"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    RENAME = "rename"


class StepKind(StrEnum):
    """One kind of step in apply, in the order in which an environment goes through them."""

    LOCK = "lock"  # write the lock that was resolved for the plan
    BUILD = "build"  # create the venv and install every package, at the path of the new generation
    VERIFY = "verify"  # compare the packages with the lock and every file with RECORD
    PROBE = "probe"
    SEAL = "seal"
    SYNC = "sync"
    STAGE = "stage"  # mark the generation as staged, instead of publishing it
    VERIFY_STAGED = "verify-staged"  # compare a staged generation with its seal, instead of building one
    CARRY_OVER = "carry-over"  # copy the files that `ignore_files` matches from the published generation
    RENAME = "rename"  # give the generations and the record of the former name to the new one
    PUBLISH = "publish"
    ADOPT = "adopt"  # publish in the place of a foreign directory, and keep the directory
    BEFORE_DELETE = "before-delete"  # hooks
    UNPUBLISH = "unpublish"
    RECORD = "record"
    FORGET = "forget"  # remove the record of a deleted environment
    AFTER_PUBLISH = "after-publish"  # hooks
    TRIAL = "trial"  # run the health check until it passes; end the trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `id` is `environment/kind`; `after` are the ids that must have succeeded before it."""

    id: str
    kind: StepKind
    environment: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the command line allows beyond the manifest.

    `prune` deletes environments of this project that the manifest no longer declares. `adopt` replaces a venv that
    envsync did not create at an environment's path. `skip_hooks` runs no hook, and counts those that are due as done.
    `destroy` are names to delete although the manifest declares them. `take_over` treats what another manifest of the
    project applied, or this one under another `project`, as its own. `stage` builds new generations without publishing
    them; `publish` are names whose staged generation is published, and nothing else is planned.
    """

    prune: bool = True
    allow_empty: bool = False
    adopt: bool = False
    drop_ignored: bool = False
    take_over: bool = False
    skip_hooks: bool = False
    stage: bool = False
    destroy: frozenset[str] = frozenset()
    publish: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """The selection and the policy of the command line, with which a saved plan can be made again.

    `names` and `labels` are sorted; if both are empty, all environments are selected.
    """

    names: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    policy: Policy = Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentPlan:
    """One environment's part of the plan.

    `prior` is the digest of the observed state (docs/design.md, "Plan"); `desired` that of the desired state, empty for
    a deletion. `blocked` holds the reasons why apply refuses the change. `python_before` and `python_after` are
    versions, empty without an interpreter. `generation` is the published one (0: none). `failure` is why no lock
    could be made. `complete` is False if the packages are only known after a lock or a build. `notes` are facts
    that do not count as a difference and that apply does not depend on, such as the number of files to carry over.
    `staged` is the staged generation that will be published instead of building one (0: none).
    `renamed_from` is the former name of an environment that is renamed, empty otherwise.
    `hold` is why apply leaves the environment alone: it has no steps then, and `action` is what would be done.
    """

    name: str
    path: str
    action: Action
    renamed_from: str = ""
    reasons: tuple[Reason, ...] = ()
    blocked: tuple[Reason, ...] = ()
    prior: str = ""
    desired: str = ""
    python_before: str = ""
    python_after: str = ""
    packages: tuple[PackageChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    steps: tuple[Step, ...] = ()
    package_count: int = 0
    generation: int = 0
    staged: int = 0
    complete: bool = True
    hints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    hold: Hold | None = None
    target: Target | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The number of environments by action; a blocked one only counts as blocked, one that is held as held."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    adopt: int = 0
    rename: int = 0
    blocked: int = 0
    held: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What differs and what will be done about it, for every selected environment, sorted by name.

    `manifest` and `locks` are digests; `root` is the directory of the environments. `against` is the git revision that
    the manifest and the locks were compared with, empty if it was the state on disk. `platform` is the operating system
    and processor on which the plan was made (`linux x86_64`). `only` is the filter that was applied (`drift` or
    `pending`; `reconciler.plan.origin_filter`), empty if there was none. `notes` are sentences about what was left out.
    `remarks` are sentences about this machine, or about the comparison with a revision, to read before the plan is
    applied. They may change while the plan is reviewed.
    `held_allowed` is whether a hold alone does not count as a difference (`check --allow-held`).
    """

    project: str
    root: str
    manifest: str
    locks: dict[str, str]
    depth: Depth
    environments: tuple[EnvironmentPlan, ...]
    against: str = ""
    asked: PlanRequest = PlanRequest()
    platform: str = ""
    only: str = ""
    notes: tuple[str, ...] = ()
    held_allowed: bool = False
    remarks: tuple[str, ...] = field(default=(), compare=False)
    format_version: str = FORMAT_VERSION

    @property
    def changes(self) -> tuple[EnvironmentPlan, ...]:
        """Return the environments that are not a no-op, including those that are blocked or held."""
        return tuple(each for each in self.environments if each.action is not Action.NO_OP or each.blocked or each.hold)

    def counts(self, environment: EnvironmentPlan) -> bool:
        """Return whether one of `changes` counts as a difference.

        If holds are allowed, one that is held counts only if it drifted or is blocked.
        """
        if not self.held_allowed or environment.hold is None or environment.blocked:
            return True
        return any(each.origin is not Origin.PENDING for each in environment.reasons)

    @property
    def has_difference(self) -> bool:
        """Return whether anything differs; text, JSON and exit code all use this answer."""
        return any(map(self.counts, self.changes))

    @property
    def failures(self) -> dict[str, Failure]:
        """Return why environments could not be locked, by name; if any, `plan` exits with code 1."""
        return {each.name: each.failure for each in self.environments if each.failure is not None}

    @property
    def complete(self) -> bool:
        """Return whether every package of every environment is known."""
        return all(each.complete for each in self.environments)

    @property
    def applyable(self) -> bool:
        """Return whether there is an unblocked change, and all packages of the unblocked changes are known.

        A plan that was compared with a git revision or filtered is only for display.
        """
        if self.against or self.only:
            return False
        free = [each for each in self.changes if not (each.blocked or each.hold)]
        return bool(free) and all(each.complete for each in free)

    @property
    def id(self) -> str:
        """Return the digest of everything that a saved plan contains.

        The targets do not count, because apply makes them again. The notes of environments and the remarks do not
        count either.
        """
        kept = [each.name for each in fields(EnvironmentPlan) if each.name not in {"target", "notes"}]
        content = to_json(
            {
                "format_version": self.format_version,
                "project": self.project,
                "root": self.root,
                "manifest": self.manifest,
                "locks": self.locks,
                "depth": self.depth,
                "against": self.against,
                "asked": self.asked,
                "platform": self.platform,
                "only": self.only,
                "notes": self.notes,
                "environments": [{name: getattr(each, name) for name in kept} for each in self.environments],
            }
        )
        return digest(safe_json(content))

    @property
    def summary(self) -> Summary:
        """Count the environments by what happens to them."""
        kinds = ("create", "update", "replace", "delete", "adopt", "rename", "blocked", "held", "unchanged")
        counts = dict.fromkeys(kinds, 0)
        for each in self.environments:
            if each.blocked:
                counts["blocked"] += 1
            elif each.hold:
                counts["held"] += 1
            elif each.action is Action.NO_OP:
                counts["unchanged"] += 1
            else:
                counts[each.action.value] += 1
        return Summary(**counts)


def platform() -> str:
    """Return the operating system and the processor of this machine (`linux x86_64`), to which a plan is bound."""
    return f"{sys.platform} {os.uname().machine}"
