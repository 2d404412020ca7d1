"""Builds the inputs of planning from the short form that the cases in tests/cases/plan use.

A case is a mapping with these keys, all optional:

- `manifest`: environments by name, with the keys of the manifest; `packages` are the packages that the lock selects, as
  versions or as mappings with a source (`unknown`: only known after a build; `at`: the absolute directory of an
  editable one, which is compared if it is given); `lock` is the state of the lock (`fresh`, `stale`, `missing` or
  `unreadable`), `lock_of` a former name that its file still has, `python` the version of the interpreter; `faults` are
  why it cannot be planned;
- `applied`: environments by name, as they were last applied, with the same keys; also `project`, `generation`,
  `from` (the manifest that applied it, relative to the root), `accepted`, `hooks_pending`, `hook_paths`,
  `hook_packages`, `rolled_back_from`, `rolled_back_because`, `trial_since`, `built_as` (its former name), `overlaps`
  (with the fields of `Overlap`), `hold` (the reason why it is held), and `without` for settings that an older envsync
  did not record;
- `actual`: differences of the observed state from the applied one: `occupant`, `packages`, `findings`, `ignored`
  (findings about files that `ignore_files` matches), `generation`, `seal`;
- `staged`: staged generations by name, with the keys of `manifest`; also `generation`, `outdated` (built for something
  else than is desired now), `changed` (what is at the path changed since), `action` and `reasons` of the plan that
  staged it;
- `conflicts`: by new name of a renamed environment, the number of a generation that an earlier one of that name has;
- `unreadable`: the faults of environments whose record or seal cannot be read, by name;
- `policy`: what the command line allows (`prune`, `adopt`, `allow_empty`, `drop_ignored`, `skip_hooks`, `take_over`,
  `destroy`);
- `keep_deleted`: the key of the manifest;
- `declared`: the names in the manifest if they are not those of `manifest`; `selected`: whether names were selected.

`world(case).plan()` is the plan. Everything that a case does not mention has a default.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.canonical_json import digest
from reconciler.diff.compare import compare
from reconciler.diff.model import Diff, Fault, ReasonCode, Target
from reconciler.diff.renames import Renames, find_renames
from reconciler.diff.settings import settings_of
from reconciler.events import Failure
from reconciler.interpreters.model import UNKNOWN, Interpreter
from reconciler.lock.model import (
    ArchiveFile,
    IndexFile,
    Lock,
    LockedPackage,
    LockState,
    Source,
    SourceDirectory,
    VcsCommit,
)
from reconciler.manifest import defaults
from reconciler.manifest.desired import (
    BuildEnv,
    CommandProbe,
    DependenciesProbe,
    DesiredEnvironment,
    DesiredState,
    Health,
    Hooks,
    IgnoreException,
    ImportProbe,
    Probe,
    Public,
)
from reconciler.observe.actual import (
    ActualEnvironment,
    ActualState,
    Depth,
    Distribution,
    Finding,
    FindingCode,
    InstalledFrom,
    Occupant,
    OriginKind,
)
from reconciler.plan.make import make_plan
from reconciler.plan.model import Plan, Policy
from reconciler.plan.prior import prior
from reconciler.plan.staging import interpreter_of, staged_identity
from reconciler.state.applied import Applied, AppliedInterpreter
from reconciler.state.hold import Hold
from reconciler.state.overlap import overlap_from_json
from reconciler.state.owner import OtherOwner, other_owners, under_present_project
from reconciler.state.staged import Staged, StagedNote

Spec = Mapping[str, Any]
PYTHON = "3.12.1"
OURS = {Occupant.PUBLISHED, Occupant.DANGLING}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All inputs of planning."""

    desired: DesiredState
    targets: Mapping[str, Target]
    actual: ActualState
    applied: Mapping[str, Applied]
    policy: Policy
    owners: Mapping[str, OtherOwner]
    faults: Mapping[str, Fault]
    staged: Mapping[str, Staged]
    renames: Renames

    def diff(self) -> Diff:
        if self.policy.publish:  # nothing else is planned
            return Diff(environments=())
        return compare(self.desired, self.targets, self.actual, self.applied)

    def plan(self) -> Plan:
        return make_plan(
            self.desired,
            self.diff(),
            self.targets,
            self.actual,
            self.applied,
            self.policy,
            owners=self.owners,
            faults=self.faults,
            staged=self.staged,
            renames=self.renames,
        )


