"""Say which environments that will be deleted are in use: live processes keep running from their generations."""

from reconciler.apply.in_use import generations_in_use
from reconciler.plan.model import Action, Plan
from reconciler.state.layout import Layout


def running_notes(plan: Plan, layout: Layout) -> tuple[str, ...]:
    """Return a sentence for each environment that the plan deletes and that a live process uses.

    The processes are looked at only if the plan deletes anything.
    """
    published = {
        each.name: layout.generation(each.name, each.generation)
        for each in plan.environments
        if each.action is Action.DELETE and not each.blocked and each.generation
    }
    used = generations_in_use(published.values())
    return tuple(
        f"`{name}`: a running process uses generation {generation.number}, which will be deleted; its files are kept "
        "until the process ends"
        for name, generation in published.items()
        if generation in used
    )
