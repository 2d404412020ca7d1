"""envsync keeps the Python virtual environments of a machine equal to a manifest in git.

    import reconciler

    proposal = reconciler.load("envs.yaml").plan()
    if proposal.plan.has_difference:
        result = proposal.apply()

The public API is `__all__`; docs/python.md explains it. Everything that goes wrong is an `EnvsyncError`; the tree of
errors is `reconciler.errors`. Other modules are internal, and may change in any release.

A public name is imported when it is first used, so that `envsync --version` and `envsync run` import none of them.
"""

TYPE_CHECKING = False  # importing `typing` takes as long as everything that `run` needs
if TYPE_CHECKING:
    from reconciler.apply.changed_environment import ChangedEnvironment, ChangeKind
    from reconciler.apply.collect import Removable
    from reconciler.apply.collect_cache import CollectedCache
    from reconciler.apply.context import ApplyOptions
    from reconciler.apply.verify_generations import GenerationState, VerifiedGeneration
    from reconciler.diagnosis import Diagnosis
    from reconciler.diff.generations import (
        FileChange,
        FileDifference,
        GenerationDiff,
        GenerationSide,
        PackageDifference,
    )
    from reconciler.diff.integrity import Integrity
    from reconciler.diff.model import Fault, Origin, PackageAction, PackageChange, Reason, ReasonCode, SettingChange
    from reconciler.diff.source_change import SourceChange, SourceFlag
    from reconciler.engines.deadlines import Deadlines
    from reconciler.errors import EnvsyncError, ManifestError, Place, Problem
    from reconciler.events import (
        EnvironmentFinished,
        Event,
        Failure,
        Notice,
        RunFinished,
        RunStarted,
        Status,
        StepFinished,
        StepStarted,
    )
    from reconciler.fs.file_system import Ability, FileSystem
    from reconciler.generation_list import KeptGeneration
    from reconciler.interpreters.choose import Surveyed
    from reconciler.lock.model import LockState
    from reconciler.lock.update import LockOutcome
    from reconciler.maintenance import Maintenance, TrustedRoot
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
        Index,
        InputFile,
        LocalProject,
        LockSource,
        Public,
        RequirementLine,
    )
    from reconciler.observe.actual import (
        ActualEnvironment,
        ActualState,
        Depth,
        Distribution,
        EditedInode,
        Finding,
        FindingCode,
        InstalledFrom,
        Occupant,
        OriginKind,
        StartupFile,
        StartupState,
    )
    from reconciler.observe.disk_usage import DiskUsage
    from reconciler.options import PlanOptions, Selection
    from reconciler.plan.model import Action, EnvironmentPlan, Plan, PlanRequest, Policy, Step, StepKind, Summary
    from reconciler.plan.plan_file import SavedPlan, read_plan, save_plan
    from reconciler.reconcile import Proposal, Workspace, load
    from reconciler.revision.compare import Comparison
    from reconciler.snapshot.file import read_snapshot, snapshot_json
    from reconciler.snapshot.model import Snapshot
    from reconciler.state.applied import Applied, AppliedInterpreter
    from reconciler.state.deleted import Deleted
    from reconciler.state.hold import Hold
    from reconciler.state.overlap import Overlap
    from reconciler.state.staged import Staged, StagedNote

__version__ = "0.1.0"
DISTRIBUTION = "envsync-reconciler"  # absent if another distribution has overwritten this package