def world(case: Spec) -> World:
    """Build the inputs that a case describes."""
    manifest: Spec = case.get("manifest") or {}
    unreadable = {name: fault(spec) for name, spec in (case.get("unreadable") or {}).items()}
    applied = {name: applied_environment(name, spec or {}) for name, spec in (case.get("applied") or {}).items()}
    actual: Spec = case.get("actual") or {}
    specs: dict[str, Spec] = dict(case.get("applied") or {})
    environments = tuple(environment(name, spec or {}) for name, spec in manifest.items())
    desired = DesiredState(
        project="acme",
        file=Path("envs.yaml"),
        root=Path(".envs"),
        locks=Path("locks"),
        digest=digest(manifest),
        keep_deleted=case.get("keep_deleted", defaults.KEEP_DELETED),
        environments=environments,
        declared=frozenset(case.get("declared", manifest)),
        selected=case.get("selected", False),
    )
    allowed = policy(case.get("policy") or {})
    owners = other_owners(applied, desired.project, desired.file, desired.root)
    renames = find_renames(desired, applied, unreadable)
    faults = renames.faults(unreadable, case.get("conflicts") or {})
    targets = {name: target(name, spec or {}, faults.get(name)) for name, spec in manifest.items()}
    names = sorted({*targets, *applied, *actual, *faults})
    renames, observed = renames.observed(
        ActualState(
            environments={
                name: actual_environment(name, actual.get(name) or {}, applied.get(name), specs.get(name) or {})
                for name in names
            },
            depth=Depth.FILES,
        )
    )
    staged = {
        name: staged_environment(name, spec or {}, targets.get(name), observed.environments[name])
        for name, spec in (case.get("staged") or {}).items()
    }
    return World(
        desired=desired,
        targets=targets,
        actual=observed,
        applied=renames.applied(under_present_project(applied, owners, desired.project)),
        policy=allowed,
        owners=renames.owners(owners),
        faults=faults,
        renames=renames,
        staged=staged,
    )


def policy(spec: Spec) -> Policy:
    return Policy(**{**spec, **{key: frozenset(spec.get(key, ())) for key in ("destroy", "publish")}})


def interpreter(version: str, path: str = "", implementation: str = "cpython") -> Interpreter:
    return Interpreter(
        path=path or f"/opt/python/{version}/bin/python",
        version=version,
        implementation=implementation,
        markers={},
        tags=(),
    )


def environment(name: str, spec: Spec) -> DesiredEnvironment:
    """Build an environment of the manifest, from the manifest's own keys."""
    plain = {"description", "labels", "env", "system_site_packages", "keep_generations", "prevent_destroy", "access"}
    lists = {"ignore", "ignore_files", "depends_on"}
    exceptions = tuple(IgnoreException(**each) for each in spec.get("exceptions", ()))
    hooks: dict[str, Any] = dict(spec.get("hooks") or {})
    on_failure = hooks.pop("on_failure", defaults.HOOKS_ON_FAILURE)
    health: dict[str, Any] = dict(spec.get("health") or {})
    return DesiredEnvironment(
        name=name,
        python=spec.get("request", "3.12"),
        renamed_from=spec.get("renamed_from", ""),
        probes=tuple(probe(each) for each in spec.get("probes", ())),
        hooks=Hooks(**{key: tuple(tuple(argv) for argv in argvs) for key, argvs in hooks.items()}),
        on_failure=on_failure,
        health=Health(argv=tuple(health.pop("run")), **health) if health else None,
        exceptions=exceptions,
        link_mode=spec.get("link_mode"),
        compile_bytecode=spec.get("compile_bytecode", False),
        builds=spec.get("builds", "allow"),
        public=Public(**{key: tuple(map(_as_tuple, each)) for key, each in spec.get("public", {}).items()}),
        build_env=BuildEnv(variables=spec.get("build_env", {})),
        exclude_newer=spec.get("exclude_newer"),
        prerelease=spec.get("prerelease", "if-necessary-or-explicit"),
        **dict[str, Any]({key: spec[key] for key in plain & spec.keys()}),
        **dict[str, Any]({key: tuple(spec[key]) for key in lists & spec.keys()}),
    )


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def probe(spec: Any) -> Probe:
    if spec == "dependencies":
        return DependenciesProbe()
    timeout = float(spec.get("timeout", 60))
    if "import" in spec:
        return ImportProbe(module=spec["import"], timeout=timeout)
    return CommandProbe(argv=tuple(spec["run"]), timeout=timeout)


