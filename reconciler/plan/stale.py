"""Whether a saved plan is still the plan, and what moved if it is not (design, section 7)."""

from collections.abc import Iterable, Mapping
from typing import NoReturn, TypeAlias

from reconciler.canonical_json import canonical_text
from reconciler.errors import PlanFileError
from reconciler.json_output import outgoing_text
from reconciler.manifest.desired import DesiredState
from reconciler.plan.document import EnvironmentDocument, PlanDocument, plan_document
from reconciler.plan.model import FORMAT_VERSION, Plan
from reconciler.plan.plan_file import SavedPlan

_Parts: TypeAlias = Mapping[str, EnvironmentDocument]


def refuse_foreign(saved: Plan, desired: DesiredState, platform: str) -> None:
    """Refuse a plan of another envsync, machine, project, root or manifest, before anything is looked at.

    Raises PlanFileError.
    """
    root = outgoing_text(str(desired.root))
    if saved.format_version != FORMAT_VERSION:
        _refuse(f"it is of format {saved.format_version}, and this envsync makes {FORMAT_VERSION}")
    if saved.against or saved.only:
        _refuse("it only tells, and cannot be applied")
    if saved.platform != platform:
        _refuse(f"it was made on {saved.platform}, and this is {platform}")
    if saved.project != desired.project:
        _refuse(f"it is a plan for another project: {saved.project}, and this is {desired.project}")
    if saved.root != root:
        _refuse(f"it is a plan for another root: {saved.root}, and this is {root}")
    if saved.manifest != desired.digest:
        _refuse("the manifest changed since (or a file that it names)")


def refuse_moved(saved: SavedPlan, fresh: Plan) -> None:
    """Refuse a saved plan unless the same was planned again just now; raises PlanFileError naming what moved."""
    now = plan_document(fresh)
    if canonical_text(saved.document.model_dump(mode="json")) != canonical_text(now.model_dump(mode="json")):
        _refuse("; ".join(_moved(saved.document, now)) + " since it was made")


def _moved(before: PlanDocument, now: PlanDocument) -> list[str]:
    """Return what differs between two plans of one manifest, most telling first; at least one sentence."""
    old, new = _by_name(before), _by_name(now)
    locks = _unlike(before.locks, now.locks)
    pythons = _unlike_by("python_after", old, new)
    stands = [name for name in _unlike_by("prior", old, new) if name not in pythons]
    others = [name for name in _unlike(old, new) if name not in {*locks, *pythons, *stands}]
    told = [
        f"the {'lock' if len(locks) == 1 else 'locks'} of {', '.join(locks)} changed" if locks else "",
        f"the python of {', '.join(pythons)} changed" if pythons else "",
        f"{', '.join(stands)} changed on disk{_or_python(stands, old, new)}" if stands else "",
        f"what is to be done with {', '.join(others)} changed" if others else "",
    ]
    return [each for each in told if each] or ["what was asked for changed"]


def _or_python(names: Iterable[str], old: _Parts, new: _Parts) -> str:
    """Return what else it can be where nothing but the prior tells: an interpreter elsewhere, of the same version."""
    same = [name for name in names if new[name].model_copy(update={"prior": old[name].prior}) == old[name]]
    return ", or the interpreter did" if same else ""


def _by_name(document: PlanDocument) -> _Parts:
    return {each.name: each for each in document.environments}


def _unlike(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Return the names whose values differ, and those that only one of the two has."""
    return [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]


def _unlike_by(field: str, old: _Parts, new: _Parts) -> list[str]:
    """Return the names of the environments that both have, and whose `field` differs."""
    return [name for name in sorted(old.keys() & new.keys()) if getattr(old[name], field) != getattr(new[name], field)]


def _refuse(what: str) -> NoReturn:
    raise PlanFileError(f"the plan no longer fits: {what}", hint="plan again, and have the new plan looked at")