__all__ = [
    "Ability",
    "Action",
    "ActualEnvironment",
    "ActualState",
    "Applied",
    "AppliedInterpreter",
    "ApplyOptions",
    "BuildEnv",
    "ChangeKind",
    "ChangedEnvironment",
    "CollectedCache",
    "CommandProbe",
    "Comparison",
    "Deadlines",
    "Deleted",
    "DependenciesProbe",
    "Depth",
    "DesiredEnvironment",
    "DesiredState",
    "Diagnosis",
    "DiskUsage",
    "Distribution",
    "EditedInode",
    "EnvironmentFinished",
    "EnvironmentPlan",
    "EnvsyncError",
    "Event",
    "Failure",
    "Fault",
    "FileChange",
    "FileDifference",
    "FileSystem",
    "Finding",
    "FindingCode",
    "GenerationDiff",
    "GenerationSide",
    "GenerationState",
    "Health",
    "Hold",
    "Hooks",
    "IgnoreException",
    "ImportProbe",
    "Index",
    "InputFile",
    "InstalledFrom",
    "Integrity",
    "KeptGeneration",
    "LocalProject",
    "LockOutcome",
    "LockSource",
    "LockState",
    "Maintenance",
    "ManifestError",
    "Notice",
    "Occupant",
    "Origin",
    "OriginKind",
    "Overlap",
    "PackageAction",
    "PackageChange",
    "PackageDifference",
    "Place",
    "Plan",
    "PlanOptions",
    "PlanRequest",
    "Policy",
    "Problem",
    "Proposal",
    "Public",
    "Reason",
    "ReasonCode",
    "Removable",
    "RequirementLine",
    "RunFinished",
    "RunStarted",
    "SavedPlan",
    "Selection",
    "SettingChange",
    "Snapshot",
    "SourceChange",
    "SourceFlag",
    "Staged",
    "StagedNote",
    "StartupFile",
    "StartupState",
    "Status",
    "Step",
    "StepFinished",
    "StepKind",
    "StepStarted",
    "Summary",
    "Surveyed",
    "TrustedRoot",
    "VerifiedGeneration",
    "Workspace",
    "__version__",
    "load",
    "read_plan",
    "read_snapshot",
    "save_plan",
    "snapshot_json",
]

_NAMES_BY_MODULE = {
    "reconciler.apply.changed_environment": "ChangeKind ChangedEnvironment",
    "reconciler.apply.collect": "Removable",
    "reconciler.apply.collect_cache": "CollectedCache",
    "reconciler.apply.context": "ApplyOptions",
    "reconciler.apply.verify_generations": "GenerationState VerifiedGeneration",
    "reconciler.diff.generations": "FileChange FileDifference GenerationDiff GenerationSide PackageDifference",
    "reconciler.diff.integrity": "Integrity",
    "reconciler.diff.model": "Fault Origin PackageAction PackageChange Reason ReasonCode SettingChange",
    "reconciler.diff.source_change": "SourceChange SourceFlag",
    "reconciler.engines.deadlines": "Deadlines",
    "reconciler.errors": "EnvsyncError ManifestError Place Problem",
    "reconciler.events": (
        "EnvironmentFinished Event Failure Notice RunFinished RunStarted Status StepFinished StepStarted"
    ),
    "reconciler.generation_list": "KeptGeneration",
    "reconciler.lock.model": "LockState",
    "reconciler.lock.update": "LockOutcome",
    "reconciler.maintenance": "Maintenance TrustedRoot",
    "reconciler.manifest.desired": (
        "BuildEnv CommandProbe DependenciesProbe DesiredEnvironment DesiredState Health Hooks IgnoreException "
        "ImportProbe Index InputFile LocalProject LockSource Public RequirementLine"
    ),
    "reconciler.observe.actual": (
        "ActualEnvironment ActualState Depth Distribution EditedInode Finding FindingCode InstalledFrom Occupant "
        "OriginKind StartupFile StartupState"
    ),
    "reconciler.diagnosis": "Diagnosis",
    "reconciler.fs.file_system": "Ability FileSystem",
    "reconciler.interpreters.choose": "Surveyed",
    "reconciler.observe.disk_usage": "DiskUsage",
    "reconciler.options": "PlanOptions Selection",
    "reconciler.plan.model": "Action EnvironmentPlan Plan PlanRequest Policy Step StepKind Summary",
    "reconciler.plan.plan_file": "SavedPlan read_plan save_plan",
    "reconciler.reconcile": "Proposal Workspace load",
    "reconciler.revision.compare": "Comparison",
    "reconciler.snapshot.file": "read_snapshot snapshot_json",
    "reconciler.snapshot.model": "Snapshot",
    "reconciler.state.applied": "Applied AppliedInterpreter",
    "reconciler.state.deleted": "Deleted",
    "reconciler.state.hold": "Hold",
    "reconciler.state.overlap": "Overlap",
    "reconciler.state.staged": "Staged StagedNote",
}


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # a type checker would otherwise accept every name, misspelt ones too

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used (PEP 562)."""
        for module, names in _NAMES_BY_MODULE.items():
            if name in names.split():
                from importlib import import_module

                value = getattr(import_module(module), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