def target(name: str, spec: Spec, unreadable: Fault | None = None) -> Target:
    """Build an entry of `manifest`; its `packages` are those that the lock selects, or `unknown` until a build."""
    packages = spec.get("packages") or {}
    wanted = None if packages == "unknown" else locked_packages(packages)
    base = interpreter(spec.get("python", PYTHON), spec.get("interpreter", ""), spec.get("kind", "cpython"))
    return Target(
        environment=environment(name, spec),
        interpreter=base if base.version else UNKNOWN,
        lock_state=LockState(spec.get("lock", "fresh")),
        lock=None
        if wanted is None
        else Lock(
            environment=name,
            path=Path(f"locks/pylock.{spec.get('lock_of', name)}.toml"),
            document={},
            inputs=None,
            digest=digest([name, wanted]),
        ),
        packages=wanted,
        editables={key: each["at"] for key, each in packages.items() if "at" in each} if wanted is not None else {},
        hint=spec.get("hint", ""),
        failure=failure(spec["failure"]) if "failure" in spec else None,
        faults=(*([unreadable] if unreadable else []), *map(fault, spec.get("faults", ()))),
    )


def fault(spec: Spec) -> Fault:
    return Fault(**{"hint": "", **spec, "code": ReasonCode(spec["code"])})


def failure(spec: Spec) -> Failure:
    return Failure(**{"hint": "", **spec, "details": tuple(spec.get("details", ()))})


def locked_packages(specs: Spec) -> tuple[LockedPackage, ...]:
    return tuple(locked(name, specs[name]) for name in sorted(specs))


def locked(name: str, spec: str | Spec) -> LockedPackage:
    """Build a package of a lock: a version from the index, or a mapping that names another source."""
    entry: Spec = {"version": spec} if isinstance(spec, str) else spec
    version = entry["version"]
    source: Source
    match entry:
        case {"archive": location}:
            source = ArchiveFile(location=location, sha256=entry.get("sha256", sha256(location)), subdirectory="")
        case {"git": url, "commit": commit}:
            source = VcsCommit(vcs="git", url=url, commit=commit, subdirectory="")
        case {"directory": path}:
            source = SourceDirectory(
                path=path, editable=entry.get("editable", False), content=str(entry.get("content", "as it was"))
            )
        case _:
            filename = entry.get("file", f"{name}-{version}-py3-none-any.whl")
            index = entry.get("index", "https://index.example/simple")
            source = IndexFile(index=index, filename=filename, sha256=entry.get("sha256", sha256(filename)))
    return LockedPackage(name=name, version=version, source=source)


def installed(name: str, spec: str | Spec) -> Distribution:
    """Build the distribution of an installed package; `built` is its version if the lock has none."""
    package = locked(name, spec)
    entry: Spec = {} if isinstance(spec, str) else spec
    location = ""
    version = str(package.version or entry["built"])
    match package.source:
        case IndexFile():
            origin = InstalledFrom()
        case ArchiveFile(location=location, sha256=hexadecimal):
            recorded = "" if entry.get("hash") == "unrecorded" else f"sha256={hexadecimal}"
            origin = InstalledFrom(kind=OriginKind.ARCHIVE, url=location, hash=recorded)
        case VcsCommit(url=url, commit=commit):
            origin = InstalledFrom(kind=OriginKind.VCS, url=url, vcs="git", commit=commit)
        case SourceDirectory(path=path, editable=editable):
            kind = OriginKind.EDITABLE if editable else OriginKind.DIRECTORY
            location = entry.get("at", f"/src/{path}") if editable else ""
            origin = InstalledFrom(kind=kind, url=f"file://{location or f'/src/{path}'}")
    place = entry.get("place", f"lib/python3.12/site-packages/{name}-{version}.dist-info")
    return Distribution(key=name, name=name, version=version, origin=origin, place=place, location=location)


