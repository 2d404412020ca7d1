"""What `rollback`, `hold` and `release` print: what was done to one environment."""

from collections.abc import Sequence

from reconciler.apply.changed_environment import ChangedEnvironment, ChangeKind
from reconciler.canonical_json import Json, to_json
from reconciler.json_output import json_text, safe_json
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.escape import sanitize
from reconciler.render.hold_text import hold_text


def render_changed(changed: ChangedEnvironment) -> str:
    """Return a line for what was published and one for a hold that began, goes on or ended, with a final line end."""
    lines = [each for each in (_published(changed), _held(changed)) if each]
    return "".join(f"{sanitize(changed.name)}: {line}\n" for line in lines)


def changed_json(changed: ChangedEnvironment, *, notes: Sequence[str] = (), following: EnvironmentPlan | None) -> str:
    """Return what was done as a JSON object that ends with a line end.

    `notes` are sentences for people. `following` is what the next apply does with the environment, None if that is not
    known: `next` has its action, and the codes of its reasons and of what blocks it.
    """
    planned: Json = None
    if following is not None:
        planned = {
            "action": following.action.value,
            "reasons": [each.code.value for each in following.reasons],
            "blocked": [each.code.value for each in following.blocked],
        }
    document = to_json(changed)
    assert isinstance(document, dict)  # noqa: S101  # a dataclass
    return json_text(safe_json({**document, "notes": list(notes), "next": planned}), indent=2)


def _published(changed: ChangedEnvironment) -> str:
    origin = f", rebuilt from generation {changed.rebuilt_from}," if changed.rebuilt_from else ""
    match changed.action:
        case ChangeKind.ROLLBACK:
            return f"generation {changed.generation}{origin} is published again, generation {changed.replaced} is kept"
        case ChangeKind.RESTORE:
            return f"restored, generation {changed.generation}{origin} is published again"
        case ChangeKind.RESTORE_ADOPTED:
            return "restored the environment that `--adopt` replaced"
        case ChangeKind.HOLD | ChangeKind.RELEASE:
            return ""


def _held(changed: ChangedEnvironment) -> str:
    if changed.released is not None:
        return f"released; the hold was: {hold_text(changed.released)}"
    if changed.hold is None:
        return ""
    what = f"generation {changed.generation} is held" if changed.generation else "held"
    return f"{what}: {hold_text(changed.hold)}"
