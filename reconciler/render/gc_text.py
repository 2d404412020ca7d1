"""What `gc` prints: the generations that were deleted, and those that were kept although nothing retains them."""

from collections.abc import Sequence

from reconciler.apply.collect import Removable
from reconciler.json_output import json_array
from reconciler.render.escape import sanitize


def render_gc(found: Sequence[Removable], *, dry_run: bool) -> str:
    """Return a line for each generation: that it was or would be deleted, or why it is kept."""
    verb = "would be deleted" if dry_run else "deleted"
    lines = [f"{sanitize(each.name)}: generation {each.generation.number} {_outcome(each, verb)}" for each in found]
    return "".join(f"{line}\n" for line in lines) if lines else "No generations to delete.\n"


def gc_json(found: Sequence[Removable]) -> str:
    """Return the generations as a JSON array; `used`, `foreign` and `failure` say why one is kept."""
    return json_array(
        [
            {
                "name": each.name,
                "generation": each.generation.number,
                "used": each.used,
                "foreign": each.foreign,
                "failure": each.failure,
            }
            for each in found
        ]
    )


def _outcome(each: Removable, verb: str) -> str:
    if each.used:
        return "kept: a running process uses it"
    reason = each.foreign or each.failure
    return f"kept: {sanitize(reason)}" if reason else verb
