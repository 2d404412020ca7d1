"""Refuse a saved plan that is out of date, and name what changed (docs/design.md, "Plan")."""

from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeAlias

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.canonical_json import Json, canonical_text
from reconciler.errors import PlanFileError
from reconciler.json_output import safe_text
from reconciler.manifest.desired import DesiredState
from reconciler.plan.document import PlanDocument, plan_data, plan_document
from reconciler.plan.model import FORMAT_VERSION, Plan
from reconciler.plan.plan_file import SavedPlan

_Environments: TypeAlias = Mapping[str, Mapping[str, Json]]


def refuse_foreign(saved: Plan, desired: DesiredState, platform: str) -> None:
    """Refuse a plan of a different format, machine, project, root or manifest, before the state is observed.

    Raises PlanFileError.
    """
    root = safe_text(str(desired.root))
    if saved.format_version != FORMAT_VERSION:
        _refuse(f"it has format {saved.format_version}, but this version of envsync writes format {FORMAT_VERSION}")
    if saved.against or saved.only:
        _refuse("it was made with `--against` or `--only`, and is only for display")
    if saved.platform != platform:
        _refuse(f"it was made on {saved.platform}, but this machine is {platform}")
    if saved.project != desired.project:
        _refuse(f"it is for project {in_backticks(saved.project)}, but this project is {in_backticks(desired.project)}")
    if saved.root != root:
        _refuse(f"it is for root {in_backticks(saved.root)}, but this root is {in_backticks(root)}")
    if saved.manifest != desired.digest:
        _refuse("the manifest, or a file that it names, changed since it was made")


def refuse_stale(saved: SavedPlan, fresh: Plan) -> None:
    """Refuse a saved plan that differs from the plan made just now; raises PlanFileError that names what changed.

    Sentences do not count: the saved plan may have been written by a version of envsync that has other words.
    """
    now = plan_document(fresh)
    if canonical_text(plan_data(saved.document)) != canonical_text(plan_data(now)):
        _refuse("; ".join(_changes(saved.document, now)) + " since it was made")


def _changes(before: PlanDocument, now: PlanDocument) -> list[str]:
    """Return what differs between two plans of one manifest, the most specific first; at least one sentence."""
    old, new = _by_name(before), _by_name(now)
    locks = _differing(before.locks, now.locks)
    pythons = _differing_by("python_after", old, new)
    disks = [name for name in _differing_by("prior", old, new) if name not in pythons]
    holds = _differing_by("hold", old, new)
    others = [name for name in _differing(old, new) if name not in {*locks, *pythons, *disks, *holds}]
    sentences = [
        f"the {'lock' if len(locks) == 1 else 'locks'} of {list_in_backticks(locks)} changed" if locks else "",
        f"the Python version of {list_in_backticks(pythons)} changed" if pythons else "",
        f"{list_in_backticks(disks)}{_or_interpreter(disks, old, new)} changed on disk" if disks else "",
        f"the {'hold' if len(holds) == 1 else 'holds'} of {list_in_backticks(holds)} changed" if holds else "",
        f"the actions for {list_in_backticks(others)} changed" if others else "",
    ]
    return [each for each in sentences if each] or ["the requested options changed"]


def _or_interpreter(names: Sequence[str], old: _Environments, new: _Environments) -> str:
    """Return the second possible cause if only the prior differs: the interpreter moved, with the same version."""
    if all({**new[name], "prior": old[name]["prior"]} != old[name] for name in names):
        return ""
    return f" or {'its' if len(names) == 1 else 'their'} interpreter"


def _by_name(document: PlanDocument) -> _Environments:
    """Return the data of each environment."""
    return {each.name: plan_data(each) for each in document.environments}


def _differing(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Return the names whose values differ, and the names that only one of the two has."""
    return [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]


def _differing_by(field: str, old: _Environments, new: _Environments) -> list[str]:
    """Return the names of the environments that both have and whose `field` differs."""
    return [name for name in sorted(old.keys() & new.keys()) if old[name][field] != new[name][field]]


def _refuse(what: str) -> NoReturn:
    raise PlanFileError(
        f"the plan cannot be applied: {what}", hint="run `envsync plan --out FILE` and have the new plan reviewed"
    )
