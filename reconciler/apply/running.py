"""Say which environments that will be deleted are in use: live processes keep running from their generations."""

from reconciler.apply.collect import Removable, mark_in_use
from reconciler.plan.model import Action, Plan
from reconciler.state.store import State


def running_notes(plan: Plan, state: State) -> tuple[str, ...]:
    """Return a sentence for each environment that the plan deletes and that a live process uses.

    The processes are looked at only if the plan deletes anything.
    """
    deletes = [each for each in plan.environments if each.action is Action.DELETE and not each.blocked]
    published = [
        Removable(name=each.name, generation=state.layout.generation(each.name, each.generation))
        for each in deletes
        if each.generation
    ]
    return tuple(
        f"`{each.name}`: a running process uses generation {each.generation.number}, which will be deleted; its files "
        "are kept until the process ends"
        for each in mark_in_use(state, published)
        if each.used
    )