def distributions(specs: Spec) -> tuple[Distribution, ...]:
    """Build the installed distributions; a list of two is one package that is installed twice."""
    found = []
    for name, spec in specs.items():
        found += [installed(name, each) for each in (spec if isinstance(spec, list) else [spec])]
    return tuple(found)


def applied_environment(name: str, spec: Spec) -> Applied:
    """Build an entry of `applied`, written in the keys of `manifest`."""
    wanted = environment(name, spec)
    packages: Spec = spec.get("packages") or {}
    base = interpreter(spec.get("python", PYTHON), spec.get("interpreter", ""), spec.get("kind", "cpython"))
    settings = settings_of(wanted)
    for key in spec.get("without", ()):  # as an older version of envsync recorded it
        del settings[key]
    generation = spec.get("generation", 1)
    return Applied(
        name=name,
        project=spec.get("project", "acme"),
        generation=generation,
        interpreter=AppliedInterpreter(path=base.path, version=base.version, implementation=base.implementation),
        packages=locked_packages(packages),
        installed={each.key: each.identity for each in distributions(packages)},
        accepted=frozenset(finding(each).key for each in spec.get("accepted", ())),
        settings=settings,
        prevent_destroy=wanted.prevent_destroy,
        seal=seal(name, generation) if generation else "",
        manifest=spec.get("from", ""),
        hooks_pending=spec.get("hooks_pending", False),
        hook_paths=frozenset(spec.get("hook_paths", ())),
        hook_packages=frozenset(spec.get("hook_packages", ())),
        rolled_back_from=spec.get("rolled_back_from", 0),
        rolled_back_because=spec.get("rolled_back_because", ""),
        trial_since=spec.get("trial_since", ""),
        built_as=spec.get("built_as", ""),
        overlaps=tuple(overlap_from_json({"packages": [], "paths": [], **each}) for each in spec.get("overlaps", ())),
        hold=Hold(reason=spec["hold"], by="alice", since="2026-11-30T09:12:00+00:00") if "hold" in spec else None,
    )


def staged_environment(name: str, spec: Spec, wanted: Target | None, actual: ActualEnvironment) -> Staged:
    """Build an entry of `staged`, written in the keys of `manifest`: by default what `manifest` declares."""
    applied = applied_environment(name, {"generation": 2, **spec})
    desired = staged_identity(wanted, "acme") if wanted is not None and not spec.get("outdated") else "other"
    return Staged(
        generation=applied.generation,
        note=StagedNote(
            desired=desired,
            prior="other" if spec.get("changed") else prior(actual, interpreter_of(applied)),
            action=spec.get("action", "update"),
            reasons=tuple(tuple(each) for each in spec.get("reasons", ())),
            drifted=False,
            staged=dt.datetime(2026, 11, 30, 9, 12, tzinfo=dt.UTC),
        ),
        applied=applied,
    )


def actual_environment(name: str, spec: Spec, applied: Applied | None, last: Spec) -> ActualEnvironment:
    """Build an entry of `actual`: as last applied except for the given keys; absent if nothing was applied."""
    occupant = Occupant(spec.get("occupant", "published" if applied and applied.generation else "absent"))
    generation = spec.get("generation", (applied.generation if applied else 1) if occupant is Occupant.PUBLISHED else 0)
    packages = spec.get("packages", last.get("packages") if occupant is Occupant.PUBLISHED else None) or {}
    return ActualEnvironment(
        name=name,
        path=f"/srv/acme/.envs/{name}",
        occupant=occupant,
        depth=Depth.FILES,
        generation=generation,
        seal=spec.get("seal", seal(name, generation) if generation else ""),
        python=spec.get("python", applied.interpreter.version if applied and generation else ""),
        distributions=distributions(packages),
        findings=tuple(finding(each) for each in spec.get("findings", ())),
        ignored=tuple(finding(each) for each in spec.get("ignored", ())),
    )


def finding(spec: Spec) -> Finding:
    return Finding(**{**spec, "code": FindingCode(spec["code"])})


def seal(name: str, generation: int) -> str:
    return digest([name, generation])


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
