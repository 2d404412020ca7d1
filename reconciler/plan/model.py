"""The plan: everything that apply will do, decided (design, section 7). Rendered and applied from the same value."""

import os
import sys
from dataclasses import dataclass, field, fields
from enum import StrEnum

from reconciler.canonical_json import digest, to_json
from reconciler.diff.model import PackageChange, Reason, SettingChange, Target
from reconciler.events import Failure
from reconciler.json_output import outgoing
from reconciler.observe.actual import Depth, Finding

FORMAT_VERSION = "1.0"


class Action(StrEnum):
    """What happens to one environment."""

    NO_OP = "no-op"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"


class StepKind(StrEnum):
    """One thing that apply does, in the order in which an environment goes through them."""

    LOCK = "lock"  # write the lock that planning resolved
    BUILD = "build"  # venv and every package, at the new generation's own path
    VERIFY = "verify"  # observed equals the lock; every file against RECORD
    PROBE = "probe"
    SEAL = "seal"
    SYNC = "sync"
    PUBLISH = "publish"
    ADOPT = "adopt"  # publish over somebody's directory, keeping it
    BEFORE_DELETE = "before-delete"  # hooks
    UNPUBLISH = "unpublish"
    RECORD = "record"
    FORGET = "forget"  # remove the record of a deleted environment
    AFTER_PUBLISH = "after-publish"  # hooks


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

    `prune` deletes owned environments that the manifest no longer names; `adopt` takes over somebody's venv at an
    environment's path; `destroy` are names to delete although the manifest has them.
    """

    prune: bool = True
    allow_empty: bool = False
    adopt: bool = False
    drop_ignored: bool = False
    destroy: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asked for, so that a saved plan can be made again: what was selected, and the policy.

    `names` and `labels` are sorted; both empty select all.
    """

    names: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    policy: Policy = Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentPlan:
    """One environment's part of the plan.

    `prior` digests what was observed (design, section 7); `desired` what is asked for, empty for a delete.
    `blocked` holds the reasons why the change must not be made; apply then refuses it. `python_before` and
    `python_after` are versions, empty where there is none. `failure` is why no lock could be made. `complete` is False
    where only a lock or a build tells the packages.
    """

    name: str
    path: str
    action: Action
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
    complete: bool = True
    hints: tuple[str, ...] = ()
    failure: Failure | None = None
    target: Target | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many environments there are of each kind; a blocked one counts as blocked alone."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    adopt: int = 0
    blocked: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What differs and what will be done about it, for every environment selected, sorted by name.

    `manifest` and `locks` are digests; `root` is where the environments live. `complete` says that every package is
    known; `applyable` that there is something to do and nothing unknown stands in its way. `against` is the git
    revision that manifest and locks were compared with, empty where it was what is on disk. `platform` is the operating
    system and processor that it was made on (`linux x86_64`). `only` is the side that it was narrowed to (`drift` or
    `pending`; `reconciler.plan.origin_filter`), empty where it tells all.
    """

    project: str
    root: str
    manifest: str
    locks: dict[str, str]
    depth: Depth
    environments: tuple[EnvironmentPlan, ...]
    against: str = ""
    asked: Asked = Asked()
    platform: str = ""
    only: str = ""
    format_version: str = FORMAT_VERSION

    @property
    def changes(self) -> tuple[EnvironmentPlan, ...]:
        """Return the environments that are not a no-op, the blocked ones among them."""
        return tuple(each for each in self.environments if each.action is not Action.NO_OP or each.blocked)

    @property
    def has_difference(self) -> bool:
        """Say whether anything differs: the one predicate behind text, JSON and exit code."""
        return bool(self.changes)

    @property
    def failures(self) -> dict[str, Failure]:
        """Return why environments could not be locked, by name: what exit code 1 says of a plan."""
        return {each.name: each.failure for each in self.environments if each.failure is not None}

    @property
    def complete(self) -> bool:
        """Say whether every package of every environment is known."""
        return all(each.complete for each in self.environments)

    @property
    def applyable(self) -> bool:
        """Say whether there is something to do that nothing blocks, and all of its packages are known.

        What was compared with a git revision, or narrowed, only tells.
        """
        if self.against or self.only:
            return False
        free = [each for each in self.changes if not each.blocked]
        return bool(free) and all(each.complete for each in free)

    @property
    def id(self) -> str:
        """Return the digest of all that a saved plan holds, as it holds it: everything but the targets.

        (Those are what apply makes anew.)
        """
        kept = [each.name for each in fields(EnvironmentPlan) if each.name != "target"]
        told = to_json(
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
                "environments": [{name: getattr(each, name) for name in kept} for each in self.environments],
            }
        )
        return digest(outgoing(told))

    @property
    def summary(self) -> Summary:
        """Count the environments by what happens to them."""
        counts = dict.fromkeys(("create", "update", "replace", "delete", "adopt", "blocked", "unchanged"), 0)
        for each in self.environments:
            if each.blocked:
                counts["blocked"] += 1
            elif each.action is Action.NO_OP:
                counts["unchanged"] += 1
            else:
                counts[each.action.value] += 1
        return Summary(**counts)


def platform() -> str:
    """Return what a plan is bound to: the operating system and the processor of this machine (`linux x86_64`)."""
    return f"{sys.platform} {os.uname().machine}"
